// SPDX-License-Identifier: MIT
'use strict';
const native = require('./native.js');
const { WORDS, make } = require('./errors.js');

const STATUS_BY_CANCEL = [-4, -4, -5, -5, -4, -13, -15];

/** What a user's function is shown of the attempt that it makes. */
class Attempt {
  constructor(runtime, index, number, itemIndex, input, run) {
    this._runtime = runtime;
    this._index = index; // 0: completed
    this._run = run;
    this._controller = undefined;
    this._reason = undefined;
    this._stopped = false;
    this._shown = undefined;
    this._scope = undefined;
    this._judged = 0;
    this._judges = undefined;
    this._entry = undefined;
    this._retryAfterMs = undefined;
    this._lists = false;
    this._context = undefined;
    /** Of this function within its run, from 1. */
    this.attempt = number;
    /** Which of the racers, tasks, items this is, from 0. */
    this.index = itemIndex;
    /** The run's input, or the value of the step before. */
    this.input = input;
  }

  /**
   * Aborted when the attempt should stop: timeout, lost race, cancel ... Made when first asked for.
   */
  get signal() {
    if (this._controller === undefined) {
      this._controller = new AbortController();
      if (this._stopped) this._controller.abort(this._reason);
    }
    return this._controller.signal;
  }

  /** Milliseconds until the nearest deadline; Infinity without one. */
  get remainingMs() {
    return this._look()?.remainingMs ?? Infinity;
  }

  /** The run's key, a string; undefined without one. */
  get key() {
    return this._look()?.key;
  }

  /** The operation of a fallback: how what it stands in for ended. */
  get failed() {
    const description = this._look()?.failed;
    return description && this._runtime._outcome(description);
  }

  /** The scope of the run; undefined if it is in none. */
  get scope() {
    if (this._scope === undefined && this._index !== 0) {
      const handle = native.attemptScope(this._runtime._handle, this._index);
      if (handle !== undefined) this._scope = this._runtime._adoptScope(handle);
    }
    return this._scope;
  }

  /** When trying again makes sense, if this attempt fails: in so many milliseconds. */
  retryAfter(ms) {
    this._retryAfterMs = ms;
  }

  /** How this attempt's end is to be judged ('success', 'failure', 'ignore' ...), whatever it is; a
   *  failure that is final is not tried again. */
  judgeAs(cls, { final = false } = {}) {
    const number = WORDS.classes.indexOf(cls);
    if (number < 0) throw make(-1, `no such class: ${String(cls)}`);
    this._judged = number + (final ? 8 : 0);
  }

  _look() {
    if (this._index !== 0) this._shown = native.attempt(this._runtime._handle, this._index);
    return this._shown;
  }

  _stop(reason) {
    this._stopped = true;
    const run = this._run;
    this._reason =
      run !== undefined && run.aborted
        ? run.signal.reason
        : make(STATUS_BY_CANCEL[reason], `the attempt should stop: ${WORDS.cancelReasons[reason]}`);
    if (this._controller === undefined) return;
    const abort = () => this._controller.abort(this._reason);
    if (this._context === undefined) abort();
    else this._context.runInAsyncScope(abort);
  }
}

module.exports = { Attempt };
