// SPDX-License-Identifier: MIT
'use strict';
// Operations: recipes that can be run any number of times, and built into others. Most programs
// need
// none, since functions run as they are; they are for what is composed once and run often.
const native = require('./native.js');
const { Handle } = require('./handle.js');
const { InvalidError } = require('./errors.js');
const { defaultRuntime, WANTS_OUTCOME } = require('./runtime.js');
const { checkOptions } = require('./options.js');
const { methodsReject } = require('./rejecting.js');

const NONE = Object.freeze({});
const forgotten = new FinalizationRegistry(({ runtime, id }) => {
  runtime.deref()?._functions.delete(id);
});

class Operation extends Handle {
  constructor(runtime, handle, keeps) {
    super(runtime, handle);
    this._keeps = keeps; // operations and policies it is built of
  }

  /** Runs it; resolves with its value. */
  run(options = NONE) {
    return launch(this, options, 0);
  }

  _run(options, settles) {
    return launch(
      this,
      options,
      0,
      settles
        ? (run) => {
            run.settles = true;
          }
        : undefined,
    );
  }

  /** Runs it; resolves with the Outcome, also when it fails. */
  settle(options = NONE) {
    return launch(this, options, WANTS_OUTCOME);
  }

  /** A label on its samples in the runtime's metrics. */
  label(key, value) {
    native.label('operation', this._open(), key, value);
  }

  static of(runtime, handle, keeps) {
    return new Operation(runtime, handle, keeps);
  }
}

methodsReject(Operation, 'run', 'settle');

function launch(operation, options, flags, prepare) {
  checkOptions('run of an operation', options, 'run');
  const { policy } = options;
  const runtime = operation._runtime;
  if (policy === undefined) {
    return runtime._launch(
      operation._open(),
      0,
      undefined,
      undefined,
      flags,
      options,
      operation,
      prepare,
    );
  }
  if (policy._parts() === undefined && policy._judges === undefined) {
    return runtime._launch(
      operation._open(),
      policy._open(),
      undefined,
      undefined,
      flags,
      options,
      [operation, policy],
    );
  }
  const { policy: _, input, key, keys, scope, ...rest } = options;
  const nested = ({ signal, remainingMs }) =>
    operation.run({ input, key, keys, scope, signal, deadlineMs: remainingMs });
  return flags === 0 ? policy.run(nested, rest) : policy.settle(nested, rest);
}

/** An operation of a function, which gets the Attempt. */
function operation(fn, options = NONE) {
  if (fn instanceof Operation) return fn;
  if (typeof fn !== 'function') throw new InvalidError('an operation needs a function');
  checkOptions('operation', options);
  const runtime = options.runtime ?? defaultRuntime();
  const judges = options.judges ?? judgesOf(options);
  const known = { start: fn, judges };
  const id = runtime._function(known);
  const made = new Operation(
    runtime,
    native.operationNew(runtime._open(), options.asks === true, id),
  );
  made._start = fn;
  made._known = known;
  forgotten.register(made, { runtime: new WeakRef(runtime), id });
  return made;
}

// What a policy's options, or an operation's, have to say about an attempt's end.
function judgesOf({ classify, failureWhen, shouldRetry }) {
  for (const [name, value] of Object.entries({ classify, failureWhen, shouldRetry })) {
    if (value !== undefined && typeof value !== 'function')
      throw new InvalidError(`${name} must be a function`);
  }
  if (classify === undefined && failureWhen === undefined && shouldRetry === undefined)
    return undefined;
  return [{ classify, failureWhen, shouldRetry }];
}

/** The runtime of what is given, or the default one; all must have the same. */
function runtimeOf(things, options) {
  let runtime = options?.runtime;
  for (const thing of things) {
    if (thing?._runtime === undefined) continue;
    if (runtime !== undefined && runtime !== thing._runtime)
      throw new InvalidError('these are of different runtimes');
    runtime = thing._runtime;
  }
  return runtime ?? defaultRuntime();
}

/** Functions among `list` become operations. */
function operations(list, runtime) {
  if (!Array.isArray(list)) throw new InvalidError('a list of functions or operations is needed');
  return list.map((one) => operation(one, { runtime }));
}

module.exports = { Operation, operation, operations, runtimeOf, judgesOf, NONE };
