// SPDX-License-Identifier: MIT
'use strict';
// What all policies have in common: a handle, how they run a function, their place in the registry.
const native = require('./native.js');
const { Handle, made } = require('./handle.js');
const { InvalidError } = require('./errors.js');
const { defaultRuntime, WANTS_OUTCOME } = require('./runtime.js');
const { Operation, operation, judgesOf, NONE } = require('./operation.js');
const { checkOptions, checkObject } = require('./options.js');
const { rejecting, methodsReject } = require('./rejecting.js');

const DOMAINS = { weir: 0, errno: 1, uv: 2, http: 3, grpc: 4, curl: 5, user: 1000 };
// [{ domain: 'http', from: 500, to: 599 }] as the addon takes it.
function rangesOf(failures) {
  return failures.map(({ domain = 'user', from, to = from }) => {
    const number = typeof domain === 'number' ? domain : DOMAINS[domain];
    if (number === undefined) throw new InvalidError(`failures: no such domain: ${domain}`);
    return [number, from, to];
  });
}

/** The options as the addon takes them; unknown names are an error. */
function nativeOptions(family, options) {
  checkOptions(family, options);
  const { budget, failures, ...rest } = options;
  if (budget !== undefined) rest.budget = budget._open();
  if (failures !== undefined) rest.failures = rangesOf(failures);
  return rest;
}

// What is as it was made. `failures` of these two are weir's own, which it does not let change.
const FIXED = {
  breaker: ['name', 'runtime', 'failures', 'onStateChange'],
  limiter: ['name', 'runtime', 'failures', 'limits'],
  chaos: ['name', 'runtime', 'enabled'],
};
const ALWAYS_FIXED = ['name', 'runtime'];
const fixedOf = (family) => FIXED[family] ?? ALWAYS_FIXED;
const REMOVABLE = new Set([
  'classify',
  'failureWhen',
  'shouldRetry',
  'onRetry',
  'budget',
  'failures',
  'message',
]);

/**
 * The options `current` with those that `changed` names in their place. `undefined` names nothing,
 * null takes away what can be there or not; `fixed` may be named as they are.
 */
function changedOptions(what, current, changed, fixed) {
  checkObject(what, changed);
  const options = { ...current };
  for (const [name, value] of Object.entries(changed)) {
    if (value === undefined || (fixed.includes(name) && value === current[name])) continue;
    if (fixed.includes(name)) throw new InvalidError(`${what}.${name} cannot be changed`);
    if (value === null && REMOVABLE.has(name)) delete options[name];
    else options[name] = value;
  }
  return options;
}

/** The same without what is fixed, of which weir must not be told again. */
function withoutFixed(options, fixed) {
  const rest = { ...options };
  for (const name of fixed) delete rest[name];
  return rest;
}

// How often a policy's options were changed: then pipelines look anew who decides.
let changes = 0;

class Policy extends Handle {
  constructor(runtime, handle, judges, keeps) {
    super(runtime, handle);
    this._judges = judges; // deciders, innermost first; undefined without
    this._keeps = keeps;
  }

  // The parts that have to be run one inside the other; undefined: it is one.
  _parts() {
    return undefined;
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
    const runtime = this._runtime;
    if (this._parts() !== undefined) return operation(within(this, inner), { runtime });
    if (this._judges === undefined) return wrapped(this, operation(inner, { runtime }));
    return wrapped(this, operation(functionOf(inner), { runtime, judges: this._judges }));
  }

  /**
   * The same function, under this policy: (...args) => Promise. The last argument is not the
   * Attempt.
   */
  bind(fn, options = NONE) {
    if (typeof fn !== 'function') throw new InvalidError('bind needs a function');
    checkOptions('run', options);
    return rejecting((...args) => start(this, () => fn(...args), options, 0));
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

methodsReject(Policy, 'run', 'settle');

function wrapped(policy, inner) {
  const handle = native.policyWrap(policy._runtime._open(), policy._open(), inner._open());
  return new Operation(policy._runtime, handle, [policy, inner]);
}

// An operation as a function, whose ends the deciders of what is around it can see.
function functionOf(inner) {
  if (!(inner instanceof Operation)) return inner;
  return inner._start ?? ((attempt) => inner.run({ input: attempt.input, ...insideOf(attempt) }));
}

// What a run inside of an attempt takes over from it.
function insideOf(attempt) {
  const { remainingMs, signal, key, scope } = attempt;
  return { signal, key, scope, deadlineMs: remainingMs };
}

/** A function that runs `inner` under `policy`, inside of the attempt that it gets. */
function within(policy, inner) {
  return (outer) => {
    const numbered = functionOf(inner);
    const fn = (attempt) => {
      attempt.attempt += outer.attempt - 1;
      attempt.index = outer.index;
      return numbered(attempt);
    };
    return policy.run(fn, { input: outer.input, ...insideOf(outer) });
  };
}

// The options of a run, with what a timeout's function says for it.
function withTimeout({ _timeoutFor }, options) {
  if (_timeoutFor === undefined) return options;
  const timeoutMs = _timeoutFor({ key: options.key, input: options.input });
  if (!(timeoutMs >= 0))
    throw new InvalidError(`timeoutFor must give 0 or more (gave ${timeoutMs})`);
  return { ...options, timeoutMs };
}

// Runs the parts one inside the other, so that each decider sees what is inside of its policy.
function startParts(parts, inner, options, flags) {
  const [outermost, ...rest] = parts;
  const { permits, priority } = options;
  let fn = functionOf(inner);
  for (const part of rest.reverse()) {
    const inside = fn;
    fn = (outer) => {
      const work = (attempt) => {
        attempt.attempt += outer.attempt - 1;
        return inside(attempt);
      };
      const its = withTimeout(part, { input: outer.input, permits, priority, ...insideOf(outer) });
      return part._runtime._launch(0, part._open(), work, part._judges, 0, its, part);
    };
  }
  const { _runtime, _judges } = outermost;
  const its = withTimeout(outermost, options);
  return _runtime._launch(0, outermost._open(), fn, _judges, flags, its, parts);
}

function start(policy, fn, options, flags) {
  const isFunction = typeof fn === 'function';
  if (!isFunction && !(fn instanceof Operation)) {
    throw new InvalidError('a function or an operation is needed');
  }
  checkOptions('run', options);
  const parts = policy._parts();
  if (parts !== undefined) return startParts(parts, fn, options, flags);
  if (isFunction) {
    return policy._runtime._launch(0, policy._open(), fn, policy._judges, flags, options, policy);
  }
  return flags === 0 ? fn.run({ ...options, policy }) : fn.settle({ ...options, policy });
}

/** A policy made by options of its family. */
class Made extends Policy {
  constructor(family, options, more) {
    checkObject(family, options);
    const runtime = options.runtime ?? defaultRuntime();
    const prepared = nativeOptions(family, options);
    const judges = judgesOf(options);
    const told = {};
    if (more?.extra !== undefined) Object.assign(prepared, more.extra(runtime, told));
    const make = () => native.make(runtime._open(), family, prepared);
    super(runtime, made(runtime, told, make), judges, options.budget);
    this._tells(told);
    this._family = family;
    this._options = { ...options };
    this.name = options.name ?? '';
  }

  /**
   * Changes the options live: those that are named, the rest stays as it is. The name stays, and
   * null takes a decider, a listener, a budget away.
   */
  setOptions(changed) {
    const options = this._merged(changed);
    this._change(options);
    this._options = options;
  }

  _merged(changed) {
    const current = { ...this._options, name: this.name, runtime: this._runtime };
    return changedOptions(this._family, current, changed, fixedOf(this._family));
  }

  // Has exactly these options from here on.
  _change(options, extra = {}) {
    const rest = withoutFixed(options, fixedOf(this._family));
    const prepared = { ...nativeOptions(this._family, rest), ...extra };
    const judges = judgesOf(options);
    native.change(this._runtime._open(), this._family, this._open(), prepared);
    this._judges = judges;
    changes++;
  }

  get stats() {
    return native.stats(this._family, this._open());
  }
}

module.exports = {
  Policy,
  Made,
  nativeOptions,
  changedOptions,
  withoutFixed,
  within,
  changed: () => changes,
};
