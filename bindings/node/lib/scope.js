// SPDX-License-Identifier: MIT
'use strict';
// Scopes: one deadline and one cancel for all that runs in them, values they see, resources that
// are
// closed when they end.
const { AsyncResource } = require('node:async_hooks');
const native = require('./native.js');
const { InvalidError, valueOf } = require('./errors.js');
const { Handle } = require('./handle.js');
const { defaultRuntime } = require('./runtime.js');
const { Operation, operation, runtimeOf, NONE } = require('./operation.js');
const { checkOptions } = require('./options.js');
const { rejecting, methodsReject } = require('./rejecting.js');

const LEVELS = ['off', 'error', 'warning', 'info', 'debug'];

class Scope extends Handle {
  constructor(given = {}, adopted = undefined) {
    checkOptions('scope', given, 'Scope');
    const { runtime, parent, ...options } = given;
    const its = runtime ?? parent?._runtime ?? defaultRuntime();
    if (parent !== undefined) options.parent = parent._open();
    super(its, adopted ?? native.scopeNew(its._open(), options));
    this._parent = parent;
  }

  /** Runs a function or an operation in it; the options are those of a run, and `policy`. */
  run(fn, given = NONE) {
    checkOptions('run with a policy', given, 'run');
    const { policy, ...options } = given;
    const inScope = { ...options, scope: this };
    if (policy !== undefined) return policy.run(fn, inScope);
    if (fn instanceof Operation) return fn.run(inScope);
    return this._runtime._launch(0, 0, fn, undefined, 0, inScope, this);
  }

  /** What was set here or in a scope around it; undefined if nothing was. */
  get(key) {
    const found = native.scopeGet(this._open(), key);
    if (found === undefined) return undefined;
    return found.int64 ?? valueOf(found, this._runtime._values);
  }

  set(key, value) {
    if (value === undefined) throw new InvalidError('a value of a scope cannot be undefined');
    native.scopeSet(this._runtime._open(), this._open(), key, this._runtime._values.put(value));
    return this;
  }

  /**
   * Opens a resource, which is closed when the scope ends: `close(resource)`, last opened first.
   */
  open(open, close, given = NONE) {
    checkOptions('run', given);
    const { key, ...options } = given;
    const closes = typeof close === 'function' ? AsyncResource.bind(close) : close;
    const resource = resourceOf(open, closes, key, this._runtime);
    return resource.run({ ...options, scope: this });
  }

  /** Cancels all that runs in it, and refuses what is new. */
  cancel() {
    this._runtime._arrive();
    native.scopeCancel(this._open());
  }

  /** Ends it; resolves when all is over and closed, rejects with what failed first in closing. */
  join(options = NONE) {
    return this.joining().run(options);
  }

  /** The end as an operation. */
  joining() {
    this._runtime._flush();
    return new Operation(this._runtime, native.scopeJoin(this._open()), [this]);
  }

  log(level, message) {
    native.scopeLog(this._open(), Math.max(0, LEVELS.indexOf(level)), message);
  }

  get stats() {
    return native.scopeStats(this._open());
  }
}

methodsReject(Scope, 'run', 'open', 'join');

if (Symbol.asyncDispose !== undefined) {
  Scope.prototype[Symbol.asyncDispose] = function dispose() {
    return this.join();
  };
}

function resourceOf(open, close, key, runtime) {
  const opens = operation(open, { runtime });
  const closes =
    close instanceof Operation
      ? close
      : operation((attempt) => close(attempt.input, attempt), { runtime });
  const handle = native.scopeResource(opens._open(), closes._open(), key);
  return new Operation(opens._runtime, handle, [opens, closes]);
}

/** `body(scope, attempt)` in a fresh scope, which ends with it. */
function scope(body, options = NONE) {
  checkOptions('scope()', options);
  if (typeof body !== 'function') throw new InvalidError('a function is needed');
  const {
    signal,
    input,
    scope: outer,
    runtime = outer?._runtime ?? defaultRuntime(),
    ...rest
  } = options;
  const handle = native.scopeOperation(runtime._open(), 0, rest);
  return runtime._launch(
    handle,
    0,
    (attempt) => body(attempt.scope, attempt),
    undefined,
    0,
    { signal, input, scope: outer },
    undefined,
    (run) => {
      run.owns = [handle];
    },
  );
}

/** Operations: the body in a scope of its own; a resource of the run's scope. */
const scopeOperations = {
  scope(body, given = NONE) {
    checkOptions('scope', given, 'operations.scope');
    const { runtime: _, ...options } = given;
    const runtime = runtimeOf([body], { runtime: _ });
    const inner = operation(body, { runtime });
    return new Operation(runtime, native.scopeOperation(runtime._open(), inner._open(), options), [
      inner,
    ]);
  },
  resource(open, close, options = NONE) {
    checkOptions('operations.resource', options);
    return resourceOf(open, close, options.key, options.runtime);
  },
};

function adopt(runtime, handle) {
  return new Scope({ runtime }, handle);
}

module.exports = { Scope, scope: rejecting(scope), scopeOperations, adopt };
