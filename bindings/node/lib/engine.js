// SPDX-License-Identifier: MIT
'use strict';
// The engine of a runtime, as JavaScript sees it: runs by slot, attempts by number, values by id,
// and the two
// buffers in which all of them cross.
//
// What is to be done is written into the buffer of commands, and carried over once per turn of the
// microtask queue, however much there is. What has happened comes as records, all there are at a
// time, when weir's thread wakes this one. So a crossing costs little per run when many are in
// flight.
//
// Invariants:
// - A slot is free again when its run has settled and each of its attempts was completed.
// - An attempt is completed once; its number may be another's from then on (`_index` becomes 0).
// - While a run is in flight the wake-up keeps the process alive; an idle runtime does not.
// - No user's code runs inside a crossing; it may call everything here.
const { AsyncResource } = require('node:async_hooks');
const native = require('./native.js');
const { Attempt } = require('./attempt.js');
const errors = require('./errors.js');
const { Table } = require('./table.js');
const { Outcome, judge, isThenable, describe, keyOf } = require('./outcome.js');
const { Run, checkNumbers } = require('./run.js');
const signals = require('./signals.js');

const COMMANDS = 1024;
const WORDS_EACH = 8;
const RECORDS = 4096;
const ROUNDS = 32; // of crossings before others get their turn
const START = 1,
  CANCEL = 2,
  SETTLED = 3,
  RELEASED = 4,
  EVENT = 5,
  ASK = 6,
  CLOSED = 7,
  ITEM = 8,
  RECORDED = 9;
const NOT_STORED = { weight: 0, ttlMs: -2 };
const isError = (item) => errors.isA(Error, item);
const isAbsent = (item) => isError(item) || item === undefined;
const LOG = 100,
  HAPPENED = 101,
  SIDE = 102;
const LOADER = 3; // the tag of an attempt whose input is its function

/** What the flags of a run say to the addon. */
const WANTS_INDEX = 1,
  WANTS_OUTCOME = 2;

const busy = new Set(); // runtimes with something in flight are not collected

// The end of what nobody closed, or of what has closed: then nothing is left to wait for.
const registry = new FinalizationRegistry((handle) => native.release(handle));

// What a user's listener throws goes where an event emitter's would; the other records are served.
function uncaught(error) {
  setImmediate(() => {
    throw error;
  });
}

// What weir's thread wakes runs in no call's context, whichever call made the runtime.
const root = new AsyncResource('weir');

// The addon keeps this function. It is made out here because closures share what their function's
// scope holds: made beside one that needs `this`, it would keep its runtime for ever.
const wakes = (engine) => () => engine.deref()?._wake();

class Engine {
  constructor(options = {}) {
    this._commands = new Float64Array(COMMANDS * WORDS_EACH);
    this._count = 0;
    const buffer = new ArrayBuffer(RECORDS * 32);
    this._words = new Int32Array(buffer);
    this._doubles = new Float64Array(buffer);
    this._extras = [];
    this._refused = [];
    this._manual = options.driver === 'manual';
    // Listeners and functions of operations belong to their handles: held by these tables, one that
    // knows its handle would keep it for ever.
    this._listeners = new Table(1);
    const { _commands: commands, _extras: extras, _refused: refused } = this;
    this._lent = options.adopts !== undefined;
    this._handle = root.runInAsyncScope(
      this._lent ? native.adopt : native.open,
      undefined,
      this._lent ? options.adopts : options,
      commands,
      buffer,
      extras,
      refused,
      wakes(new WeakRef(this)),
    );
    registry.register(this, this._handle);
    this._runs = new Table(1);
    this._values = new Table(1);
    this._functions = new Map();
    this._nextFunction = 1;
    this._attempts = [];
    this._inFlight = 0;
    this._held = false;
    this._pumping = false;
    this._scheduled = false;
    this._closing = undefined;
    this._closed = false;
    this._ended = false;
    this._options = options;
    this._flushBound = () => this._flush();
    this._wakeBound = () => this._wake();
  }

  // ---- runs ----

  // Starts a run; `start` is what an attempt of the engine's own operation calls.
  _launch(operation, policy, start, judges, flags, options, keeps, prepare) {
    const run = new Run(start, judges, keeps);
    if (prepare !== undefined) prepare(run);
    const promise = new Promise((resolve, reject) => {
      run.resolve = resolve;
      run.reject = reject;
    });
    run.outcome = (flags & WANTS_OUTCOME) !== 0;
    if (run.quiet) run.promise = promise;
    if (this._lent && this._closing !== undefined) {
      this._refuse(run, errors.make(-15, 'this form of the runtime is closed'));
      return promise;
    }
    const { signal } = options;
    if (signal !== undefined && signal !== null) {
      if (signals.refuses(signal, (reason) => this._refuse(run, reason))) return promise;
      run.signal = signal;
    }
    const slot = this._runs.put(run);
    run.slot = slot;
    if (++this._inFlight === 1) this._hold();
    try {
      this._submit(slot, operation, policy, flags, options);
    } catch (error) {
      this._unlaunch(slot);
      this._refuse(run, error);
      return promise;
    }
    if (run.signal !== undefined && !run.settled) signals.watch(run.signal, run, this);
    return promise;
  }

  // What fails before weir takes it. An abort is as if the run had been cancelled at once.
  _refuse(run, error) {
    if (run.owns !== undefined) for (const handle of run.owns) native.release(handle);
    if (!run.outcome) return run.reject(error);
    const status = errors.isA(errors.WeirError, error) ? error.status : -4;
    const outcome = new Outcome(
      { channel: 2, status, attempts: 0, elapsedMs: 0, slot: 0 },
      this._values,
    );
    outcome.error = error;
    return run.resolve(outcome);
  }

  _unlaunch(slot) {
    this._runs.remove(slot);
    this._inFlight--;
    this._rest();
  }

  _submit(slot, operation, policy, flags, options) {
    const { deadlineMs, key, keys, name, scope, permits, priority, input, timeoutMs } = options;
    if (timeoutMs !== undefined) native.setNumber(this._handle, false, slot, timeoutMs);
    if (keys !== undefined) {
      checkNumbers(deadlineMs);
      this._flush();
      native.runKeys(
        this._handle,
        slot,
        operation,
        policy,
        deadlineMs ?? Infinity,
        flags,
        keys.map(keyOf),
      );
      return;
    }
    const bytes = key === undefined ? undefined : keyOf(key);
    checkNumbers(deadlineMs, permits, priority);
    const inside = scope === undefined ? 0 : scope._open();
    const inputId = input === undefined ? -1 : this._values.put(input);
    const packed = flags + 256 * (priority ?? 31);
    const deadline = deadlineMs ?? Infinity;
    if (key === undefined && name === undefined && scope === undefined) {
      this._push(1, slot, operation, policy, deadline, permits ?? 1, inputId, packed);
      return;
    }
    this._flush();
    const { run } = native;
    run(
      this._handle,
      slot,
      operation,
      policy,
      deadline,
      permits ?? 1,
      inputId,
      packed,
      bytes,
      name,
      inside,
    );
  }

  _cancel(run) {
    if (run.settled) return;
    run.aborted = true;
    this._push(3, run.slot, 0, 0, 0, 0, 0, 0);
  }

  _push(a, b, c, d, e, f, g, h) {
    const words = this._commands;
    let at = this._count * WORDS_EACH;
    words[at++] = a;
    words[at++] = b;
    words[at++] = c;
    words[at++] = d;
    words[at++] = e;
    words[at++] = f;
    words[at++] = g;
    words[at] = h;
    if (++this._count === COMMANDS) this._flush();
    else if (!this._scheduled && !this._pumping) {
      this._scheduled = true;
      queueMicrotask(this._flushBound);
    }
  }

  // Carries the commands over, without looking for records.
  _flush() {
    this._scheduled = false;
    if (this._count === 0) return;
    const count = this._count;
    this._count = 0;
    native.exchange(this._handle, count, false);
    if (this._refused.length > 0) this._settleRefused();
  }

  // As _flush(), so that what is called next comes behind these commands: on weir's thread they
  // keep
  // their order, on a manual runtime, whose thread this is, they have to be taken up first.
  _arrive() {
    this._flush();
    if (this._manual) native.process(this._handle, 0);
  }

  // Runs that weir did not accept: they settle all the same.
  _settleRefused() {
    for (const description of this._refused.splice(0))
      this._settle(description.slot, 2, -1, description);
    this._rest(); // nothing else may come that lets the process end
  }

  // weir has something to tell.
  _wake() {
    if (this._pumping || this._manual) return;
    this._pump();
  }

  _pump() {
    this._pumping = true;
    let seen = 0;
    try {
      for (let round = 0; ; round++) {
        const count = this._count;
        this._count = 0;
        const records = native.exchange(this._handle, count, true);
        if (this._refused.length > 0) this._settleRefused();
        if (records === 0) break;
        seen += records;
        for (let i = 0; i < records; i++) {
          try {
            this._record(i);
          } catch (error) {
            uncaught(error);
          }
        }
        if (round >= ROUNDS) {
          setImmediate(this._manual ? () => {} : this._wakeBound);
          break;
        }
      }
    } finally {
      this._pumping = false;
      this._rest();
    }
    if (this._closed && this._closing !== undefined && !this._lent) this._end();
    return seen;
  }

  _hold() {
    if (this._held || this._manual) return;
    this._held = true;
    busy.add(this);
    native.hold(this._handle, true);
  }

  _rest() {
    if (this._lent && this._inFlight === 0) this._closing?.resolve();
    if (!this._held || this._inFlight > 0) return;
    this._held = false;
    busy.delete(this);
    native.hold(this._handle, false);
  }

  // ---- records ----

  _record(i) {
    const at = i * 8;
    const words = this._words;
    const user = words[at + 1],
      object = words[at + 2];
    switch (words[at]) {
      case START:
      case ASK:
        this._start(
          words[at + 5],
          user,
          object,
          words[at + 3],
          words[at + 4],
          this._doubles[i * 4 + 3],
          i,
        );
        break;
      case CANCEL:
        this._attempts[object]?._stop(words[at + 4]);
        break;
      case SETTLED:
        this._settle(user, words[at + 5], object, this._extra(i));
        break;
      case RELEASED:
        this._values.remove(object);
        break;
      case EVENT:
        this._listeners.get(user)?.deref()?.({
          from: words[at + 4] >> 8,
          to: words[at + 4] & 255,
          reason: words[at + 3],
          sequence: object,
          missed: this._doubles[i * 4 + 3],
        });
        break;
      case ITEM:
        this._item(
          user,
          this._doubles[i * 4 + 3],
          words[at + 5] === 1,
          object,
          this._extra(i),
          words[at + 3],
        );
        break;
      case CLOSED:
        this._closed = true;
        break;
      case RECORDED:
        this._recorded();
        break;
      case LOG:
        this._log(this._extra(i));
        break;
      case HAPPENED:
        this._event(this._extra(i));
        break;
      default:
        if (words[at] >= SIDE) this._listeners.get(user)?.deref()?.(this._extra(i));
    }
  }

  // An item of a parallel (by its run's slot) or of a pool (by its listener) has settled.
  _item(user, index, ok, id, extra, status) {
    const run = user > 0 ? this._runs.get(user) : undefined;
    const tell =
      run === undefined
        ? this._listeners.get(-user)?.deref()
        : run.onItem && ((...told) => run.runInAsyncScope(run.onItem, undefined, ...told));
    if (tell === undefined) return;
    if (ok)
      tell(
        index,
        true,
        extra === undefined ? this._values.get(id) : errors.valueOf(extra, this._values),
      );
    else if (extra === undefined)
      tell(index, false, errors.make(status, native.statusMessage(status)));
    else tell(index, false, errors.errorOf(extra, this._values));
  }

  _extra(i) {
    const extra = this._extras[i];
    this._extras[i] = undefined;
    return extra;
  }

  // `word`: whose it is; 256 times the slot of the run that it is of, if that is in flight.
  _start(word, user, index, itemIndex, number, inputId, i) {
    const tag = word & 255;
    let start, run, judges, input;
    const given =
      inputId === -2 ? errors.valueOf(this._extra(i), this._values) : this._values.get(inputId);
    if (tag === LOADER) {
      start = given.start;
      judges = given.judges;
      input = given.input;
    } else {
      input = given;
      if (tag === 0) {
        run = this._runs.get(user);
        start = run.start;
        judges = run.judges;
        run.open++;
      } else {
        const known = this._functions.get(user)?.deref();
        start = known?.start;
        judges = known?.judges;
      }
    }
    const attempt = new Attempt(this, index, number, itemIndex, input, run);
    attempt._judges = judges;
    if (tag === LOADER) attempt._entry = given.entry;
    this._attempts[index] = attempt;
    const own = tag === LOADER ? given.context : undefined;
    const context = own ?? run ?? this._runs.get(word >> 8);
    attempt._context = context;
    if (context === undefined) this._begin(attempt, start);
    else context.runInAsyncScope(this._begin, this, attempt, start);
  }

  _begin(attempt, start) {
    try {
      const result = start(attempt);
      if (isThenable(result)) {
        const promise = result instanceof Promise ? result : Promise.resolve(result);
        promise.then(
          (value) => this._succeed(attempt, value),
          (error) => this._fail(attempt, error),
        );
      } else {
        this._succeed(attempt, result);
      }
    } catch (error) {
      this._fail(attempt, error);
    }
  }

  // The attempt's number, which is free from here on; 0 if it was completed before.
  _take(attempt) {
    const index = attempt._index;
    if (index === 0) return 0;
    attempt._index = 0;
    this._attempts[index] = undefined;
    const run = attempt._run;
    if (run !== undefined) {
      attempt._run = undefined;
      if (--run.open === 0 && run.settled) this._runs.remove(run.slot);
    }
    return index;
  }

  // Asks the deciders of an attempt's end, and goes on with `then(judged)`, later if they do. A
  // decider that throws ends the run with what it threw.
  _judge(attempt, ok, value, error, known, then) {
    const fails = (failure) => this._fail(attempt, new errors.Final(failure));
    try {
      const judged = judge(attempt._judges, { ok, value, error, attempt: attempt.attempt }, known);
      if (typeof judged === 'number') then(judged);
      else judged.then(then).catch(fails);
    } catch (failure) {
      fails(failure);
    }
  }

  _succeed(attempt, value) {
    if (attempt._judges === undefined || attempt._judged !== 0) {
      this._succeeded(attempt, value, attempt._judged);
      return;
    }
    this._judge(attempt, true, value, undefined, 0, (judged) =>
      this._succeeded(attempt, value, judged),
    );
  }

  _succeeded(attempt, value, judged) {
    let entries;
    const lists = attempt._lists && Array.isArray(value);
    try {
      if (attempt._entry !== undefined) {
        entries = (lists ? value : [value]).map((item, i) =>
          lists && isAbsent(item) ? NOT_STORED : attempt._entry(item, i),
        );
      }
    } catch (error) {
      this._fail(attempt, new errors.Final(error));
      return;
    }
    const index = this._take(attempt);
    if (index === 0) return;
    if (lists) {
      this._completeList(index, value, entries);
      return;
    }
    const id = value === undefined && entries === undefined ? -1 : this._values.put(value);
    if (entries !== undefined) native.setNumber(this._handle, true, id, entries[0].ttlMs);
    const weight = entries === undefined ? 0 : entries[0].weight;
    this._push(2, index, id, judged & 7, judged >> 3, attempt._retryAfterMs ?? -1, weight, 0);
  }

  _completeList(index, items, entries) {
    const ids = items.map((item) => (isAbsent(item) ? -1 : this._values.put(item)));
    const failed = items.map((item) => (isError(item) ? this._values.put(item) : -1));
    const weights = entries?.map(({ weight }) => weight);
    entries?.forEach(({ ttlMs }, i) => {
      if (ids[i] >= 0) native.setNumber(this._handle, true, ids[i], ttlMs);
    });
    this._flush();
    native.completeList(this._handle, index, ids, failed, weights);
  }

  _fail(attempt, thrown) {
    const isFinal = errors.isA(errors.Final, thrown);
    const error = isFinal ? thrown.error : thrown;
    const known = (attempt._judged || errors.classOf(error)) | (isFinal ? 8 : 0);
    if (attempt._judges === undefined || isFinal || attempt._judged !== 0) {
      this._failed(attempt, error, known);
      return;
    }
    this._judge(attempt, false, undefined, error, known, (judged) =>
      this._failed(attempt, error, judged),
    );
  }

  _failed(attempt, error, judged) {
    const index = this._take(attempt);
    if (index === 0) return;
    this._flush();
    const { domain, code, message, retryAfterMs } = describe(error);
    const asked = attempt._retryAfterMs ?? retryAfterMs;
    native.fail(
      this._handle,
      index,
      this._values.put(error),
      domain,
      code,
      message,
      judged & 7,
      judged >> 3,
      typeof asked === 'number' && asked >= 0 ? Math.ceil(asked) : -1,
    );
  }

  _settle(slot, channel, id, description) {
    const run = this._runs.get(slot);
    run.settled = true;
    this._inFlight--;
    if (run.open === 0) this._runs.remove(slot);
    if (run.signal !== undefined) signals.forget(run.signal, run);
    if (run.owns !== undefined) for (const handle of run.owns) native.release(handle);
    if (run.outcome) {
      run.resolve(this._outcome(description));
    } else if (channel === 1) {
      if (description === undefined) run.resolve(this._values.get(id));
      else if (run.settles)
        run.resolve(description.list.map((item) => errors.settledOf(item, this._values)));
      else run.resolve(errors.valueOf(description, this._values));
    } else {
      const outcome = this._outcome(description);
      if (run.quiet && outcome.channel === 'stopped') run.promise.catch(() => {});
      run.reject(
        run.aborted && outcome.status === 'WEIR_ECANCELLED' ? run.signal.reason : outcome.error,
      );
    }
  }

  _outcome(description) {
    const outcome = new Outcome(description, this._values);
    const { error } = outcome;
    if (errors.isA(errors.WeirError, error)) {
      error.attempts = outcome.attempts;
      error.stopReason = outcome.stopReason;
      if (outcome.retryAfterMs !== undefined) error.retryAfterMs = outcome.retryAfterMs;
      if (outcome.rejection !== undefined) error.rejection = outcome.rejection;
      if (outcome.value !== undefined) error.value = outcome.value;
    }
    if (error !== undefined) errors.remember(error, outcome);
    return outcome;
  }
}

module.exports = { Engine, WANTS_INDEX, WANTS_OUTCOME };
