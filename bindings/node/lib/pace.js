// SPDX-License-Identifier: MIT
'use strict';
// Debounce and throttle, with the names and arguments that users of lodash know; each call gives a
// promise of the run that covers it.
const { AsyncResource } = require('node:async_hooks');
const native = require('./native.js');
const { InvalidError } = require('./errors.js');
const { Handle } = require('./handle.js');
const { Operation, operation, runtimeOf } = require('./operation.js');
const { checkOptions } = require('./options.js');
const { keyOf } = require('./runtime.js');
const { changedOptions, withoutFixed, within } = require('./policy.js');
const { rejecting } = require('./rejecting.js');

const FIXED = ['policy', 'name', 'runtime'];

class Pacer extends Handle {
  constructor(kind, inner, { runtime: _, policy: given, ...options }, runtime) {
    const all = { ...options, policy: given, runtime };
    const isCut = given?._parts() !== undefined;
    const policy = isCut ? undefined : given;
    if (policy !== undefined) options.policy = policy._open();
    const [pacer, handle] = native[`${kind}New`](
      runtime._open(),
      inner === undefined ? 0 : inner._open(),
      options,
    );
    super(runtime, pacer, inner === undefined ? [handle] : []);
    this._kind = kind;
    this._options = all;
    this._keeps = [policy, inner];
    this._judges = policy?._judges;
    this._around = isCut ? given : undefined;
    this._operation = handle;
    if (inner !== undefined) this.operation = new Operation(runtime, handle, [this]);
  }

  _call(start, key) {
    this._open();
    const work = this._around === undefined ? start : within(this._around, start);
    const context = new AsyncResource('weir', { requireManualDestroy: true });
    const input = { start: work, judges: this._judges, context };
    return this._runtime._launch(
      this._operation,
      0,
      undefined,
      undefined,
      0,
      { input, key },
      this,
      (run) => {
        run.quiet = true; // whoever calls for the effect alone does not look at a superseded call
      },
    );
  }

  _control(what, key) {
    this._runtime._arrive();
    return native[`${this._kind}Control`](
      this._open(),
      what,
      key === undefined ? undefined : keyOf(key),
    );
  }

  /** Forgets what is pending. */
  cancel(key) {
    this._control(0, key);
  }

  /** Runs now what is pending. */
  flush(key) {
    this._control(1, key);
  }

  get pending() {
    return this._control(2);
  }

  get stats() {
    return native[`${this._kind}Stats`](this._open());
  }

  /** Changes its times live: those that are named, the rest stays as it is. */
  setOptions(changed) {
    checkOptions(this._kind, changed);
    const options = changedOptions(this._kind, this._options, changed, FIXED);
    native[`${this._kind}Change`](this._open(), withoutFixed(options, FIXED));
    this._options = options;
  }
}

function paced(kind, fn, time, given) {
  checkOptions(kind, given, kind, 'paced');
  const { key, withAttempt = false, ...options } = { ...given, ...time };
  if (typeof fn !== 'function') throw new InvalidError(`${kind} needs a function`);
  if (typeof withAttempt !== 'boolean')
    throw new InvalidError(`${kind}.withAttempt must be true or false`);
  const pacer = new Pacer(kind, undefined, options, runtimeOf([options.policy], options));
  function call(...args) {
    const start = withAttempt
      ? (attempt) => fn.call(this, attempt, ...args)
      : () => fn.apply(this, args);
    return pacer._call(start, key?.(...args));
  }
  const of = (args) => (args.length === 0 ? undefined : key?.(...args));
  return Object.defineProperties(rejecting(call), {
    cancel: { value: (...args) => pacer.cancel(of(args)) },
    flush: { value: (...args) => pacer.flush(of(args)) },
    close: { value: () => pacer.close() },
    setOptions: { value: (changed) => pacer.setOptions(changed) },
    pending: { get: () => pacer.pending },
    stats: { get: () => pacer.stats },
  });
}

/**
 * Runs `fn` once a stream of calls has been quiet for `waitMs`, with the latest arguments; with the
 * option withAttempt the Attempt comes before them.
 */
function debounce(fn, waitMs, options = {}) {
  return paced('debounce', fn, { waitMs }, options);
}

/** Runs `fn` at most once in `intervalMs`. */
function throttle(fn, intervalMs, options = {}) {
  return paced('throttle', fn, { intervalMs }, options);
}

/** A pacer of an operation: pacer.operation's runs are the calls, their input the argument. */
function pacer(kind, inner, options = {}) {
  if (kind !== 'debounce' && kind !== 'throttle')
    throw new InvalidError("a pacer is a 'debounce' or a 'throttle'");
  checkOptions(kind, options);
  const runtime = runtimeOf([inner, options.policy], options);
  return new Pacer(kind, operation(inner, { runtime }), options, runtime);
}

module.exports = { debounce, throttle, pacer };
