// SPDX-License-Identifier: MIT
'use strict';
// Flow: several functions at once or one after another. Each of these runs at once and gives a
// promise; the same as an operation, to be built into others, is in `operations`.
const { AsyncResource } = require('node:async_hooks');
const native = require('./native.js');
const { InvalidError } = require('./errors.js');
const { Operation, operation, operations, runtimeOf, judgesOf, NONE } = require('./operation.js');
const { checkOptions, RUN } = require('./options.js');
const { rejecting, methodsReject } = require('./rejecting.js');
const { WANTS_INDEX } = require('./runtime.js');
const { within } = require('./policy.js');
const { isThenable } = require('./outcome.js');
const { Handle, listen, made } = require('./handle.js');

const RACE = 0,
  ANY = 1,
  ALL = 2,
  ALL_SETTLED = 3,
  WATERFALL = 4,
  PARALLEL = 5;
const NAMES = ['race', 'any', 'all', 'allSettled', 'waterfall', 'parallel'];
const RUN_NAMES = new Set(RUN.filter((name) => name !== 'name')); // which is the operation's, too

/** Splits options into those of the run and the others; the runtime is of neither. */
function split(options) {
  const run = {};
  const rest = {};
  for (const name of Object.keys(options))
    if (name !== 'runtime') (RUN_NAMES.has(name) ? run : rest)[name] = options[name];
  return { run, rest };
}

const STATUSES = new Map([['WEIR_OK', 0]]);
for (let status = -1; status >= -22; status--) STATUSES.set(native.statusName(status), status);

function statusNumber(name) {
  const status = STATUSES.get(name);
  if (status === undefined) throw new InvalidError(`no such status: ${name}`);
  return status;
}

function decisiveOf(decisive) {
  return decisive === undefined ? undefined : Uint8Array.from(decisive, Number);
}

// An operation over `list`, to be built into others.
function many(what, list, { decisive, policy, ...options } = NONE) {
  const runtime = runtimeOf([...list, policy], options);
  delete options.runtime;
  const inner = operations(list, runtime);
  if (policy !== undefined) options.policy = policy._open();
  const handle = native.manyNew(
    runtime._open(),
    what,
    inner.map((one) => one._open()),
    options,
    decisiveOf(decisive),
  );
  return new Operation(runtime, handle, [inner, policy]);
}

// Runs `list` now. Where all are functions, one native operation serves all of them, and the
// attempt's index says which is meant.
function runMany(what, list, options, settles = false) {
  checkOptions(what === RACE ? 'race' : 'all', options, NAMES[what]);
  if (!Array.isArray(list)) throw new InvalidError('a list of functions or operations is needed');
  const { run, rest } = split(options);
  if (list.some((one) => typeof one !== 'function'))
    return many(what, list, options)._run(run, settles);
  const runtime = runtimeOf([], options);
  const { decisive, ...native_ } = rest;
  const handle = native.manyNew(
    runtime._open(),
    what,
    new Array(list.length).fill(0),
    native_,
    decisiveOf(decisive),
  );
  return runtime._launch(
    handle,
    0,
    (attempt) => list[attempt.index](attempt),
    undefined,
    WANTS_INDEX,
    run,
    undefined,
    (one) => {
      one.owns = [handle];
      one.settles = settles;
    },
  );
}

/** The first success wins, the others are told to stop; all failed: an AggregateError. */
function race(list, options = NONE) {
  return runMany(RACE, list, options);
}

function any(list, options = NONE) {
  return runMany(ANY, list, options);
}

/** All must succeed; the first failure stops the others. */
function all(list, options = NONE) {
  return runMany(ALL, list, options);
}

/** All of them, like Promise.allSettled. */
function allSettled(list, options = NONE) {
  return runMany(ALL_SETTLED, list, options, true);
}

/** One after the other, each fed by the last: steps get (value, attempt). */
function waterfall(steps, options = NONE) {
  checkOptions('all', options, 'waterfall');
  const { run, rest } = split(options);
  return operationsOf.waterfall(steps, { ...rest, runtime: options.runtime }).run(run);
}

function stepOf(step, runtime) {
  return step instanceof Operation
    ? step
    : operation((attempt) => step(attempt.input, attempt), { runtime });
}

/** Waits; resolves with `value`. A signal or scope in the options can stop it. */
function sleep(ms, options = NONE) {
  checkOptions('sleep', options);
  const { run, rest } = split(options);
  return operationsOf.sleep(ms, { ...rest, runtime: options.runtime }).run(run);
}

/** Runs `fn` again and again until its value is what is waited for. */
function poll(fn, options = NONE) {
  checkOptions('poll', options);
  const { run, rest } = split(options);
  const { until, ...native_ } = rest;
  if (typeof fn !== 'function' && !(fn instanceof Operation))
    throw new InvalidError('poll needs a function or an operation');
  if (fn instanceof Operation)
    return operationsOf.poll(fn, { ...rest, runtime: options.runtime }).run(run);
  const runtime = runtimeOf([], options);
  const handle = native.pollNew(runtime._open(), 0, native_);
  return runtime._launch(handle, 0, fn, pollJudges(until), 0, run, undefined, (one) => {
    one.owns = [handle];
  });
}

function pollJudges(until) {
  if (until === undefined) return undefined;
  const failureWhen = (value) => {
    const answer = until(value);
    return isThenable(answer) ? answer.then((done) => !done) : !answer;
  };
  return judgesOf({ failureWhen });
}

// ---- parallel ----

// Collects what items end with. With stopOnError false each is as of Promise.allSettled.
function collector(run, total, keepGoing, onProgress, onItem) {
  const results = [];
  let done = 0;
  run.onItem = (index, ok, result) => {
    if (keepGoing)
      results[index] = ok
        ? { status: 'fulfilled', value: result }
        : { status: 'rejected', reason: result };
    else results[index] = result;
    done++;
    onItem?.(index, ok, result);
    onProgress?.(done, total());
  };
  return results;
}

async function* pulled(items) {
  yield* items;
}

// An operation that answers the question for the next item; `seen` counts them.
function sourceOf(items, runtime, seen) {
  const iterator = pulled(items);
  const ask = async () => {
    const { done, value } = await iterator.next();
    if (done) return undefined; // no value is the end
    seen.items[seen.count] = value;
    return seen.count++;
  };
  return { iterator, operation: operation(ask, { runtime, asks: true }) };
}

async function each(items, itemWork, options) {
  const { run, rest } = split(options);
  const { onProgress, onItem, policy: given, ...native_ } = rest;
  // A policy of several parts runs around each item by itself.
  const isCut = given?._parts() !== undefined;
  const policy = isCut ? undefined : given;
  const work = isCut
    ? (item, index, outer) => within(given, (attempt) => itemWork(item, index, attempt))(outer)
    : itemWork;
  const runtime = runtimeOf([policy], options);
  const listed = Array.isArray(items);
  const seen = { items: listed ? items : [], count: 0 };
  const source = listed ? undefined : sourceOf(items, runtime, seen);
  if (policy !== undefined) native_.policy = policy._open();
  const handle = native.parallelEach(
    runtime._open(),
    0,
    listed ? items.length : -1,
    source === undefined ? 0 : source.operation._open(),
    native_,
    true,
  );
  let results;
  const total = () => (listed ? items.length : undefined);
  const start = (attempt) => work(seen.items[attempt.index], attempt.index, attempt);
  try {
    await runtime._launch(
      handle,
      0,
      start,
      policy?._judges,
      WANTS_INDEX,
      run,
      [policy, source],
      (one) => {
        one.owns = [handle];
        results = collector(one, total, rest.stopOnError === false, onProgress, onItem);
      },
    );
  } finally {
    await source?.iterator.return();
  }
  return results;
}

/**
 * Functions, at most `concurrency` at once; their values in order. With stopOnError false as of
 * Promise.allSettled. `tasks` may be any iterable, also an async one: then they are taken as there
 * is room.
 */
function parallel(tasks, options = NONE) {
  checkOptions('parallel', options);
  if (Array.isArray(tasks) && tasks.some((task) => task instanceof Operation)) {
    const { run, rest } = split(options);
    const { onProgress, onItem, ...native_ } = rest;
    return many(PARALLEL, tasks, native_).run(run);
  }
  return each(tasks, (task, index, attempt) => task(attempt), options);
}

/** `mapper(item, index, attempt)` for each item, at most `concurrency` at once. */
function map(items, mapper, options = NONE) {
  checkOptions('parallel', options, 'map');
  if (typeof mapper !== 'function') throw new InvalidError('map needs a function');
  return each(items, mapper, options);
}

// A pool as weir has it: an operation to be run once, and the door through which items come.
class PoolOperation extends Operation {
  constructor({ policy: given, runtime: _, ...options }, listener) {
    const runtime = runtimeOf([given], { runtime: _ });
    const isCut = given?._parts() !== undefined;
    const policy = isCut ? undefined : given;
    if (policy !== undefined) options.policy = policy._open();
    const [pool, handle] = native.poolNew(runtime._open(), options, listener);
    super(runtime, handle, policy);
    this._pool = new Handle(runtime, pool);
    this._judges = policy?._judges;
    this._around = isCut ? given : undefined;
  }

  /** Adds an item: an operation, or a function. Throws a ClosedError when it takes no more. */
  add(fn, input) {
    const runtime = this._runtime;
    if (typeof fn !== 'function' && !(fn instanceof Operation))
      throw new InvalidError('a function or an operation is needed');
    const isOperation = fn instanceof Operation && this._around === undefined;
    const start = this._around === undefined ? fn : within(this._around, fn);
    const context = new AsyncResource('weir', { requireManualDestroy: true });
    const given = isOperation ? input : { start, judges: this._judges, input, context };
    runtime._flush();
    native.poolAdd(
      runtime._open(),
      this._pool._open(),
      isOperation ? fn._open() : 0,
      given === undefined ? -1 : runtime._values.put(given),
    );
  }

  /** No more are added. */
  seal() {
    this._runtime._flush();
    native.poolSeal(this._pool._open());
  }

  get stats() {
    return native.poolStats(this._pool._open());
  }
}

/** A parallel whose tasks are added while it runs. */
class Pool {
  constructor(options = {}) {
    checkOptions('pool', options);
    const { onProgress, signal, deadlineMs, scope, ...rest } = options;
    const runtime = runtimeOf([rest.policy], rest);
    this._tasks = [];
    this._results = [];
    this._done = 0;
    this._sealed = false;
    this._onProgress = onProgress;
    this._keepsGoing = rest.stopOnError === false;
    const told = {};
    const listener = listen(runtime, (...item) => this._item(...item), told);
    this._told = told.fn;
    this._operation = made(runtime, told, () => new PoolOperation({ ...rest, runtime }, listener));
    this._drained = this._operation.run({ signal, deadlineMs, scope }).then(() => this._results);
    const over = (error) => {
      for (const task of this._tasks) task?.reject(error);
      runtime._listeners.remove(listener);
    };
    this._drained.then(over, over);
  }

  _item(index, ok, result) {
    const task = this._tasks[index];
    this._tasks[index] = undefined;
    if (this._keepsGoing) {
      this._results[index] = ok
        ? { status: 'fulfilled', value: result }
        : { status: 'rejected', reason: result };
    } else {
      this._results[index] = result;
    }
    if (ok) task.resolve(result);
    else task.reject(result);
    this._onProgress?.(++this._done, this._sealed ? this._tasks.length : undefined);
  }

  /** Adds a function (or an operation); resolves with its value. */
  add(fn, input) {
    this._operation.add(fn, input);
    const promise = new Promise((resolve, reject) => this._tasks.push({ resolve, reject }));
    promise.catch(() => {}); // who does not look at a task's end finds it in the results
    return promise;
  }

  /** No more are added. Resolves with all results in order when the last has ended. */
  drained() {
    if (!this._sealed) this._operation.seal();
    this._sealed = true;
    return this._drained;
  }

  get stats() {
    return this._operation.stats;
  }
}

methodsReject(Pool, 'add', 'drained');

function recipe(names, what, list, options = NONE) {
  checkOptions(`operations.${names}`, options, `operations.${NAMES[what]}`);
  if (!Array.isArray(list)) throw new InvalidError('a list of functions or operations is needed');
  return many(what, list, options);
}

/** The same as operations: run any number of times, built into each other. */
const operationsOf = {
  of: operation,
  race: (list, options) => recipe('race', RACE, list, options),
  any: (list, options) => recipe('all', ANY, list, options),
  all: (list, options) => recipe('all', ALL, list, options),
  allSettled: (list, options) => recipe('all', ALL_SETTLED, list, options),
  parallel: (list, options) => recipe('parallel', PARALLEL, list, options),
  waterfall(steps, options = NONE) {
    checkOptions('operations.all', options, 'operations.waterfall');
    const runtime = runtimeOf(steps, options);
    return many(
      WATERFALL,
      steps.map((step) => stepOf(step, runtime)),
      { ...options, runtime },
    );
  },
  /** `inner` once for each of the items (a list; undefined: the run's input, a list). */
  each(inner, items, given = NONE) {
    checkOptions('operations.parallel', given, 'operations.each');
    const { policy, ...options } = given;
    const runtime = runtimeOf([inner, policy], options);
    delete options.runtime;
    if (policy !== undefined) options.policy = policy._open();
    const ids =
      items === undefined
        ? -1
        : items.map((item) => (item === undefined ? -1 : runtime._values.put(item)));
    const one = operation(inner, { runtime });
    const handle = native.parallelEach(runtime._open(), one._open(), ids, 0, options, false);
    return new Operation(runtime, handle, [one, policy]);
  },
  pool(options = NONE) {
    checkOptions('operations.pool', options);
    return new PoolOperation(options, undefined);
  },
  /** Settles after `ms`: with `value`; with `error`; or as `status` ('WEIR_ETIMEDOUT' ...). */
  sleep(ms, options = NONE) {
    checkOptions('operations.sleep', options);
    if (!(ms >= 0)) throw new InvalidError(`sleep: ms must be 0 or more, or Infinity (got ${ms})`);
    const { value, error } = options;
    const status = statusNumber(
      options.status ?? (error === undefined ? 'WEIR_OK' : 'WEIR_EFAILED'),
    );
    const runtime = runtimeOf([], options);
    const put = (thing) => (thing === undefined ? -1 : runtime._values.put(thing));
    return new Operation(
      runtime,
      native.sleepNew(runtime._open(), ms, status, put(value), put(error)),
    );
  },
  poll(fn, options = NONE) {
    checkOptions('operations.poll', options);
    const { until, runtime: _, ...rest } = options;
    const runtime = runtimeOf([fn], options);
    const inner =
      fn instanceof Operation && until === undefined
        ? fn
        : operation(fn._start ?? fn, { runtime, judges: pollJudges(until) });
    return new Operation(runtime, native.pollNew(runtime._open(), inner._open(), rest), [inner]);
  },
};

module.exports = {
  race: rejecting(race),
  any: rejecting(any),
  all: rejecting(all),
  allSettled: rejecting(allSettled),
  waterfall: rejecting(waterfall),
  sleep: rejecting(sleep),
  poll: rejecting(poll),
  parallel: rejecting(parallel),
  map: rejecting(map),
  Pool,
  operationsOf,
  split,
};
