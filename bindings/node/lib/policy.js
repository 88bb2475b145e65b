// SPDX-License-Identifier: MIT
'use strict';
// What all policies have in common: a handle, how they run a function, their place in the registry.
const native = require('./native.js');
const { Handle } = require('./handle.js');
const { InvalidError } = require('./errors.js');
const { defaultRuntime, WANTS_OUTCOME } = require('./runtime.js');
const { Operation, operation, judgesOf, NONE } = require('./operation.js');

const DOMAINS = { weir: 0, errno: 1, uv: 2, http: 3, grpc: 4, curl: 5, user: 1000 };
const ONLY_HERE = [
  'runtime',
  'classify',
  'failureWhen',
  'shouldRetry',
  'onRetry',
  'onStateChange',
  'budget',
];
const known = new Map();

function namesOf(family) {
  let names = known.get(family);
  if (names === undefined) {
    names = new Set([...native.names(family), ...ONLY_HERE]);
    known.set(family, names);
  }
  return names;
}

// [{ domain: 'http', from: 500, to: 599 }] as the addon takes it.
function rangesOf(failures) {
  return failures.map(({ domain = 'user', from, to = from }) => {
    const number = typeof domain === 'number' ? domain : DOMAINS[domain];
    if (number === undefined) throw new InvalidError(`failures: no such domain: ${domain}`);
    return [number, from, to];
  });
}

/** The options as the addon takes them; unknown names are an error. */
function nativeOptions(family, options, more = []) {
  const names = namesOf(family);
  for (const name of Object.keys(options)) {
    if (!names.has(name) && !more.includes(name))
      throw new InvalidError(`${family}: no option is called ${name}`);
  }
  const { budget, failures, ...rest } = options;
  if (budget !== undefined) rest.budget = budget._open();
  if (failures !== undefined) rest.failures = rangesOf(failures);
  return rest;
}

class Policy extends Handle {
  constructor(runtime, handle, judges, keeps) {
    super(runtime, handle);
    this._judges = judges; // deciders, innermost first; undefined without
    this._keeps = keeps;
  }

  /** Runs a function, or an operation, under this policy; resolves with its value. */
  run(fn, options = NONE) {
    return start(this, fn, options, 0);
  }

  /** As run(), but resolves with the Outcome, also when it fails. */
  settle(fn, options = NONE) {
    return start(this, fn, options, WANTS_OUTCOME);
  }

  /** An operation: `inner` under this policy. */
  wrap(inner) {
    if (this._judges !== undefined) {
      const fn =
        inner instanceof Operation
          ? (inner._start ?? ((a) => inner.run({ input: a.input, signal: a.signal })))
          : inner;
      return wrapped(this, operation(fn, { runtime: this._runtime, judges: this._judges }));
    }
    return wrapped(this, operation(inner, { runtime: this._runtime }));
  }

  /** The same function, under this policy: (...args) => Promise. The last argument is not the Attempt. */
  bind(fn, options = NONE) {
    return (...args) => start(this, () => fn(...args), options, 0);
  }

  /** Finds it by its name from here on: Runtime.find(), in all languages of this process. */
  register() {
    native.registerPolicy(this._open());
    return this;
  }

  unregister() {
    native.unregisterPolicy(this._open());
  }

  /** A label on its samples in the runtime's metrics. */
  label(key, value) {
    native.label('policy', this._open(), key, value);
    return this;
  }
}

function wrapped(policy, inner) {
  const handle = native.policyWrap(policy._runtime._open(), policy._open(), inner._open());
  return new Operation(policy._runtime, handle, [policy, inner]);
}

function start(policy, fn, options, flags) {
  if (typeof fn === 'function') {
    return policy._runtime._launch(0, policy._open(), fn, policy._judges, flags, options, policy);
  }
  if (!(fn instanceof Operation)) throw new InvalidError('a function or an operation is needed');
  return flags === 0 ? fn.run({ ...options, policy }) : fn.settle({ ...options, policy });
}

/** A policy made by options of its family. */
class Made extends Policy {
  constructor(family, options, more) {
    const runtime = options.runtime ?? defaultRuntime();
    const prepared = nativeOptions(family, options, more?.names);
    if (more?.extra !== undefined) Object.assign(prepared, more.extra(runtime));
    super(
      runtime,
      native.make(runtime._open(), family, prepared),
      judgesOf(options),
      options.budget,
    );
    this._family = family;
    this.name = options.name ?? '';
  }

  /** Changes the options live: all anew, those not given by default; the name stays. */
  setOptions(options, extra) {
    const prepared = {
      ...nativeOptions(this._family, options, Object.keys(extra ?? {})),
      ...extra,
    };
    native.change(this._runtime._open(), this._family, this._open(), prepared);
    this._judges = judgesOf(options);
  }

  get stats() {
    return native.stats(this._family, this._open());
  }
}

module.exports = { Policy, Made, nativeOptions };
