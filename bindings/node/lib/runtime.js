// SPDX-License-Identifier: MIT
'use strict';
// What a runtime offers besides runs: its end, its numbers, its texts. What it does is in
// engine.js.
const native = require('./native.js');
const { Engine, WANTS_INDEX, WANTS_OUTCOME } = require('./engine.js');
const { InvalidError } = require('./errors.js');
const { checkOptions } = require('./options.js');
const { Outcome, keyOf } = require('./outcome.js');

const EVENTS = [
  '',
  'stateChange',
  'retry',
  'refusal',
  'eviction',
  'hedge',
  'fallback',
  'waiting',
  'granted',
  'timeout',
  'gaveUp',
  'load',
  'paced',
  'hedgeWon',
  'chaos',
];
const CANCEL_RUN = 3;
const LEVELS = ['off', 'error', 'warning', 'info', 'debug'];

class Runtime extends Engine {
  constructor(options = {}) {
    checkOptions('runtime', options);
    super(options);
    this._cursor = new BigUint64Array(1);
    if (options.onRecorded === undefined) return;
    if (typeof options.onRecorded !== 'function' || !(options.recorderEntries > 0)) {
      native.close(this._handle);
      throw new InvalidError('onRecorded must be a function, and needs recorderEntries');
    }
    native.recorderNotify(this._handle);
  }

  _recorded() {
    const entries = this.recorded(this._cursor);
    if (entries.length > 0) this._options.onRecorded(entries);
  }

  /**
   * The runtime that another thread, addon or language made, by its `handle` or `address`. It stays
   * theirs: close() of what this gives ends only what was begun here.
   */
  static from(handle) {
    if (handle instanceof Runtime) return new Runtime({ adopts: handle.handle });
    return new Runtime({ adopts: handle ?? null });
  }

  /** For addons of this process: an external, which keeps the runtime's memory. */
  get handle() {
    return native.runtimeExternal(this._open());
  }

  /** For other threads and languages: where it is. Keeps nothing: keep this as long. */
  get address() {
    return native.runtimeAddress(this._open());
  }

  /** False from the begin of closing, whoever closes it. */
  get isOpen() {
    return this._closing === undefined && native.isOpen(this._open());
  }

  // `known` is what an attempt calls, and who judges; its operation keeps it.
  _function(known) {
    const id = this._nextFunction++;
    this._functions.set(id, new WeakRef(known));
    return id;
  }

  _adoptScope(handle) {
    return require('./scope.js').adopt(this, handle);
  }

  _log({ status, subject, message }) {
    this._options.onLog?.(LEVELS[status], subject, message);
  }

  _event(event) {
    const { kind, status, ...rest } = event;
    const error = status === 0 ? undefined : native.statusName(status);
    this._options.onEvent?.({ kind: EVENTS[kind] ?? String(kind), status: error, ...rest });
  }

  // weir's thread is gone, or about to be; reading stays possible until this is collected.
  _end() {
    if (this._ended) return;
    this._ended = true;
    this._inFlight--;
    this._rest();
    this._closing?.resolve();
  }

  /** Numbers: runs, attempts, calls in flight, orphans, timers. */
  get stats() {
    return native.runtimeStats(this._open());
  }

  /** weir's clock in milliseconds: monotonic, or the virtual one's. */
  now() {
    return native.now(this._open()) / 1e6;
  }

  _open() {
    return this._handle;
  }

  /** What all policies and operations have counted, as text for Prometheus and its like. */
  metrics({ openMetrics = true } = {}) {
    return native.metrics(this._open(), !openMetrics);
  }

  /** The flight recorder's text; needs the option recorderEntries. */
  recorderDump() {
    return native.recorderDump(this._open());
  }

  /** The flight recorder's entries since the last call with this cursor ([0n] at first). */
  recorded(cursor = new BigUint64Array(1)) {
    const all = [];
    for (;;) {
      const some = native.recorderRead(this._open(), cursor);
      if (some.length === 0) return all;
      for (const { kind, status, ...rest } of some) {
        const error = status === 0 ? undefined : native.statusName(status);
        all.push({ kind: EVENTS[kind] ?? 'log', status: error, ...rest });
      }
    }
  }

  /** A label on all samples of this runtime's metrics. */
  label(key, value) {
    native.label('runtime', this._open(), key, value);
  }

  /** Writes a line to the option onLog, if logLevel lets it pass. */
  log(level, message, subject) {
    if (typeof message !== 'string') throw new InvalidError('message must be a string');
    native.log(this._open(), Math.max(0, LEVELS.indexOf(level)), subject, message);
  }

  /** Manual runtimes: what is in flight, and what it waits for. */
  audit() {
    return native.audit(this._open());
  }

  /** Gives pooled memory back. */
  trim() {
    native.trim(this._open());
  }

  /**
   * New runs are refused from here on, what is in flight settles as closed. Resolves when all of it
   * has ended; functions that go on although told to stop are waited for for closeGraceMs.
   */
  close() {
    if (this._closing === undefined) {
      this._closing = {};
      this._closing.promise = new Promise((resolve) => {
        this._closing.resolve = resolve;
      });
      this._beginClose();
    }
    return this._closing.promise;
  }

  // A lent runtime goes on; what was begun here is told to stop.
  _letGo() {
    for (const run of this._runs.items) {
      if (run !== undefined && !run.settled) this._push(CANCEL_RUN, run.slot, 0, 0, 0, 0, 0, 0);
    }
    this._flush();
    this._rest();
  }

  _beginClose() {
    this._flush();
    if (this._lent) {
      this._letGo();
      return;
    }
    if (!this._manual) this._hold();
    this._inFlight++; // the end itself keeps the process alive
    native.close(this._handle);
    if (this._manual) native.process(this._handle, 0);
    else setImmediate(this._wakeBound);
  }
}

if (Symbol.asyncDispose !== undefined) {
  Runtime.prototype[Symbol.asyncDispose] = Runtime.prototype.close;
}

let standard;
/** The runtime of all that names none; made when first needed, one per thread. */
function defaultRuntime() {
  if (standard === undefined || standard._closing !== undefined)
    standard = new Runtime({ name: 'node' });
  return standard;
}

module.exports = { Runtime, Outcome, defaultRuntime, keyOf, WANTS_INDEX, WANTS_OUTCOME };
