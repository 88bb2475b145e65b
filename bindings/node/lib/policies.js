// SPDX-License-Identifier: MIT
'use strict';
// The policies, and what is particular to each: listeners, decide doors, state.
const native = require('./native.js');
const door = require('./door.js');
const { Handle, listen, made } = require('./handle.js');
const { InvalidError, errorOf, valueOf, make, WORDS } = require('./errors.js');
const { defaultRuntime, keyOf } = require('./runtime.js');
const { operation } = require('./operation.js');
const { checkOptions } = require('./options.js');
const {
  Policy,
  Made,
  nativeOptions,
  changedOptions,
  withoutFixed,
  changed,
} = require('./policy.js');

const { breakerAcquire, breakerReport, limiterAcquire } = native;
const { words, HANDLE, CLASS, STATUS, COUNT, givenPermit, setPermit, setElapsed } = door;
const STATES = ['closed', 'open', 'half-open', 'forced-open', 'forced-closed', 'metrics-only'];
const REASONS = ['', 'failures', 'slow-calls', 'time', 'trials', 'hand'];
const CLASSES = { success: 1, failure: 2, refusal: 3, ignore: 4, abandon: 5 };
const ALGORITHMS = ['token-bucket', 'fixed-window', 'sliding-window'];
const CHAOS = ['', 'latency', 'failure', 'outcome', 'hang'];

function classNumber(word) {
  const number = word === true ? 1 : word === false ? 2 : CLASSES[word];
  if (number === undefined) throw new InvalidError(`no such class: ${String(word)}`);
  return number;
}

/** What the last refusal by a decide function of this thread said: who, why, when to try again. */
function lastRejection() {
  return native.rejection();
}

// What the addon needs to tell `onRetry`.
function retryListener(runtime, onRetry, told) {
  if (onRetry === undefined) return {};
  const tell = ({ number, first, error, value }) =>
    onRetry({
      attempt: number,
      delayMs: first,
      error: error && errorOf(error, runtime._values),
      value: valueOf(value, runtime._values),
    });
  return { listener: listen(runtime, typeof onRetry === 'function' ? tell : onRetry, told) };
}

class Retry extends Made {
  constructor(options = {}) {
    super('retry', options, {
      extra: (runtime, told) => retryListener(runtime, options.onRetry, told),
    });
  }

  // Its listener's number stays: what is under way to the old one is told to the new one.
  _change(options) {
    const { onRetry } = options;
    const runtime = this._runtime;
    const own = this._listener;
    if (own !== 0 && onRetry !== undefined && onRetry === this._options.onRetry) {
      super._change(options, { listener: own });
      return;
    }
    const told = {};
    const extra = retryListener(runtime, onRetry, told);
    if (own !== 0 && told.listener !== undefined) {
      runtime._listeners.remove(told.listener);
      extra.listener = own;
      super._change(options, extra);
      runtime._listeners.items[own] = new WeakRef(told.fn);
    } else {
      made(runtime, told, () => super._change(options, extra));
    }
    this._tells(told);
  }

  /** The decide door, for who tries and sleeps by himself. */
  begin() {
    const state = new BigUint64Array(4);
    native.retryBegin(this._open(), state);
    return {
      stopReason: undefined,
      /** How long to wait before trying again, in ms; undefined: do not, see stopReason. */
      next: (outcome, askedMs = -1) => this._next(state, outcome, askedMs),
    };
  }

  _next(state, outcome, askedMs) {
    const delay = native.retryNext(this._open(), state, classNumber(outcome), askedMs);
    return delay >= 0 ? { delayMs: delay } : { stopReason: WORDS.stopReasons[-1 - delay] };
  }
}

class Breaker extends Made {
  constructor(options = {}) {
    super('breaker', options, {
      extra: (runtime, told) =>
        options.onStateChange === undefined
          ? {}
          : {
              listener: listen(
                runtime,
                (change) =>
                  options.onStateChange({
                    ...change,
                    from: STATES[change.from],
                    to: STATES[change.to],
                    reason: REASONS[change.reason],
                  }),
                told,
              ),
            },
    });
  }

  /** 'closed', 'open', 'half-open', 'forced-open', 'forced-closed' or 'metrics-only', now. */
  get state() {
    return STATES[native.breakerState(this._open())];
  }

  /** The decide door: a permit to be reported, or 0: refused (see lastRejection()). */
  tryAcquire() {
    words[HANDLE] = this._handle;
    breakerAcquire();
    return givenPermit();
  }

  /**
   * How the call went: true, false or a class; `elapsedMs` if slow calls count. What became of it:
   * 'WEIR_OK', 'WEIR_ESTALE' or 'WEIR_EEXPIRED'.
   */
  report(permit, outcome, elapsedMs) {
    setElapsed(elapsedMs);
    words[CLASS] = classNumber(outcome);
    setPermit(permit);
    words[HANDLE] = this._handle;
    breakerReport();
    const status = words[STATUS];
    return status === 0 ? 'WEIR_OK' : native.statusName(status);
  }

  /** Permits into a BigUint64Array, as many as it has room for; how many were granted. */
  tryAcquireMany(permits) {
    return native.breakerAcquireMany(this._open(), permits);
  }

  /** Reports the first `count` of them alike; how many were recorded. */
  reportMany(permits, count, outcome, elapsedMs = 0) {
    return native.breakerReportMany(this._open(), permits, count, classNumber(outcome), elapsedMs);
  }

  /** Forces it open until as many endIsolation() came. */
  isolate() {
    native.breakerControl(this._open(), 0, 0);
  }

  endIsolation() {
    native.breakerControl(this._open(), 1, 0);
  }

  /** Closed, its counts as new. */
  reset() {
    native.breakerControl(this._open(), 2, 0);
  }

  /** 'forced-open', 'forced-closed', 'metrics-only'; 'closed' lets it judge by itself again. */
  force(state) {
    native.breakerControl(this._open(), 3, STATES.indexOf(state) >>> 0);
  }

  /** Its state as bytes, for another process. */
  snapshot() {
    return native.breakerSnapshot(this._open());
  }

  restore(bytes, elapsedMs = 0) {
    native.breakerRestore(this._open(), bytes, elapsedMs);
  }
}

class Limiter extends Made {
  constructor(options = {}) {
    checkOptions('limiter', options);
    const { limits, ...rest } = options;
    super('limiter', rest);
    this._options = { ...options };
    for (const limit of limits ?? []) this.addLimit(limit);
  }

  /** One rate more; all must let a call pass. */
  addLimit({ algorithm = 'token-bucket', permits, intervalMs, burst = -1 }) {
    native.limiterAddLimit(
      this._open(),
      ALGORITHMS.indexOf(algorithm) >>> 0,
      permits,
      intervalMs,
      burst,
    );
    return this;
  }

  /** The decide door: a permit for release() (0 if there is no concurrency limit), or undefined:
   *  refused (see lastRejection()). */
  tryAcquire(permits = 1, key = undefined) {
    if (!(Number.isInteger(permits) && permits >= 1 && permits < 2 ** 32))
      throw new InvalidError(`permits must be a whole number, 1 or more (got ${String(permits)})`);
    if (key !== undefined) {
      const permit = native.limiterAcquireKey(this._open(), permits, keyOf(key));
      return permit === -1 ? undefined : permit;
    }
    words[COUNT] = permits;
    words[HANDLE] = this._handle;
    limiterAcquire();
    return words[STATUS] === 0 ? givenPermit() : undefined;
  }

  /** Up to `count` single permits; how many were granted. */
  tryAcquireMany(count) {
    return native.limiterAcquireMany(this._open(), count);
  }

  /** Gives a permit of tryAcquire back. */
  release(permit, { key, outcome, elapsedMs = 0 } = {}) {
    native.limiterRelease(
      this._open(),
      permit,
      key === undefined ? undefined : keyOf(key),
      outcome === undefined ? 0 : classNumber(outcome),
      elapsedMs,
    );
  }

  /** Takes permits in advance: { waitMs, reservation }; undefined: refused. */
  reserve(permits = 1) {
    const pair = native.limiterReserve(this._open(), permits);
    return pair && { waitMs: pair[0], reservation: pair[1] };
  }

  /** Whether something could be given back. */
  cancelReservation(reservation, permits = 1) {
    return native.limiterCancel(this._open(), permits, reservation);
  }

  /** Permits there are now. */
  get available() {
    return native.limiterControl(this._open(), 4, 0);
  }

  pause() {
    native.limiterControl(this._open(), 0, 0);
  }

  resume() {
    native.limiterControl(this._open(), 1, 0);
  }

  /** Gives permits of the rate back, for work that was not done. */
  refund(permits = 1) {
    native.limiterControl(this._open(), 2, permits);
  }

  /** Takes all there is, such as after a 429; how many that were. */
  drain() {
    return native.limiterControl(this._open(), 3, 0);
  }
}

/** At most so many at once, so many waiting, the rest refused. It is a limiter. */
class Bulkhead extends Policy {
  constructor(options) {
    checkOptions('bulkhead', options);
    const { maxConcurrent, queueLimit = 0, name, runtime = defaultRuntime() } = options;
    super(runtime, native.bulkhead(runtime._open(), maxConcurrent, queueLimit, name));
    this._family = 'limiter';
    this._options = { maxConcurrent, maxQueue: queueLimit };
    this.name = name ?? '';
  }
}
for (const name of [
  'tryAcquire',
  'release',
  'pause',
  'resume',
  'available',
  'stats',
  'setOptions',
  '_merged',
  '_change',
]) {
  const from =
    Object.getOwnPropertyDescriptor(Limiter.prototype, name) ??
    Object.getOwnPropertyDescriptor(Made.prototype, name);
  Object.defineProperty(Bulkhead.prototype, name, from);
}

class Timeout extends Made {
  /**
   * `new Timeout(5000)`, `new Timeout({ timeoutMs: 5000, ... })` or `{ timeoutFor: (run) => ms }`.
   */
  constructor(options) {
    const given = typeof options === 'number' ? { timeoutMs: options } : (options ?? {});
    checkOptions('timeout', given);
    const { timeoutFor, ...rest } = given;
    super('timeout', rest, { extra: () => askedFor(timeoutFor) });
    this._options = { ...given };
    this._timeoutFor = timeoutFor;
  }

  // It has one of both, the one that was named last.
  _merged(changed) {
    const options = super._merged(changed);
    const { timeoutMs, timeoutFor } = changed;
    if (timeoutMs !== undefined && timeoutFor === undefined) delete options.timeoutFor;
    if (timeoutFor !== undefined && timeoutMs === undefined) delete options.timeoutMs;
    return options;
  }

  _change({ timeoutFor, ...rest }) {
    super._change(rest, askedFor(timeoutFor));
    this._timeoutFor = timeoutFor;
  }

  _parts() {
    return this._timeoutFor === undefined ? undefined : [this];
  }
}

function askedFor(timeoutFor) {
  if (timeoutFor === undefined) return {};
  if (typeof timeoutFor !== 'function') throw new InvalidError('timeoutFor must be a function');
  return { listener: 0 };
}

class Hedge extends Made {
  constructor(options = {}) {
    super('hedge', options);
  }
}

class Fallback extends Made {
  /** { value } or { run: (attempt) => ... }, whose attempt.failed says what failed. */
  constructor(options = {}) {
    checkOptions('fallback', options);
    const { value, run, ...rest } = options;
    const runtime = options.runtime ?? defaultRuntime();
    const instead = run === undefined ? undefined : operation(run, { runtime });
    super('fallback', rest, {
      extra: () => fallbackExtra(runtime, 'value' in options, value, instead),
    });
    this._options = { ...options };
    this._instead = instead;
  }

  // It has one of both, the one that was named last; a value may be undefined.
  _merged(changed) {
    const options = super._merged(changed);
    const names = (name) => name in changed && (name === 'value' || changed[name] !== undefined);
    if (names('value')) options.value = changed.value;
    if (names('value') && !names('run')) delete options.run;
    if (names('run') && !names('value')) delete options.value;
    return options;
  }

  _change(options) {
    const { value, run, ...rest } = options;
    const isSame = run !== undefined && run === this._options.run;
    const instead = isSame ? this._instead : run && operation(run, { runtime: this._runtime });
    super._change(rest, fallbackExtra(this._runtime, 'value' in options, value, instead));
    this._instead = instead;
  }
}

function fallbackExtra(runtime, hasValue, value, instead) {
  if (instead !== undefined)
    return hasValue ? { hasValue, operation: instead._open() } : { operation: instead._open() };
  return { hasValue, valueId: value === undefined ? -1 : runtime._values.put(value) };
}

class Chaos extends Made {
  constructor(options = {}) {
    checkOptions('chaos', options);
    const { failure, value, phases, ...rest } = options;
    super('chaos', rest, { extra: (runtime) => chaosExtra(runtime, options) });
    this._options = { ...options };
  }

  _change(options) {
    const { failure, value, phases, ...rest } = options;
    super._change(rest, chaosExtra(this._runtime, options));
  }

  /** Switches it on, which begins its schedule anew. */
  enable() {
    native.chaosEnable(this._open(), true);
  }

  disable() {
    native.chaosEnable(this._open(), false);
  }
}

function chaosExtra(runtime, { failure, value, phases }) {
  const extra = {};
  if (failure !== undefined) extra.failureId = runtime._values.put(failure);
  if (value !== undefined) extra.valueId = runtime._values.put(value);
  if (phases !== undefined) {
    extra.phaseList = phases.map(({ fromMs, untilMs = Infinity, what, rate }) => [
      fromMs,
      untilMs,
      CHAOS.indexOf(what),
      rate,
    ]);
  }
  return extra;
}

/** Bounds retries and hedges to a share of traffic. Several policies may share one. */
class Budget extends Handle {
  constructor(options = {}) {
    checkOptions('budget', options);
    const runtime = options.runtime ?? defaultRuntime();
    super(runtime, native.make(runtime._open(), 'budget', nativeOptions('budget', options)));
    this._options = { ...options, runtime };
  }

  /** Changes the options live: those that are named, the rest stays as it is. */
  setOptions(changed) {
    const fixed = ['name', 'runtime'];
    const options = changedOptions('budget', this._options, changed, fixed);
    const prepared = nativeOptions('budget', withoutFixed(options, fixed));
    native.change(this._runtime._open(), 'budget', this._open(), prepared);
    this._options = options;
  }

  get stats() {
    return native.stats('budget', this._open());
  }

  /** Counts a first attempt. */
  deposit() {
    native.budgetControl(this._open(), 0);
  }

  /** Takes one retry; whether there was one. */
  withdraw() {
    return native.budgetControl(this._open(), 1);
  }

  /** Gives a withdrawn retry back that never started. */
  refund() {
    native.budgetControl(this._open(), 2);
  }

  label(key, value) {
    native.label('budget', this._open(), key, value);
    return this;
  }
}

class Pipeline extends Policy {
  constructor(policies, options = {}) {
    checkOptions('pipeline', options);
    const { name } = options;
    if (policies.length === 0) throw new InvalidError('a pipeline needs a policy');
    const runtime = policies[0]._runtime;
    const handles = policies.map((policy) => policy._open());
    super(runtime, native.pipeline(runtime._open(), handles, name), undefined, policies);
    this.policies = policies;
    this.name = name ?? '';
    this._seen = -1; // how many changes there were when its parts were made
  }

  // weir is told one verdict for each attempt. A policy that judges by itself sees another outcome
  // than
  // what is inside of it; so the pipeline is cut behind each that does, but the innermost.
  _parts() {
    if (this._seen !== changed()) {
      this._seen = changed();
      this._cut = undefined;
      const cut = cutBehindJudges(this.policies.flatMap(flattened));
      this._judges = judgesOfAll(cut[0]);
      this._timeoutFor = cut[0].find(({ _timeoutFor }) => _timeoutFor)?._timeoutFor;
      if (cut.length > 1) this._cut = cut.map((part) => new Pipeline(part));
      else if (this._timeoutFor !== undefined) this._cut = [this];
      if (cut.length > 1) for (const part of this._cut) part._parts();
    }
    return this._cut;
  }
}

const flattened = (policy) =>
  policy instanceof Pipeline ? policy.policies.flatMap(flattened) : [policy];
const judgesByItself = ({ _judges, _timeoutFor }) =>
  _timeoutFor ?? _judges?.some(({ classify, failureWhen }) => classify ?? failureWhen);

function judgesOfAll(policies) {
  const judges = policies.flatMap((policy) => policy._judges ?? []).reverse();
  return judges.length === 0 ? undefined : judges;
}

function cutBehindJudges(policies) {
  const parts = [[]];
  policies.forEach((policy, i) => {
    parts.at(-1).push(policy);
    if (judgesByItself(policy) && i < policies.length - 1) parts.push([]);
  });
  return parts;
}

/** Several policies as one, the first outermost. */
function pipeline(...policies) {
  return new Pipeline(policies.flat());
}

const KINDS = [
  undefined,
  Retry,
  Breaker,
  Limiter,
  Timeout,
  Pipeline,
  undefined,
  Hedge,
  Fallback,
  Chaos,
];
const FAMILIES = [
  '',
  'retry',
  'breaker',
  'limiter',
  'timeout',
  '',
  '',
  'hedge',
  'fallback',
  'chaos',
];

/** The policy registered under `name`, in whatever language; undefined if there is none. */
function find(name, options = {}) {
  checkOptions('find', options);
  const { runtime = defaultRuntime() } = options;
  const found = native.findPolicy(runtime._open(), name);
  if (found === undefined) return undefined;
  const policy = new Policy(runtime, found.handle);
  policy._family = FAMILIES[found.kind];
  policy._options = {}; // nobody here knows them: what setOptions() does not name is by default
  policy.name = name;
  return Object.setPrototypeOf(policy, (KINDS[found.kind] ?? Policy).prototype);
}

module.exports = {
  Retry,
  Breaker,
  Limiter,
  Bulkhead,
  Timeout,
  Hedge,
  Fallback,
  Chaos,
  Budget,
  Pipeline,
  pipeline,
  find,
  lastRejection,
  Policy,
  make,
};
