// SPDX-License-Identifier: MIT
/**
 * weir for Node.
 *
 * Times are milliseconds; `Infinity` is no bound, in time and in number; `null` switches a feature
 * off. What a function throws comes back as the very same object. What weir itself says is a
 * WeirError. What gives a promise never throws: it rejects, for a wrong argument too. An option of a
 * name that is none is an InvalidError, which lists those that there are. Everything here belongs to
 * the thread that made it (the main thread or a worker).
 */

/// <reference types="node" />

/** How an attempt's end is judged. */
export type Class = 'success' | 'failure' | 'refusal' | 'ignore' | 'abandon';
export type Code =
  | 'WEIR_OK'
  | 'WEIR_EINVAL'
  | 'WEIR_ENOMEM'
  | 'WEIR_EABI'
  | 'WEIR_ECANCELLED'
  | 'WEIR_ETIMEDOUT'
  | 'WEIR_ENOTIME'
  | 'WEIR_EOPEN'
  | 'WEIR_ELIMITED'
  | 'WEIR_EFULL'
  | 'WEIR_EFAILED'
  | 'WEIR_EAGGREGATE'
  | 'WEIR_EEXHAUSTED'
  | 'WEIR_ESUPERSEDED'
  | 'WEIR_ESTALE'
  | 'WEIR_ECLOSED'
  | 'WEIR_ENOTFOUND'
  | 'WEIR_EEXISTS'
  | 'WEIR_ENOTSUP'
  | 'WEIR_ETHREAD'
  | 'WEIR_EEXPIRED'
  | 'WEIR_EFORKED'
  | 'WEIR_ESTOP';
export type StopReason =
  | 'none'
  | 'attempts'
  | 'elapsed'
  | 'budget'
  | 'no-time'
  | 'refused'
  | 'final'
  | 'classified'
  | 'no-memory';
export type CancelReason =
  'none' | 'caller' | 'deadline' | 'timeout' | 'lost' | 'superseded' | 'shutdown';
export type Key = string | number | bigint | boolean | Uint8Array;

// ---- attempts and outcomes ----

/** What a function is shown of the attempt that it makes. */
export interface Attempt<I = unknown> {
  /** Of this function within its run, from 1. */
  readonly attempt: number;
  /** Which of the racers, tasks, items this is, from 0. */
  readonly index: number;
  /** The run's input, or the value of the step before. */
  readonly input: I;
  /** Aborted when the attempt should stop: a timeout, a lost race, a cancel ... */
  readonly signal: AbortSignal;
  /** Milliseconds until the nearest deadline. */
  readonly remainingMs: number;
  /** The run's key. */
  readonly key: string | undefined;
  /** In the place of what failed (Fallback): how that ended. */
  readonly failed: Outcome<unknown> | undefined;
  /** The scope of the run. */
  readonly scope: Scope | undefined;
  /**
   * If this attempt fails: when trying again makes sense. An error's `retryAfterMs` says the same.
   */
  retryAfter(ms: number): void;
  /** How this attempt's end is to be judged, whatever it is. */
  judgeAs(cls: Class, options?: { final?: boolean }): void;
}

/** A function that is run; it should stop when `attempt.signal` is aborted. */
export type Task<T, I = any> = (attempt: Attempt<I>) => T | PromiseLike<T>;

/** Who refused, why, and the numbers. */
export interface Rejection {
  readonly status: number;
  readonly policy: 'breaker' | 'limiter' | 'budget' | 'none' | string;
  readonly reason:
    | 'none'
    | 'open'
    | 'half-open'
    | 'forced-open'
    | 'ramp-up'
    | 'rate'
    | 'concurrency'
    | 'queue-full'
    | 'queue-timeout'
    | 'paused'
    | 'weight'
    | 'keys'
    | 'no-time'
    | 'waiters'
    | 'budget';
  /** The policy's name. */
  readonly name: string;
  /** One sentence. */
  readonly message: string;
  /** In so many milliseconds trying again passes; undefined if nobody can know. */
  readonly retryAfterMs?: number;
  readonly requested: number;
  readonly available: number;
  readonly limit: number;
  readonly queued: number;
  readonly calls: number;
  readonly failures: number;
  readonly slowCalls: number;
  readonly threshold: number;
  readonly intervalMs: number;
  readonly waitedMs: number;
  readonly remainingMs: number;
}

/** How a run ended. */
export class Outcome<T> {
  private constructor();
  readonly ok: boolean;
  /** False: the runtime did not take the run (it is closed, or too many are in flight). */
  readonly accepted: boolean;
  readonly channel: 'value' | 'error' | 'stopped';
  readonly status: Code;
  /** Also of a run that ended as exhausted: the last value, which was judged a failure. */
  readonly value: T | undefined;
  readonly error: unknown;
  /** What failed before, where something stood in for it and failed, too. */
  readonly cause: unknown;
  readonly attempts: number;
  readonly elapsedMs: number;
  readonly stopReason: StopReason;
  readonly cancelReason: CancelReason;
  readonly retryAfterMs: number | undefined;
  readonly rejection: Rejection | undefined;
  readonly final: boolean;
  /** Of the last attempts, at most 8, oldest first. */
  readonly statuses: Code[];
}

/** How the run went that failed with this error, whoever made the error. */
export function outcomeOf(error: unknown): Outcome<unknown> | undefined;

// ---- errors ----

/** What weir itself says. `code` is the status' name. */
export class WeirError extends Error {
  readonly status: number;
  readonly code: Code;
  readonly attempts?: number;
  readonly stopReason?: StopReason;
  readonly retryAfterMs?: number;
  readonly rejection?: Rejection;
}
/** An argument or option is not legal; the message names it. */
export class InvalidError extends WeirError {}
export class MemoryError extends WeirError {}
export class CancelledError extends WeirError {}
export class TimeoutError extends WeirError {}
/** What was asked cannot fit into the time that is left. */
export class NoTimeError extends WeirError {}
/** A circuit breaker is open. */
export class OpenError extends WeirError {}
/** A limiter refuses. */
export class LimitedError extends WeirError {}
/** A queue, or the runtime's limit of calls in flight, is full. */
export class FullError extends WeirError {}
/** A step of a waterfall failed; `cause` is what its function threw. */
export class FailedError extends WeirError {}
/** Several failed. */
export class AggregateError extends WeirError {
  readonly errors: unknown[];
  /** Of which racer or copy each error is. */
  readonly indexes: number[];
}
/** The last result was a value that was judged a failure. */
export class ExhaustedError extends WeirError {
  readonly value: unknown;
}
/** A later call took this one's place. */
export class SupersededError extends WeirError {}
export class StaleError extends WeirError {}
export class ClosedError extends WeirError {}
export class NotFoundError extends WeirError {}
export class ExistsError extends WeirError {}
export class NotSupportedError extends WeirError {}
export class ExpiredError extends WeirError {}

/** `throw final(error)`: no retry repeats it, and whoever waits gets `error`. */
export function final(error: unknown): object;

// ---- running ----

export interface RunOptions<I = unknown> {
  /** Cancels the run; it rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** From now until the run fails with a TimeoutError. Nothing is waited for that cannot fit. */
  deadlineMs?: number;
  /** For keyed policies, caches, pacers. */
  key?: Key | undefined;
  /** For logs and the audit. */
  name?: string;
  /** What limiters count it as; default 1. */
  permits?: number;
  /** 0 (first) to 63 in queues that go by priority; default 31. */
  priority?: number;
  scope?: Scope | undefined;
  /** What attempts get as `input`. */
  input?: I;
}
export interface RunAnyOptions<I = unknown> extends RunOptions<I> {
  policy?: Policy;
  runtime?: Runtime;
}

export function run<T>(task: Task<T> | Operation<T>, options?: RunAnyOptions): Promise<T>;
/** As run(), but resolves with the Outcome, also when it fails. */
export function settle<T>(
  task: Task<T> | Operation<T>,
  options?: RunAnyOptions,
): Promise<Outcome<T>>;

// ---- policies ----

/** Only these errors are failures: by domain and code. An error's code is `status` or `statusCode`
 *  ('http'), `errno` ('uv') or an integer `code` ('user'). */
export interface ErrorRange {
  domain?: 'user' | 'weir' | 'errno' | 'uv' | 'http' | 'grpc' | 'curl' | number;
  from: number;
  to?: number;
}

/** What a decider says, at once or later. */
export type Answer<T> = T | PromiseLike<T>;

/** What a decider is shown. */
export interface Attempted {
  readonly ok: boolean;
  readonly value: any;
  readonly error: any;
  readonly attempt: number;
}

/**
 * Deciders see how what is inside of their policy ended: the function, or in a pipeline the policies
 * further in. An answer may be a promise: until it is there the attempt goes on, for timeouts too; what
 * a decider throws or rejects with ends the run. What a run's own end is judged as, the policies
 * around it in the same part of the pipeline see too.
 */
export interface Judging {
  classify?: (attempted: Attempted) => Answer<Class | undefined>;
  /** Values that count as failures. */
  failureWhen?: (value: any) => Answer<boolean>;
  failures?: readonly ErrorRange[];
}
export interface Named {
  name?: string;
  runtime?: Runtime;
}

type Removable =
  'classify' | 'failureWhen' | 'shouldRetry' | 'onRetry' | 'budget' | 'failures' | 'message';
/**
 * What setOptions() takes, of whatever has it. What is named changes, live; what is not named, or is
 * `undefined`, stays as it is. `null` takes a decider, a listener, a budget, `failures` or a message
 * away; a number goes back to its default by naming that. A bad set changes nothing. The name and
 * what else is left out here cannot change. Of a policy that find() gave nobody here knows the
 * options: what is not named there has its default.
 */
export type Changed<O, Fixed extends string = never> = O extends unknown
  ? {
      [K in Exclude<keyof O, 'name' | 'runtime' | Fixed>]?:
        O[K] | (K extends Removable ? null : never);
    }
  : never;

export class Handle {
  /** Gives it back now. Runs in flight go on; further use throws a ClosedError. */
  close(): void;
  [Symbol.dispose](): void;
}

export class Policy extends Handle {
  protected constructor();
  readonly name: string;
  run<T>(task: Task<T> | Operation<T>, options?: RunOptions): Promise<T>;
  /** As run(), but resolves with the Outcome, also when it fails. */
  settle<T>(task: Task<T> | Operation<T>, options?: RunOptions): Promise<Outcome<T>>;
  /** An operation: `inner` under this policy. */
  wrap<T>(inner: Task<T> | Operation<T>): Operation<T>;
  /** The same function, under this policy. */
  bind<A extends unknown[], T>(
    fn: (...args: A) => T | PromiseLike<T>,
    options?: RunOptions,
  ): (...args: A) => Promise<T>;
  /** From here on find() finds it by its name, in all languages that use this runtime. */
  register(): this;
  unregister(): void;
  /** On its samples in the runtime's metrics. */
  label(key: string, value: string): this;
}

export interface RetryOptions extends Judging, Named {
  /** How delays grow; default 'exponential'. */
  backoff?: 'constant' | 'linear' | 'exponential' | 'decorrelated' | 'decorrelated-v2';
  /** Tries in all, the first included: 1 or more, or Infinity; default 3. */
  maxAttempts?: number;
  /** The first delay, from which the others grow: 0 or more; default 1000. */
  baseDelayMs?: number;
  /** No delay is longer; default 30,000. */
  maxDelayMs?: number;
  /** No computed delay is shorter: 0 to maxDelayMs; default 0. */
  minDelayMs?: number;
  /** What each delay is multiplied with: 1 to 1000; default 2. */
  multiplier?: number;
  /** How delays are spread; default 'proportional'. */
  jitter?: 'none' | 'full' | 'equal' | 'proportional' | 'symmetric';
  /** 0 to 1; default 0.3. */
  jitterFactor?: number;
  /** Waits for refusals that say when to try again; default false. */
  retryRefusals?: boolean;
  /** From the first try: no try starts after it, no delay passes it; default Infinity. */
  maxElapsedMs?: number;
  /** For each try, which then fails with a TimeoutError; default Infinity. */
  attemptTimeoutMs?: number;
  /** Bounds retries to a share of traffic; several policies may share one. */
  budget?: Budget;
  /** Asked for each failure: false (or a promise of it) stops. */
  shouldRetry?: (error: any, attempt: number) => Answer<boolean>;
  /** Told before each wait. */
  onRetry?: (retry: { attempt: number; delayMs: number; error: unknown; value: unknown }) => void;
}
export interface RetryStats {
  calls: number;
  retries: number;
  succeededFirst: number;
  succeededLater: number;
  gaveUp: number;
  refusedByBudget: number;
}
export class Retry extends Policy {
  constructor(options?: RetryOptions);
  setOptions(options: Changed<RetryOptions>): void;
  readonly stats: RetryStats;
  /** The decide door, for who tries and sleeps by himself. */
  begin(): RetryState;
}
export interface RetryState {
  /** How long to wait before trying again, or why not. `askedMs` is what the peer asked for. */
  next(
    outcome: boolean | Class,
    askedMs?: number,
  ): { delayMs: number; stopReason?: undefined } | { delayMs?: undefined; stopReason: StopReason };
}

export interface BreakerOptions extends Judging, Named {
  /**
   * What opens it: failures in a row ('consecutive', the default), or the share of failures
   * among the last calls ('count') or milliseconds ('time').
   */
  mode?: 'consecutive' | 'count' | 'time';
  /** 'consecutive': failures in a row that open it, 1 to 10^6; default 5. */
  failureThreshold?: number;
  /** 'count': how many calls it looks back on, 1 to 2^20; default 100. */
  windowSize?: number;
  /** 'time': how far it looks back, 10 to a day; default 60,000. */
  windowMs?: number;
  /** Windows: opens at this share of failures or more, above 0 to 1; default 0.5. */
  failureRate?: number;
  /** Windows: judged only from so many calls on; default 10. */
  minCalls?: number;
  /** Trials of a half-open period: 1 to 32; default 3. */
  halfOpenMaxCalls?: number;
  /** Trials that must succeed to close it; default 2. */
  halfOpenSuccessThreshold?: number;
  /** Trials that fail and open it again; default 1. */
  halfOpenFailures?: number;
  /** A call that took longer is slow; default null: none is. */
  slowCallMs?: number | null;
  /** Windows: opens at this share of slow calls or more, above 0 to 1; default 1. */
  slowCallRate?: number;
  /** How long it stays open before trials begin; default 60,000. */
  resetTimeoutMs?: number;
  /** Each reopening multiplies the time it stays open, 1 to 1000; default 1. */
  resetMultiplier?: number;
  /** It stays open no longer than this; default 600,000. */
  maxResetTimeoutMs?: number;
  /** A trial that was not reported by then is given to another; default 60,000. */
  trialTimeoutMs?: number;
  /**
   * After closing, the admitted share grows from a tenth to all in this time; default null: at
   * once.
   */
  rampUpMs?: number | null;
  /** Told of each change, in order. */
  onStateChange?: (change: BreakerChange) => void;
}
export type BreakerState =
  'closed' | 'open' | 'half-open' | 'forced-open' | 'forced-closed' | 'metrics-only';
export interface BreakerChange {
  from: BreakerState;
  to: BreakerState;
  reason: 'failures' | 'slow-calls' | 'time' | 'trials' | 'hand';
  sequence: number;
  missed: number;
}
export interface BreakerStats {
  state: BreakerState;
  calls: number;
  failures: number;
  slowCalls: number;
  failureRate: number;
  slowCallRate: number;
  succeeded: number;
  failed: number;
  slow: number;
  ignored: number;
  stale: number;
  rejected: number;
  timesOpened: number;
  openRemainingMs: number;
  missedEvents: number;
}
/** Names one call to the breaker or limiter that let it pass. 0: there is nothing to give back. */
export type Permit = number | bigint;
export class Breaker extends Policy {
  constructor(options?: BreakerOptions);
  setOptions(options: Changed<BreakerOptions, 'failures' | 'onStateChange'>): void;
  readonly stats: BreakerStats;
  readonly state: BreakerState;
  /** The decide door: a permit to be reported, or 0: refused, see lastRejection(). */
  tryAcquire(): Permit;
  /** How the call went; `elapsedMs` if slow calls count. */
  report(
    permit: Permit,
    outcome: boolean | Class,
    elapsedMs?: number,
  ): 'WEIR_OK' | 'WEIR_ESTALE' | 'WEIR_EEXPIRED' | 'WEIR_EINVAL';
  /** Permits, as many as there is room for; how many were granted. */
  tryAcquireMany(permits: BigUint64Array): number;
  /** Reports the first `count` alike; how many were recorded. */
  reportMany(
    permits: BigUint64Array,
    count: number,
    outcome: boolean | Class,
    elapsedMs?: number,
  ): number;
  /** Forces it open until as many endIsolation() came. */
  isolate(): void;
  endIsolation(): void;
  reset(): void;
  /** 'closed': it judges by itself again. */
  force(state: 'closed' | 'forced-open' | 'forced-closed' | 'metrics-only'): void;
  snapshot(): Buffer;
  restore(bytes: Uint8Array, elapsedMs?: number): void;
}

export interface Rate {
  /** Default 'token-bucket'. */
  algorithm?: 'token-bucket' | 'fixed-window' | 'sliding-window';
  /** So many in intervalMs. */
  permits: number;
  intervalMs: number;
  /** A token bucket's depth; default: as permits. */
  burst?: number;
}
export interface LimiterOptions extends Judging, Named, Partial<Rate> {
  /** How many at once; with `adaptive`, where the limit begins. Default Infinity. */
  maxConcurrent?: number;
  /** How many runs wait; the rest is refused. Default 1024. */
  maxQueue?: number;
  /** How long a run waits at most, then it is refused; default Infinity. */
  queueTimeoutMs?: number;
  /** Who goes first; default 'fifo'. */
  queueOrder?: 'fifo' | 'priority';
  /** Keyed: at most so many keys are tracked, 1 to 2^30; default 0: not keyed. */
  maxKeys?: number;
  /**
   * What happens to a key too many: it is refused ('deny', the default), or the idlest is
   * forgotten.
   */
  keyOverflow?: 'deny' | 'evict';
  /** Finds the limit of concurrency by itself, from failures and latency; default 'off'. */
  adaptive?: 'off' | 'aimd' | 'gradient';
  /** Default 1. */
  adaptiveMin?: number;
  /** Default 1000. */
  adaptiveMax?: number;
  /** 'aimd': a call that took longer counts as overload; default null: only failures do. */
  adaptiveLatencyMs?: number | null;
  /** 'aimd': what overload multiplies the limit with, above 0, below 1; default 0.9. */
  adaptiveBackoff?: number;
  /** 'gradient': how much slower than usual is still fine, 1 to 10; default 1.5. */
  adaptiveTolerance?: number;
  /**
   * The permit of what was told to stop returns at once, not when it really ended; default
   * false.
   */
  earlyRelease?: boolean;
  /** Further rates; all must let a call pass. */
  limits?: readonly Rate[];
}
export interface LimiterStats {
  paused: boolean;
  available: number;
  concurrent: number;
  limit: number;
  queued: number;
  granted: number;
  refused: number;
  timedOut: number;
  keys: number;
}
export class Limiter extends Policy {
  constructor(options?: LimiterOptions);
  setOptions(options: Changed<LimiterOptions, 'failures' | 'limits'>): void;
  readonly stats: LimiterStats;
  /** Permits there are now. */
  readonly available: number;
  addLimit(rate: Rate): this;
  /** The decide door: a permit for release(), or undefined: refused, see lastRejection(). */
  tryAcquire(permits?: number, key?: Key): Permit | undefined;
  /** Up to `count` single permits; how many were granted. */
  tryAcquireMany(count: number): number;
  release(
    permit: Permit,
    options?: { key?: Key | undefined; outcome?: boolean | Class; elapsedMs?: number },
  ): void;
  /** Takes permits in advance: wait so long before going ahead. */
  reserve(permits?: number): { waitMs: number; reservation: Permit } | undefined;
  cancelReservation(reservation: Permit, permits?: number): boolean;
  pause(): void;
  resume(): void;
  refund(permits?: number): void;
  drain(): number;
}
/** A limiter of concurrency: so many at once, so many waiting, the rest refused. */
export class Bulkhead extends Policy {
  constructor(options: { maxConcurrent: number; queueLimit?: number } & Named);
  readonly stats: LimiterStats;
  readonly available: number;
  setOptions(options: Changed<LimiterOptions, 'failures' | 'limits'>): void;
  tryAcquire(permits?: number): Permit | undefined;
  release(permit: Permit): void;
  pause(): void;
  resume(): void;
}

export type TimeoutOptions = Named & { message?: string } & (
    | { timeoutMs: number }
    /** Asked for each run; Infinity: none. */
    | { timeoutFor: (run: { key: Key | undefined; input: any }) => number }
  );
export class Timeout extends Policy {
  constructor(options: number | TimeoutOptions);
  setOptions(options: Changed<TimeoutOptions>): void;
  readonly stats: { started: number; timedOut: number };
}

export interface HedgeOptions extends Judging, Named {
  /** Another copy when nothing has succeeded so long after the last start. */
  delayMs?: number;
  /** Instead: this quantile of the measured latency, above 0 and below 1. */
  quantile?: number | null;
  /** Copies beside the first; default 1. */
  maxHedges?: number;
  budget?: Budget;
}
export class Hedge extends Policy {
  constructor(options: HedgeOptions);
  setOptions(options: Changed<HedgeOptions>): void;
  readonly stats: {
    started: number;
    hedged: number;
    wonByHedge: number;
    refusedByBudget: number;
    delayMs: number;
    samples: number;
  };
}

export type FallbackOptions = Judging &
  Named &
  ({ value: unknown } | { run: Task<unknown> | Operation<unknown> });
export class Fallback extends Policy {
  constructor(options: FallbackOptions);
  setOptions(options: Changed<FallbackOptions>): void;
  readonly stats: { started: number; fellBack: number; failed: number };
}

export interface ChaosOptions extends Named {
  enabled?: boolean;
  seed?: number | bigint;
  failureRate?: number;
  outcomeRate?: number;
  hangRate?: number;
  latencyRate?: number;
  latencyMinMs?: number;
  latencyMaxMs?: number;
  /** What failures fail with. */
  failure?: unknown;
  /** What outcomes succeed with. */
  value?: unknown;
  phases?: readonly {
    fromMs: number;
    untilMs?: number;
    what: 'latency' | 'failure' | 'outcome' | 'hang';
    rate: number;
  }[];
}
export class Chaos extends Policy {
  constructor(options?: ChaosOptions);
  setOptions(options: Changed<ChaosOptions, 'enabled'>): void;
  enable(): void;
  disable(): void;
  readonly stats: {
    enabled: boolean;
    drawn: number;
    delayed: number;
    failed: number;
    outcomes: number;
    hung: number;
  };
}

export interface BudgetOptions extends Named {
  /** Retries per first attempt; default 0.2. */
  ratio?: number;
  /** Retries that are always allowed; default 1. */
  minPerSecond?: number;
  /** Default 10,000. */
  windowMs?: number;
}
export class Budget extends Handle {
  constructor(options?: BudgetOptions);
  setOptions(options: Changed<BudgetOptions>): void;
  readonly stats: { deposits: number; withdrawn: number; refused: number; available: number };
  deposit(): void;
  /** Whether there was one. */
  withdraw(): boolean;
  refund(): void;
  label(key: string, value: string): this;
}

export class Pipeline extends Policy {
  constructor(policies: readonly Policy[], options?: { name?: string });
  readonly policies: readonly Policy[];
}
/** Several policies as one, the first outermost. */
export function pipeline(...policies: Policy[]): Pipeline;

/** The policy registered under this name, in whatever language. */
export function find(name: string, options?: { runtime?: Runtime }): Policy | undefined;

/** What the last refusal by a decide function of this thread said. */
export function lastRejection(): Rejection | undefined;

// ---- at once ----

/** Tries again what failed. */
export function retry<T>(
  task: Task<T> | Operation<T>,
  options?: RetryOptions & RunOptions,
): Promise<T>;
/** Settles what takes too long. */
export function timeout<T>(
  task: Task<T> | Operation<T>,
  timeoutMs: number,
  options?: Named & { message?: string } & RunOptions,
): Promise<T>;
/** Starts another copy of what is slow. */
export function hedge<T>(
  task: Task<T> | Operation<T>,
  options: HedgeOptions & RunOptions,
): Promise<T>;
/** Answers in the place of what failed. */
export function fallback<T, F>(
  task: Task<T> | Operation<T>,
  options: Judging & Named & RunOptions & ({ value: F } | { run: Task<F> | Operation<F> }),
): Promise<T | F>;

export interface ManyOptions extends RunOptions {
  runtime?: Runtime;
}
export interface RaceOptions extends ManyOptions {
  /** The first settlement of any kind decides. */
  firstSettled?: boolean;
  /** For each racer: whether it decides however it ends. */
  decisive?: readonly boolean[];
}
type Result<X> = X extends Task<infer T> ? T : X extends Operation<infer T> ? T : never;
type Results<L extends readonly unknown[]> = { -readonly [K in keyof L]: Result<L[K]> };
type Settled<L extends readonly unknown[]> = {
  -readonly [K in keyof L]: PromiseSettledResult<Result<L[K]>>;
};
type Racer = Task<any> | Operation<any>;

/** The first success wins, the others are told to stop; if all failed: an AggregateError. */
export function race<L extends readonly Racer[]>(
  tasks: readonly [...L],
  options?: RaceOptions,
): Promise<Result<L[number]>>;
export function any<L extends readonly Racer[]>(
  tasks: readonly [...L],
  options?: ManyOptions,
): Promise<Result<L[number]>>;
/** All must succeed; the first failure stops the others. */
export function all<L extends readonly Racer[]>(
  tasks: readonly [...L],
  options?: ManyOptions,
): Promise<Results<L>>;
/** Each may fail. */
export function allSettled<L extends readonly Racer[]>(
  tasks: readonly [...L],
  options?: ManyOptions,
): Promise<Settled<L>>;

export interface ParallelOptions extends ManyOptions {
  /** At most so many at once. */
  concurrency: number;
  /** Default true; false: all run, and the results are as of Promise.allSettled. */
  stopOnError?: boolean;
  /** For each; then it fails with a TimeoutError. */
  itemTimeoutMs?: number;
  /** Around each. */
  policy?: Policy;
  /** `total` is undefined while nobody knows. */
  onProgress?: (done: number, total: number | undefined) => void;
  /** Each result as it comes. */
  onItem?: (index: number, ok: boolean, result: unknown) => void;
}
type Each<T> = Iterable<T> | AsyncIterable<T>;
export function parallel<T>(
  tasks: Each<Task<T>>,
  options: ParallelOptions & { stopOnError: false },
): Promise<PromiseSettledResult<T>[]>;
/** Functions, at most `concurrency` at once; their values in order. */
export function parallel<T>(tasks: Each<Task<T>>, options: ParallelOptions): Promise<T[]>;
export function map<I, T>(
  items: Each<I>,
  mapper: (item: I, index: number, attempt: Attempt) => T | PromiseLike<T>,
  options: ParallelOptions & { stopOnError: false },
): Promise<PromiseSettledResult<T>[]>;
/** `mapper` for each item, at most `concurrency` at once. */
export function map<I, T>(
  items: Each<I>,
  mapper: (item: I, index: number, attempt: Attempt) => T | PromiseLike<T>,
  options: ParallelOptions,
): Promise<T[]>;

/** Steps one after the other, each fed by the last; `input` feeds the first. */
export function waterfall<T = any>(
  steps: readonly (((value: any, attempt: Attempt) => unknown) | Operation<any>)[],
  options?: ManyOptions & { name?: string },
): Promise<T>;
export function sleep<T = void>(ms: number, options?: ManyOptions & { value?: T }): Promise<T>;

export interface PollOptions<T> {
  /** From the end of one try to the begin of the next. */
  intervalMs: number;
  maxAttempts?: number;
  maxElapsedMs?: number;
  /** Whether this value is the one; default: any. */
  until?: (value: T) => Answer<boolean>;
  name?: string;
}
/** Runs `task` again and again until its value is what is waited for. */
export function poll<T>(
  task: Task<T> | Operation<T>,
  options: PollOptions<T> & ManyOptions,
): Promise<T>;

/** A parallel whose tasks are added while it runs. */
export class Pool<T = any> {
  constructor(options: Omit<ParallelOptions, 'onItem' | 'input' | 'key' | 'permits' | 'priority'>);
  /** Resolves with the task's value. Who does not look at its failure finds it in drained(). */
  add<R extends T>(task: Task<R> | Operation<R>, input?: unknown): Promise<R>;
  /** No more are added; resolves with all results in order when the last has ended. */
  drained(): Promise<any[]>;
  readonly stats: {
    sealed: boolean;
    added: number;
    waiting: number;
    running: number;
    succeeded: number;
    failed: number;
  };
}

// ---- pacing ----

export interface PacerOptions<A extends unknown[]> {
  leading?: boolean;
  trailing?: boolean;
  /**
   * What a call gets that a later one replaced: 'cancel', a SupersededError; 'share', the run's
   * end.
   */
  superseded?: 'cancel' | 'share';
  /**
   * A run is due while the last one goes on: it waits for its end ('queue', the default), runs
   * beside it, or that one is told to stop, which aborts its `attempt.signal` (see withAttempt).
   */
  overlap?: 'queue' | 'concurrent' | 'cancel';
  /** Around each run. */
  policy?: Policy;
  /** Calls of different keys are paced apart. */
  key?: (...args: A) => Key;
  name?: string;
  runtime?: Runtime;
}
/**
 * The function gets the Attempt before the call's arguments. Its `signal` is aborted when the run
 * should stop: with overlap 'cancel' when the next one is due, by cancel(), by a timeout or another
 * policy around it, and when the runtime closes. Without it a function gets the call's arguments
 * alone, and goes on to its end whatever becomes of the run.
 */
export interface WithAttempt {
  withAttempt: true;
}
export interface PacingStats {
  calls: number;
  runs: number;
  superseded: number;
  pending: number;
  running: number;
  keys: number;
}
export interface DebounceTimes {
  waitMs?: number;
  maxWaitMs?: number;
}
export interface ThrottleTimes {
  intervalMs?: number;
}
export interface Paced<A extends unknown[], T, Times = DebounceTimes | ThrottleTimes> {
  (...args: A): Promise<T>;
  /**
   * Forgets what is pending and tells the run that goes on to stop; with the option `key`, those of
   * these arguments' key.
   */
  cancel(...args: A | []): void;
  /** Runs now what is pending. */
  flush(...args: A | []): void;
  /** Other times, live: what is named changes, the rest stays; what is pending keeps its time. */
  setOptions(times: Times): void;
  /** Gives it back: what is pending still runs, what runs goes on; cancel() before stops them. */
  close(): void;
  readonly pending: number;
  readonly stats: PacingStats;
}
/**
 * Runs `fn` once a stream of calls has been quiet for waitMs, with the latest arguments.
 *
 * Search as you type; what is no longer wanted is aborted, also on the wire:
 *
 *     const search = debounce(
 *       async ({ signal }, text) => (await fetch(`/search?q=${text}`, { signal })).json(),
 *       300,
 *       { withAttempt: true, overlap: 'cancel' },
 *     );
 *     input.oninput = () => search(input.value).then(show, (error) => {
 *       if (!(error instanceof SupersededError)) throw error;
 *     });
 */
export function debounce<A extends unknown[], T>(
  fn: (attempt: Attempt, ...args: A) => T | PromiseLike<T>,
  waitMs: number,
  options: PacerOptions<A> & WithAttempt & { maxWaitMs?: number },
): Paced<A, T, DebounceTimes>;
export function debounce<A extends unknown[], T>(
  fn: (...args: A) => T | PromiseLike<T>,
  waitMs: number,
  options?: PacerOptions<A> & { maxWaitMs?: number; withAttempt?: false },
): Paced<A, T, DebounceTimes>;
/** Runs `fn` at most once in intervalMs; withAttempt as of debounce(). */
export function throttle<A extends unknown[], T>(
  fn: (attempt: Attempt, ...args: A) => T | PromiseLike<T>,
  intervalMs: number,
  options: PacerOptions<A> & WithAttempt,
): Paced<A, T, ThrottleTimes>;
export function throttle<A extends unknown[], T>(
  fn: (...args: A) => T | PromiseLike<T>,
  intervalMs: number,
  options?: PacerOptions<A> & { withAttempt?: false },
): Paced<A, T, ThrottleTimes>;

// ---- caching ----

export interface CacheOptions<V> {
  /** How to load what is absent. */
  load?: (key: any, attempt: Attempt) => V | PromiseLike<V>;
  /** How to load many: a list of the same length, of values, `undefined` (not found) or Errors. */
  loadMany?: (keys: string[], attempt: Attempt) => PromiseLike<(V | Error | undefined)[]>;
  /** Entries at most: 0 or more, or Infinity; default 1000. */
  maxEntries?: number;
  /** Weight at most, which needs `weigh`; what is heavier is not stored. Default Infinity. */
  maxWeight?: number;
  /** A whole number, 0 to 2^32 - 1. */
  weigh?: (key: any, value: V) => number;
  /** From when it was written; default 300,000. */
  ttlMs?: number;
  /** An entry's own lifetime, asked when it is written; undefined: ttlMs; below 0: gone at once. */
  ttlFor?: (key: any, value: V) => number | undefined;
  /** From its last use; default null: for ever. */
  idleMs?: number | null;
  /** Of one load; default Infinity. A load has no deadline of a caller. */
  loadTimeoutMs?: number;
  /**
   * What was written longer ago is given out and loaded again in the background; default null.
   */
  refreshMs?: number | null;
  /** How long after its expiry a value still serves where loading fails; default null. */
  staleIfErrorMs?: number | null;
  /** How long a failed load is remembered, and its error given out; default null. */
  negativeTtlMs?: number | null;
  /** What goes when it is full; default 'adaptive' (it chooses by what it sees). */
  eviction?: 'adaptive' | 's3-fifo' | 'lru';
  /** Parts with locks of their own, for several threads; default 0: by the processors. */
  shards?: number;
  /** Told of each entry that goes. */
  onEvict?: (entry: {
    key: string;
    value: V;
    cause: 'expired' | 'size' | 'replaced' | 'explicit' | 'cleared';
    weight: number;
  }) => void;
  name?: string;
  runtime?: Runtime;
}
export interface CacheStats {
  hits: number;
  misses: number;
  staleHits: number;
  puts: number;
  loads: number;
  loadFailures: number;
  loadTimeMs: number;
  refused: number;
  expired: number;
  evicted: number;
  replaced: number;
  invalidated: number;
  cleared: number;
  entries: number;
  weight: number;
  loading: number;
}
export interface CacheEntry<V> {
  key: string;
  value: V;
  remainingMs: number;
  weight: number;
}
export class Cache<V = any> extends Handle implements Iterable<CacheEntry<V>> {
  constructor(options?: CacheOptions<V>);
  readonly name: string;
  readonly stats: CacheStats;
  /**
   * The value of a key; what is absent is loaded, once for all who wait. Keys are compared as text.
   */
  get<K extends Key>(
    key: K,
    load?: (key: K, attempt: Attempt) => V | PromiseLike<V>,
    options?: RunOptions & { policy?: Policy },
  ): Promise<V>;
  /** Many at once, by the option loadMany; keys that failed have their error in the list. */
  getMany(keys: readonly Key[], options?: RunOptions): Promise<(V | undefined | Error)[]>;
  lookup(key: Key): V | undefined;
  has(key: Key): boolean;
  /** False: it is heavier than the bound. */
  put(key: Key, value: V, options?: { ttlMs?: number }): boolean;
  /** What was there; undefined: it was written. */
  putIfAbsent(key: Key, value: V): V | undefined;
  touch(key: Key, ttlMs: number): boolean;
  invalidate(key: Key): boolean;
  delete(key: Key): boolean;
  clear(): void;
  entries(): IterableIterator<CacheEntry<V>>;
  [Symbol.iterator](): IterableIterator<CacheEntry<V>>;
  /** The get as an operation: the run's key is the key. */
  operation(loader: Task<V> | Operation<V>): Operation<V>;
  operationMany(
    loader: Task<(V | undefined)[]> | Operation<(V | undefined)[]>,
  ): Operation<(V | undefined)[]>;
  label(key: string, value: string): this;
}
export function cache<V = any>(options?: CacheOptions<V>): Cache<V>;

export interface Memoized<A extends unknown[], T> {
  (...args: A): Promise<T>;
  readonly cache: Cache<T>;
  clear(): void;
  invalidate(...args: A): boolean;
  close(): void;
}
/**
 * The same function, which computes once for equal arguments: as JSON, unless `key` says otherwise.
 * `undefined`, NaN and Infinity are told from null, and what JSON has nothing of, such as a Map or
 * a function, is an InvalidError.
 */
export function memoize<A extends unknown[], T>(
  fn: (...args: A) => T | PromiseLike<T>,
  options?: {
    key?: (...args: A) => Key;
    /** Default Infinity. */
    ttlMs?: number;
    maxEntries?: number;
    loadTimeoutMs?: number;
    eviction?: 'adaptive' | 's3-fifo' | 'lru';
    name?: string;
    runtime?: Runtime;
  },
): Memoized<A, T>;

/** Single flight: of runs with one key that overlap, one does the work and all get its outcome. */
export class Flight extends Handle {
  constructor(options?: { timeoutMs?: number } & Named);
  run<T>(key: Key, task: Task<T>, options?: RunOptions & { policy?: Policy }): Promise<T>;
  bind<A extends unknown[], T>(
    fn: (...args: A) => T | PromiseLike<T>,
    key?: (...args: A) => Key,
  ): (...args: A) => Promise<T>;
  operation<T>(inner: Task<T> | Operation<T>): Operation<T>;
  /** The next run with this key begins anew. */
  forget(key: Key): void;
  readonly stats: { calls: number; runs: number; shared: number; running: number; waiting: number };
}

// ---- scopes ----

export interface ScopeOptions {
  /** What the end does with calls in flight: waits (default), cancels, or waits graceMs first. */
  exit?: 'join' | 'cancel' | 'grace';
  /** Of all that runs in it. */
  deadlineMs?: number;
  /** Default 5000. */
  graceMs?: number;
  name?: string;
}
export class Scope extends Handle {
  constructor(options?: ScopeOptions & { parent?: Scope; runtime?: Runtime });
  run<T>(task: Task<T> | Operation<T>, options?: RunOptions & { policy?: Policy }): Promise<T>;
  /** What was set here or in a scope around it. */
  get(key: string): any;
  set(key: string, value: unknown): this;
  /** Opens a resource, closed when the scope ends, the last opened first. */
  open<R>(
    open: Task<R>,
    close: (resource: R, attempt: Attempt) => unknown,
    options?: RunOptions,
  ): Promise<R>;
  cancel(): void;
  /** Ends it; resolves when all is over and closed. */
  join(options?: RunOptions): Promise<void>;
  joining(): Operation<void>;
  log(level: LogLevel, message: string): void;
  readonly stats: {
    state: 'open' | 'ending' | 'closing' | 'ended';
    cancelled: boolean;
    resources: number;
    calls: number;
    leaked: number;
  };
  [Symbol.asyncDispose](): Promise<void>;
}
/** `body` in a fresh scope, which ends with it. */
export function scope<T>(
  body: (scope: Scope, attempt: Attempt) => T | PromiseLike<T>,
  options?: ScopeOptions & {
    scope?: Scope;
    signal?: AbortSignal;
    input?: unknown;
    runtime?: Runtime;
  },
): Promise<T>;

// ---- recipes ----

/** A recipe, run any number of times and built into others. */
export class Operation<T> extends Handle {
  private constructor();
  run(options?: RunOptions & { policy?: Policy; keys?: readonly Key[] }): Promise<T>;
  settle(options?: RunOptions & { policy?: Policy; keys?: readonly Key[] }): Promise<Outcome<T>>;
  label(key: string, value: string): void;
}
/** An operation of a function. */
export function operation<T>(
  task: Task<T>,
  options?: Judging & {
    shouldRetry?: (error: any, attempt: number) => Answer<boolean>;
    runtime?: Runtime;
  },
): Operation<T>;

export interface PoolOperation extends Operation<any[]> {
  add(task: Task<any> | Operation<any>, input?: unknown): void;
  seal(): void;
  readonly stats: Pool['stats'];
}
export interface PacerOperation<T> extends Handle {
  /** Its runs are the calls: the input is the argument. */
  readonly operation: Operation<T>;
  cancel(key?: Key): void;
  flush(key?: Key): void;
  /** Other times, live: what is named changes, the rest stays; what is pending keeps its time. */
  setOptions(times: DebounceTimes | ThrottleTimes): void;
  readonly pending: number;
  readonly stats: PacingStats;
}
type Recipe = { name?: string; runtime?: Runtime };
export const operations: {
  of: typeof operation;
  race<T>(
    list: readonly Racer[],
    options?: Recipe & Pick<RaceOptions, 'firstSettled' | 'decisive'>,
  ): Operation<T>;
  any<T>(list: readonly Racer[], options?: Recipe): Operation<T>;
  all<T>(list: readonly Racer[], options?: Recipe): Operation<T[]>;
  /** Items that failed are their errors. */
  allSettled<T>(list: readonly Racer[], options?: Recipe): Operation<T[]>;
  parallel<T>(
    list: readonly Racer[],
    options: Recipe &
      Pick<ParallelOptions, 'concurrency' | 'stopOnError' | 'itemTimeoutMs' | 'policy'>,
  ): Operation<T[]>;
  each<T>(
    inner: Racer,
    items: readonly unknown[],
    options: Recipe &
      Pick<ParallelOptions, 'concurrency' | 'stopOnError' | 'itemTimeoutMs' | 'policy'>,
  ): Operation<T[]>;
  pool(
    options: Recipe &
      Pick<ParallelOptions, 'concurrency' | 'stopOnError' | 'itemTimeoutMs' | 'policy'>,
  ): PoolOperation;
  waterfall<T>(
    steps: readonly (((value: any, attempt: Attempt) => unknown) | Operation<any>)[],
    options?: Recipe,
  ): Operation<T>;
  poll<T>(task: Task<T> | Operation<T>, options: PollOptions<T> & Recipe): Operation<T>;
  sleep<T = void>(
    ms: number,
    options?: Recipe & { value?: T; error?: unknown; status?: Code },
  ): Operation<T>;
  pacer<T>(
    kind: 'debounce' | 'throttle',
    inner: Task<T> | Operation<T>,
    options?: Omit<PacerOptions<[]>, 'key'> & {
      waitMs?: number;
      maxWaitMs?: number;
      intervalMs?: number;
    },
  ): PacerOperation<T>;
  memoize<T>(
    inner: Operation<T>,
    options?: { key?: (input: any) => Key; ttlMs?: number; maxEntries?: number; name?: string },
  ): {
    run(options?: RunOptions): Promise<T>;
    settle(options?: RunOptions): Promise<Outcome<T>>;
    readonly cache: Cache<T>;
  };
  scope<T>(
    body: Task<T> | Operation<T>,
    options?: ScopeOptions & { runtime?: Runtime },
  ): Operation<T>;
  resource<R>(
    open: Task<R> | Operation<R>,
    close: ((resource: R, attempt: Attempt) => unknown) | Operation<any>,
    options?: { key?: string; runtime?: Runtime },
  ): Operation<R>;
};

// ---- runtimes ----

export type LogLevel = 'off' | 'error' | 'warning' | 'info' | 'debug';
export interface RuntimeEvent {
  kind:
    | 'stateChange'
    | 'retry'
    | 'refusal'
    | 'eviction'
    | 'hedge'
    | 'fallback'
    | 'waiting'
    | 'granted'
    | 'timeout'
    | 'gaveUp'
    | 'load'
    | 'paced'
    | 'hedgeWon'
    | 'chaos'
    | string;
  /** The policy's. */
  name: string;
  status: Code | undefined;
  from: number;
  to: number;
  reason: number;
  count: number;
  delayMs: number;
  atMs: number;
  calls: number;
  failures: number;
  slowCalls: number;
  rejection?: Rejection;
}
export interface RecordedEntry {
  number: number;
  atMs: number;
  kind: RuntimeEvent['kind'] | 'log';
  status: Code | undefined;
  reason: number;
  from: number;
  to: number;
  count: number;
  delayMs: number;
  name: string;
  text: string;
}
export interface RuntimeOptions {
  name?: string;
  /** 0: from the system. */
  seed?: number | bigint;
  maxInFlight?: number;
  /** How long close() waits for what goes on although told to stop; default 5000. */
  closeGraceMs?: number;
  logLevel?: LogLevel;
  onLog?: (level: LogLevel, subject: string, message: string) => void;
  onEvent?: (event: RuntimeEvent) => void;
  /** Decisions that the flight recorder keeps; default 0. */
  recorderEntries?: number;
  /** Told of its new entries, oldest first, as they come; needs recorderEntries. */
  onRecorded?: (entries: RecordedEntry[]) => void;
  /** Histograms, too; default false. */
  metrics?: boolean;
}
/** An engine with its own thread. What has something in flight keeps the process alive. */
export class Runtime {
  constructor(options?: RuntimeOptions);
  readonly stats: {
    runsAccepted: number;
    runsSettled: number;
    attemptsStarted: number;
    liveCalls: number;
    orphans: number;
    timers: number;
    turns: number;
  };
  /** Its clock: monotonic, or the virtual one's. */
  now(): number;
  /** As text for Prometheus and its like. */
  metrics(options?: { openMetrics?: boolean }): string;
  recorderDump(): string;
  /** The flight recorder's entries since the last call with this cursor ([0n] at first). */
  recorded(cursor?: BigUint64Array): RecordedEntry[];
  label(key: string, value: string): void;
  log(level: LogLevel, message: string, subject?: string): void;
  /** Runtimes of a TestClock: what is in flight, and what it waits for. */
  audit(): {
    kind: 'call' | 'orphan';
    attempts: number;
    ageMs: number;
    name: string;
    waitsFor: string;
  }[];
  trim(): void;
  /**
   * The runtime that another thread, addon or language of this process made, by its handle or
   * address: `find()` finds their policies in it, and limits count for all together. It stays
   * theirs: close() of what this gives cancels only what was begun here.
   */
  static from(handle: Runtime | object | bigint): Runtime;
  /**
   * For addons that are linked with the same libweir: a Node-API external of the `weir_runtime *`,
   * tagged { 0x776569722d72756e, 0x74696d6500000000 | major version }. It keeps the runtime's memory;
   * who goes on using the pointer takes a reference (weir_runtime_ref).
   */
  readonly handle: object;
  /**
   * Where the runtime is, as a number: for worker threads (postMessage it) and other languages.
   * It keeps nothing: keep this object until the other side has made its own of it.
   */
  readonly address: bigint;
  /** False from the begin of closing, whoever closes it. */
  readonly isOpen: boolean;
  /** Refuses what is new, settles what is in flight as closed; resolves when all has ended. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
/** The runtime of all that names none. */
export function defaultRuntime(): Runtime;

/** Virtual time for tests: pass `clock.runtime` as the option `runtime`. */
export class TestClock {
  constructor(options?: RuntimeOptions);
  readonly runtime: Runtime;
  /** Milliseconds since it was made. */
  readonly now: number;
  readonly untilNext: number;
  /** Lets everything happen that needs no time. */
  settle(): Promise<void>;
  /** Goes on, stopping at each timer on the way. */
  advance(ms: number): Promise<void>;
  /** False: there is no timer. */
  advanceToNext(): Promise<boolean>;
  close(): Promise<void>;
}

export const version: string;
