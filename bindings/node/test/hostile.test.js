// SPDX-License-Identifier: MIT
'use strict';
// What someone tries who wants to break it: arguments of all kinds, closing and throwing where nobody
// expects it.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const weir = require('weir');

test('the decide doors refuse what is no permit, number or class', () => {
  const breaker = new weir.Breaker({ slowCallMs: 10 });
  const hostile = {
    valueOf() {
      breaker.tryAcquire();
      return 7;
    },
  };
  for (const permit of [0, -1, NaN, 1.5, Infinity, -0, 2n ** 64n, -1n, 2n ** 63n, undefined, null])
    assert.notEqual(breaker.report(permit, true), 'WEIR_OK', String(permit));
  for (const permit of [hostile, '7', Symbol('7'), {}, [7]])
    assert.notEqual(breaker.report(permit, true), 'WEIR_OK');
  const permit = breaker.tryAcquire();
  for (const elapsedMs of [hostile, '7', -1, NaN, 7n, null, Symbol('7')])
    assert.throws(() => breaker.report(permit, true, elapsedMs), weir.InvalidError);
  for (const outcome of [undefined, null, 'fine', 1, hostile])
    assert.throws(() => breaker.report(permit, outcome), weir.InvalidError);
  assert.equal(breaker.report(BigInt(permit), true, 3), 'WEIR_OK', 'a bigint is one, too');
  assert.equal(breaker.stats.slow, 0);
  assert.equal(breaker.report(breaker.tryAcquire(), 'success', 11.5), 'WEIR_OK');
  assert.equal(breaker.stats.slow, 1);
  const limiter = new weir.Limiter({ maxConcurrent: 2 });
  for (const permits of [0, -1, 1.5, NaN, 2 ** 32, '1', hostile, null])
    assert.throws(() => limiter.tryAcquire(permits), weir.InvalidError);
  assert.equal(limiter.stats.granted, 0);
  const [one, other] = [limiter.tryAcquire(), limiter.tryAcquire()];
  assert.deepEqual([limiter.tryAcquire(), weir.lastRejection().reason], [undefined, 'concurrency']);
  limiter.release(one);
  limiter.release(other);
  breaker.close();
  limiter.close();
  for (const use of [
    () => breaker.tryAcquire(),
    () => breaker.report(permit, true),
    () => limiter.tryAcquire(),
    () => new weir.Budget().close() ?? breaker.tryAcquire(), // a closed handle's number is taken again
  ])
    assert.throws(use, weir.ClosedError);
});

test('rejections with whatever comes back as what they are', async () => {
  const throwing = new Proxy(
    {},
    {
      get() {
        throw new Error('a trap');
      },
      getPrototypeOf() {
        throw new Error('a trap');
      },
    },
  );
  const getter = Object.defineProperty(new Error('x'), 'message', {
    get() {
      throw new Error('a getter');
    },
  });
  const all = [
    undefined,
    null,
    0,
    '',
    false,
    7n,
    Symbol('s'),
    () => {},
    Object.create(null),
    [],
    NaN,
  ];
  const options = { maxAttempts: 2, baseDelayMs: 0 };
  for (const thrown of [...all, throwing, getter, Object.freeze(new Error('frozen'))]) {
    for (const fn of [
      () => Promise.reject(thrown),
      () => {
        throw thrown;
      },
    ]) {
      let caught = 'nothing';
      await weir.retry(fn, options).catch((error) => {
        caught = error;
      });
      assert.ok(Object.is(caught, thrown));
    }
  }
  const aggregate = await weir
    .race([() => Promise.reject(undefined), () => Promise.reject(throwing)])
    .catch((error) => error);
  assert.ok(aggregate instanceof weir.AggregateError);
  assert.ok(aggregate.errors[0] === undefined && aggregate.errors[1] === throwing);
});

test('options that throw, change or are no options', async () => {
  const mine = new Error('of the getter');
  const bomb = (name) =>
    Object.defineProperty({}, name, {
      enumerable: true,
      get() {
        throw mine;
      },
    });
  const isMine = (error) => error === mine;
  assert.throws(() => new weir.Retry(bomb('maxAttempts')), isMine);
  assert.throws(() => new weir.Breaker(bomb('failures')), isMine);
  assert.throws(() => new weir.Cache(bomb('ttlMs')), isMine);
  assert.throws(() => new weir.Runtime(bomb('name')), isMine);
  assert.throws(() => new weir.Runtime(new Proxy({}, { get: () => ({}) })), weir.WeirError);
  await assert.rejects(
    weir.retry(() => 1, bomb('backoff')),
    isMine,
  );
  for (const options of [bomb('signal'), bomb('deadlineMs'), bomb('key')])
    await assert.rejects(async () => weir.run(() => 1, options), isMine);
  for (const signal of [{}, { aborted: false }, 7, 'x', bomb('addEventListener'), bomb('aborted')])
    await assert.rejects(async () => weir.run(() => 1, { signal }));
  for (const key of [{}, null, Symbol('k'), [1]])
    await assert.rejects(async () => weir.run(() => 1, { key }), weir.InvalidError);
  for (const [options, thrown] of [
    [{ deadlineMs: -1 }, weir.InvalidError],
    [{ deadlineMs: NaN }, weir.InvalidError],
    [{ permits: 0 }, weir.InvalidError],
    [{ priority: 64 }, weir.InvalidError],
  ])
    await assert.rejects(async () => weir.run(() => 1, options), thrown);
  assert.equal(await weir.run(() => 'fine'), 'fine');
});

test('arrays that are detached, of another type or too short are refused', () => {
  const breaker = new weir.Breaker();
  const cursors = new weir.Runtime({ recorderEntries: 16 });
  const gone = new BigUint64Array(4);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  for (const wrong of [
    gone,
    new Uint8Array(1),
    new BigUint64Array(0),
    new Float64Array(2),
    {},
    null,
  ]) {
    assert.throws(() => breaker.tryAcquireMany(wrong), weir.WeirError);
    assert.throws(() => breaker.reportMany(wrong, 1, true), weir.WeirError);
    if (wrong !== null) assert.throws(() => cursors.recorded(wrong), weir.WeirError);
  }
  assert.throws(() => breaker.reportMany(new BigUint64Array(2), -1, true), weir.WeirError);
  assert.throws(() => breaker.reportMany(new BigUint64Array(2), NaN, true), weir.WeirError);
  const cache = new weir.Cache();
  const key = new Uint8Array(8).fill(7);
  cache.put(key, 'bytes');
  structuredClone(key.buffer, { transfer: [key.buffer] });
  assert.equal(cache.lookup(key), undefined, 'a key without bytes is another key');
  assert.equal(cache.lookup(new Uint8Array(8).fill(7)), 'bytes');
  for (const text of [new Uint8Array(300), 7, null, {}]) {
    assert.throws(() => breaker.label(text, 'x'), weir.WeirError);
    assert.throws(() => new weir.Scope().set(text, 'x'), weir.WeirError);
    assert.throws(() => cursors.log('info', text), weir.WeirError);
  }
  return cursors.close();
});

test('closing inside of everything that is called', async () => {
  for (const where of ['function', 'decider', 'onRetry', 'onLog', 'onItem', 'abort', 'weigh']) {
    const runtime = new weir.Runtime({
      logLevel: 'debug',
      closeGraceMs: 50,
      onLog: () => where === 'onLog' && void runtime.close(),
    });
    const close = (at) => at === where && void runtime.close();
    const cache = new weir.Cache({ runtime, weigh: () => close('weigh') || 1 });
    const controller = new AbortController();
    const outcomes = await Promise.all([
      weir.settle(
        weir.operation(
          ({ signal }) => {
            close('function');
            signal.addEventListener('abort', () => close('abort'));
            throw new Error('x');
          },
          { shouldRetry: () => close('decider') !== 0, runtime },
        ),
        {
          policy: new weir.Retry({
            maxAttempts: 3,
            baseDelayMs: 1,
            onRetry: () => close('onRetry'),
            runtime,
          }),
        },
      ),
      weir
        .map([1, 2, 3], (item) => item, { concurrency: 1, runtime, onItem: () => close('onItem') })
        .catch((error) => error),
      weir
        .run(
          ({ signal }) => new Promise((_, no) => signal.addEventListener('abort', () => no(0))),
          {
            signal: controller.signal,
            runtime,
          },
        )
        .catch((error) => error),
      cache.get('k', () => 1).catch((error) => error),
      setTimeout(() => controller.abort(), 5),
    ]);
    assert.equal(outcomes.length, 5, where);
    await runtime.close();
    assert.equal(runtime.stats.liveCalls, 0, where);
    assert.throws(() => runtime.log('info'), weir.InvalidError);
  }
});

test('what is closed says so, and says it twice', async () => {
  const runtime = new weir.Runtime();
  const things = [
    new weir.Retry({ runtime }),
    new weir.Limiter({ maxConcurrent: 1, runtime }),
    new weir.Flight({ runtime }),
    new weir.Scope({ runtime }),
    weir.operation(() => 1, { runtime }),
  ];
  for (const thing of things) {
    thing.close();
    thing.close();
    await assert.rejects(async () => thing.run('k', () => 1), weir.WeirError);
  }
  await Promise.all([runtime.close(), runtime.close()]);
  await runtime.close();
  await assert.rejects(
    weir.run(() => 1, { runtime }),
    weir.ClosedError,
  );
});

test('what somebody adds to Object.prototype is no option', async () => {
  Object.defineProperty(Object.prototype, 'added', {
    value: 1,
    enumerable: true,
    configurable: true,
  });
  try {
    assert.equal(await new weir.Retry({ maxAttempts: 2 }).run(() => 1, { priority: 3 }), 1);
    assert.equal(new weir.Cache({ maxEntries: 3 }).put('a', 1, { ttlMs: 5 }), true);
  } finally {
    delete Object.prototype.added;
  }
});

test('what gives a promise rejects, and never throws', async () => {
  const runtime = new weir.Runtime();
  const made = () => ({
    retry: new weir.Retry({ runtime }),
    both: weir.pipeline(new weir.Retry({ runtime }), new weir.Timeout({ timeoutMs: 5, runtime })),
    cache: new weir.Cache({ load: () => 1, loadMany: (keys) => keys, runtime }),
    flight: new weir.Flight({ runtime }),
    scope: new weir.Scope({ runtime }),
    work: weir.operation(() => 1, { runtime }),
  });
  const closed = made();
  const open = made();
  for (const thing of Object.values(closed)) thing.close();
  const paced = weir.debounce(() => 1, 5, { key: (key) => key, runtime });
  const gone = weir.throttle(() => 1, 5, { runtime });
  gone.close();
  const memoized = weir.memoize(() => 1, { runtime });
  const forgotten = weir.memoize(() => 1, { runtime });
  forgotten.close();
  const pool = new weir.Pool({ concurrency: 1, runtime });
  await pool.drained();
  const mine = new Error('mine');
  const throws = () => {
    throw mine;
  };
  const begun = [];
  const expect = (begin, isRight) => {
    const promise = begin();
    begun.push([promise, isRight]);
    promise.catch(() => {});
  };
  for (const begin of [
    () => closed.retry.run(() => 1),
    () => closed.retry.settle(() => 1),
    () => closed.retry.bind(() => 1)(),
    () => closed.both.run(() => 1),
    () => closed.cache.get('a'),
    () => closed.cache.getMany(['a']),
    () => closed.flight.run('a', () => 1),
    () => closed.flight.bind(() => 1)('a'),
    () => closed.scope.run(() => 1),
    () =>
      closed.scope.open(
        () => 1,
        () => 1,
      ),
    () => closed.scope.join(),
    () => closed.work.run(),
    () => closed.work.settle(),
    () => gone(),
    () => forgotten(1),
    () => pool.add(() => 1),
    () => weir.race([closed.work]),
    () => weir.retry(closed.work),
    () => weir.run(closed.work),
    () => weir.map([1], () => 1, { concurrency: 1, policy: closed.retry }),
  ])
    expect(begin, (error) => error instanceof weir.ClosedError);
  for (const begin of [
    () => weir.run(5),
    () => weir.settle(undefined).then(({ error }) => Promise.reject(error)),
    () => weir.retry(),
    () => weir.timeout(5, 5),
    () => weir.hedge(() => 1),
    () => weir.fallback(() => 1),
    () => weir.race(5),
    () => weir.any([5]),
    () => weir.all(new Set()),
    () => weir.allSettled([{}]),
    () => weir.waterfall(5),
    () => weir.sleep(-1),
    () => weir.sleep('x'),
    () => weir.poll(5, { intervalMs: 1 }),
    () => weir.parallel([open.work, 5], { concurrency: 1 }),
    () => weir.parallel([open.work], { concurrency: -1, runtime }),
    () => weir.map([1], 5, { concurrency: 1 }),
    () => weir.scope(5),
    () => open.retry.run(5),
    () => open.both.settle(null),
    () => open.cache.get({}),
    () => open.cache.get('a', 5),
    () => open.cache.getMany('a'),
    () => open.cache.getMany([{}]),
    () => open.flight.run({}, () => 1),
    () => open.flight.run('a', 5),
    () => open.scope.open(5, () => 1),
    () => open.scope.run(5),
    () => paced({}),
    () => memoized(new Map()),
    () => new weir.Pool({ concurrency: 1, runtime }).add(5),
    () => weir.retry(() => 1, { maxAttempts: 0, runtime }),
    () => open.work.run({ key: [] }),
  ])
    expect(begin, (error) => error instanceof weir.InvalidError || error instanceof TypeError);
  for (const begin of [
    () => weir.debounce(() => 1, 5, { key: throws, runtime })(),
    () => weir.memoize(() => 1, { key: throws, runtime })(),
    () => open.flight.bind(() => 1, throws)(),
    () => new weir.Timeout({ timeoutFor: throws, runtime }).run(() => 1),
  ])
    expect(begin, (error) => error === mine);
  for (const [i, [promise, expected]] of begun.entries()) {
    assert.ok(promise instanceof Promise, `${i}`);
    await assert.rejects(promise, expected, `${i}`);
  }
  await runtime.close();
});

test('thousands of aborts at every moment, and no listener is left', async () => {
  const { getEventListeners } = require('node:events');
  const shared = new AbortController();
  const runs = [];
  for (let i = 0; i < 2000; i++) {
    const own = new AbortController();
    const signal = i % 2 === 0 ? own.signal : shared.signal;
    runs.push(weir.settle(() => new Promise((r) => setTimeout(r, i % 5)), { signal }));
    if (i % 4 === 0) own.abort(i);
    else if (i % 4 === 2) setImmediate(() => own.abort(i));
  }
  const outcomes = await Promise.all(runs);
  assert.ok(outcomes.some(({ ok }) => ok) && outcomes.some(({ ok }) => !ok));
  assert.equal(getEventListeners(shared.signal, 'abort').length, 0);
});

test('an uncaught error of a listener does not stop what comes after it', async () => {
  const runtime = new weir.Runtime();
  const seen = [];
  const before = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => seen.push(error.message));
  const retry = new weir.Retry({
    baseDelayMs: 0,
    onRetry: ({ attempt }) => {
      throw new Error(`listener ${attempt}`);
    },
    runtime,
  });
  let calls = 0;
  const value = await retry.run(() => {
    if (++calls < 3) throw new Error('again');
    return calls;
  });
  await new Promise((resolve) => setTimeout(resolve, 5));
  process.removeAllListeners('uncaughtException');
  for (const listener of before) process.on('uncaughtException', listener);
  assert.equal(value, 3);
  assert.deepEqual(seen, ['listener 1', 'listener 2']);
  await runtime.close();
});
