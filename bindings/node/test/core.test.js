// SPDX-License-Identifier: MIT
'use strict';
const assert = require('node:assert/strict');
const { test } = require('node:test');
const weir = require('weir');
const { timed, caught, never } = require('./support/index.js');

timed('retry: tries again until it succeeds', async (clock, runtime) => {
  let calls = 0;
  const done = weir.retry(() => (++calls < 3 ? Promise.reject(new Error('not yet')) : calls), {
    maxAttempts: 5,
    baseDelayMs: 100,
    jitter: 'none',
    runtime,
  });
  await clock.advance(99);
  assert.equal(calls, 1);
  await clock.advance(1);
  assert.equal(calls, 2);
  await clock.advance(200);
  assert.equal(await done, 3);
});

timed(
  'retry: what was thrown comes back as the same object, and says how the run went',
  async (clock, runtime) => {
    const thrown = [new Error('boom'), 'text', Symbol('s'), 17, null];
    for (const reason of thrown) {
      const failed = caught(
        weir.retry(() => Promise.reject(reason), { maxAttempts: 2, baseDelayMs: 1, runtime }),
      );
      await clock.advance(10);
      assert.equal(await failed, reason);
    }
    const outcome = weir.outcomeOf(thrown[0]);
    assert.equal(outcome.attempts, 2);
    assert.equal(outcome.stopReason, 'attempts');
    assert.deepEqual(outcome.statuses, ['WEIR_EFAILED', 'WEIR_EFAILED']);
  },
);

timed('retry: shouldRetry, final and failureWhen decide', async (clock, runtime) => {
  const error = new Error('fatal');
  let calls = 0;
  const work = () => {
    calls++;
    throw error;
  };
  const seen = [];
  const asked = caught(
    weir.retry(work, {
      shouldRetry: (e, attempt) => seen.push([e, attempt]) < 2,
      baseDelayMs: 1,
      runtime,
    }),
  );
  await clock.advance(10);
  assert.equal(await asked, error);
  assert.deepEqual(seen, [
    [error, 1],
    [error, 2],
  ]);

  calls = 0;
  const stopped = caught(
    weir.retry(
      () => {
        calls++;
        throw weir.final(error);
      },
      { runtime },
    ),
  );
  await clock.settle();
  assert.equal(await stopped, error);
  assert.equal(calls, 1);

  const pending = caught(
    weir.retry(() => 'PENDING', {
      failureWhen: (v) => v === 'PENDING',
      maxAttempts: 2,
      baseDelayMs: 1,
      runtime,
    }),
  );
  await clock.advance(10);
  const exhausted = await pending;
  assert.ok(exhausted instanceof weir.ExhaustedError);
  assert.equal(exhausted.value, 'PENDING');
  assert.equal(exhausted.code, 'WEIR_EEXHAUSTED');
});

timed('a decider that throws ends the run with what it threw', async (clock, runtime) => {
  const mistake = new Error('in the decider');
  const failed = caught(
    weir.retry(() => Promise.reject(new Error('x')), {
      shouldRetry: () => {
        throw mistake;
      },
      runtime,
    }),
  );
  await clock.settle();
  assert.equal(await failed, mistake);
});

timed('a peer that says when to try again is listened to', async (clock, runtime) => {
  let calls = 0;
  const busy = Object.assign(new Error('busy'), { retryAfterMs: 5000 });
  const done = weir.retry(() => (++calls === 1 ? Promise.reject(busy) : 'ok'), {
    baseDelayMs: 1,
    runtime,
  });
  await clock.advance(4999);
  assert.equal(calls, 1);
  await clock.advance(1);
  assert.equal(await done, 'ok');
});

timed('onRetry is told before each wait', async (clock, runtime) => {
  const told = [];
  const error = new Error('x');
  const retry = new weir.Retry({
    maxAttempts: 3,
    baseDelayMs: 10,
    jitter: 'none',
    onRetry: (r) => told.push(r),
    runtime,
  });
  const failed = caught(retry.run(() => Promise.reject(error)));
  await clock.advance(100);
  await failed;
  assert.deepEqual(
    told.map(({ attempt, delayMs }) => [attempt, delayMs]),
    [
      [1, 10],
      [2, 20],
    ],
  );
  assert.equal(told[0].error, error);
});

timed('timeout: tells the function, rejects with a TimeoutError', async (clock, runtime) => {
  let reason;
  const late = caught(
    weir.timeout(
      ({ signal }) =>
        new Promise((resolve) =>
          signal.addEventListener('abort', () => {
            reason = signal.reason;
            resolve('too late');
          }),
        ),
      1000,
      { runtime },
    ),
  );
  await clock.advance(1000);
  const error = await late;
  assert.ok(
    error instanceof weir.TimeoutError && error instanceof weir.WeirError && error instanceof Error,
  );
  assert.equal(error.message, 'timed out after 1000 ms');
  assert.equal(error.name, 'TimeoutError');
  assert.ok(reason instanceof weir.TimeoutError);
});

timed('deadlineMs, and remainingMs inside', async (clock, runtime) => {
  let left;
  const late = caught(
    weir.run(
      (attempt) => {
        left = attempt.remainingMs;
        return never(attempt);
      },
      { deadlineMs: 500, runtime },
    ),
  );
  await clock.advance(500);
  const error = await late;
  assert.equal(error.code, 'WEIR_ETIMEDOUT');
  assert.equal(left, 500);
});

timed('a signal cancels: its reason is what the call rejects with', async (clock, runtime) => {
  const controller = new AbortController();
  let inner;
  const stopped = caught(
    weir.run(
      (attempt) => {
        inner = attempt.signal;
        return never(attempt);
      },
      { signal: controller.signal, runtime },
    ),
  );
  await clock.settle();
  const why = new Error('changed my mind');
  controller.abort(why);
  await clock.settle();
  assert.equal(await stopped, why);
  assert.equal(inner.reason, why);
  assert.equal(
    await caught(weir.run(() => 1, { signal: controller.signal, runtime })),
    why,
    'aborted before',
  );
});

timed(
  'a signal asked for only after the attempt was told to stop is aborted',
  async (clock, runtime) => {
    let attempt;
    const late = caught(
      weir.timeout(
        (a) => {
          attempt = a;
          return new Promise(() => {});
        },
        10,
        { runtime },
      ),
    );
    await clock.advance(10);
    await late;
    assert.equal(attempt.signal.aborted, true);
  },
);

timed(
  'breaker: five failures open it, a minute later two successes close it',
  async (clock, runtime) => {
    const changes = [];
    const breaker = new weir.Breaker({
      name: 'api',
      onStateChange: (change) => changes.push(`${change.from}>${change.to}`),
      runtime,
    });
    const boom = () => Promise.reject(new Error('down'));
    for (let i = 0; i < 5; i++) {
      const failed = caught(breaker.run(boom));
      await clock.settle();
      await failed;
    }
    const refused = caught(breaker.run(boom));
    await clock.settle();
    const error = await refused;
    assert.ok(error instanceof weir.OpenError);
    assert.equal(error.retryAfterMs, 60000);
    assert.equal(error.rejection.policy, 'breaker');
    assert.equal(error.rejection.name, 'api');
    await clock.advance(60000);
    for (let i = 0; i < 2; i++) {
      const done = breaker.run(() => 'up');
      await clock.settle();
      assert.equal(await done, 'up');
    }
    await clock.settle();
    assert.deepEqual(changes, ['closed>open', 'open>half-open', 'half-open>closed']);
  },
);

timed('breaker, decide door: permits, reports, what refused', async (clock, runtime) => {
  const breaker = new weir.Breaker({ failureThreshold: 2, runtime });
  const first = breaker.tryAcquire();
  assert.ok(first);
  assert.equal(breaker.report(first, 'failure'), 'WEIR_OK');
  assert.equal(breaker.report(breaker.tryAcquire(), false), 'WEIR_OK');
  assert.equal(breaker.state, 'open');
  assert.equal(breaker.tryAcquire(), 0);
  assert.equal(weir.lastRejection().reason, 'open');
  assert.equal(breaker.report(first, true), 'WEIR_ESTALE');
  await clock.advance(60000);
  const trial = breaker.tryAcquire();
  assert.equal(breaker.report(trial, true), 'WEIR_OK');
  assert.equal(breaker.report(trial, true), 'WEIR_ESTALE');
  const many = new BigUint64Array(64);
  breaker.reset();
  assert.equal(breaker.tryAcquireMany(many), 64);
  assert.equal(breaker.reportMany(many, 64, true), 64);
  assert.equal(breaker.stats.succeeded, 65);
});

timed('limiter: both doors, waiting, refusal', async (clock, runtime) => {
  const limiter = new weir.Limiter({ permits: 2, intervalMs: 1000, maxQueue: 1, runtime });
  assert.equal(limiter.tryAcquire(), 0);
  const order = [];
  const runs = [1, 2, 3].map((n) => limiter.run(() => order.push(n)).catch((error) => error.code));
  await clock.settle();
  assert.deepEqual(order, [1]);
  assert.equal(limiter.tryAcquire(), undefined);
  assert.equal(weir.lastRejection().reason, 'waiters');
  await clock.advance(500);
  assert.deepEqual(order, [1, 2]);
  assert.equal(await runs[2], 'WEIR_EFULL');
  const keyed = new weir.Limiter({ permits: 1, intervalMs: 1000, maxKeys: 100, runtime });
  assert.equal(keyed.tryAcquire(1, 'a'), 0);
  assert.equal(keyed.tryAcquire(1, 'a'), undefined);
  assert.equal(keyed.tryAcquire(1, 'b'), 0);
  const bulkhead = new weir.Bulkhead({ maxConcurrent: 1, runtime });
  const permit = bulkhead.tryAcquire();
  assert.ok(permit);
  assert.equal(bulkhead.tryAcquire(), undefined);
  bulkhead.release(permit);
  assert.ok(bulkhead.tryAcquire());
});

timed('pipeline: breaker around retry around timeout', async (clock, runtime) => {
  const breaker = new weir.Breaker({ failureThreshold: 2, runtime });
  const retry = new weir.Retry({ maxAttempts: 2, baseDelayMs: 10, jitter: 'none', runtime });
  const timeout = new weir.Timeout({ timeoutMs: 100, runtime });
  const call = weir.pipeline(breaker, retry, timeout);
  const slow = caught(call.run(never));
  await clock.advance(1000);
  assert.equal((await slow).code, 'WEIR_ETIMEDOUT');
  assert.equal(breaker.stats.failures, 1);
  assert.equal(timeout.stats.timedOut, 2);
  assert.throws(() => weir.pipeline(breaker, breaker), weir.InvalidError);
});

timed('hedge, fallback, chaos', async (clock, runtime) => {
  let starts = 0;
  const hedged = weir.hedge(
    ({ attempt }) => (++starts === 1 ? new Promise(() => {}) : `copy ${attempt}`),
    { delayMs: 50, runtime },
  );
  await clock.advance(50);
  assert.equal(await hedged, 'copy 2');
  const inside = new Error('inside');
  const stood = weir.fallback(() => Promise.reject(inside), {
    run: ({ failed }) => failed.error,
    runtime,
  });
  await clock.settle();
  assert.equal(await stood, inside);
  const plain = weir.fallback(() => Promise.reject(inside), { value: 'default', runtime });
  await clock.settle();
  assert.equal(await plain, 'default');
  const chaos = new weir.Chaos({ failureRate: 1, failure: inside, runtime });
  const hit = caught(chaos.run(() => 1));
  await clock.settle();
  assert.equal(await hit, inside);
  chaos.disable();
  const missed = chaos.run(() => 1);
  await clock.settle();
  assert.equal(await missed, 1);
});

test('wrong options say field, rule and value', () => {
  const cases = [
    [() => new weir.Retry({ maxAttempts: 0 }), /retry\.max_attempts must be at least 1.*got 0/],
    [
      () => new weir.Retry({ maxAttempt: 5 }),
      /retry: no option is called maxAttempt \(there are: backoff, maxAttempts, .*onRetry, runtime\)/,
    ],
    [() => new weir.Retry({ baseDelayMs: 1.5 }), /retry\.baseDelayMs must be a whole number/],
    [() => new weir.Retry({ baseDelayMs: NaN }), /retry\.baseDelayMs must be a whole number/],
    [
      () => new weir.Retry({ backoff: 'quick' }),
      /retry\.backoff must be one of 'constant', .*got 'quick'/,
    ],
    [() => new weir.Cache({ ttlMs: -1 }), /cache\.ttlMs must be a whole number, 0 or .*got -1/],
    [() => weir.debounce(() => 1, -1), /debounce\.waitMs must be a whole number, 0 or .*got -1/],
    [
      () => new weir.Cache({ ttl: 60 }),
      /cache: no option is called ttl \(there are: .*ttlMs, .*loadMany/,
    ],
    [
      () => weir.debounce(() => 1, 5, { maxWait: 9 }),
      /debounce: no option is called maxWait \(there are: .*maxWaitMs, .*key, withAttempt\)/,
    ],
    [
      () => weir.throttle(() => 1, 5).setOptions({ wait: 9 }),
      /throttle: no option is called wait \(/,
    ],
    [
      () => new weir.Flight({ timeout: 9 }),
      /flight: no option is called timeout \(there are: timeoutMs, name, runtime\)/,
    ],
    [() => new weir.Retry({ classify: 1 }), /classify must be a function/],
    [() => new weir.Breaker({ name: 5 }), /breaker\.name must be a string/],
    [() => new weir.Timeout({}), /timeout\.timeout_ms/],
    [() => weir.pipeline(), /a pipeline needs a policy/],
  ];
  for (const [make, message] of cases) {
    assert.throws(
      make,
      (error) => error instanceof weir.InvalidError && message.test(error.message),
    );
  }
});

test('names that are no options are refused, with those that there are', async () => {
  const policy = new weir.Retry();
  const work = weir.operation(() => 1);
  const cache = new weir.Cache({ load: () => 1, loadMany: (keys) => keys });
  const run = /^run: no option is called deadline \(there are: signal, deadlineMs, key, /;
  const rejected = [
    [() => weir.run(() => 1, { deadline: 5 }), run],
    [() => weir.settle(work, { deadline: 5, policy }), run],
    [() => policy.run(() => 1, { deadline: 5 }), run],
    [() => policy.settle(work, { deadline: 5 }), run],
    [() => work.run({ deadline: 5 }), run],
    [() => cache.get('a', undefined, { deadline: 5 }), run],
    [() => cache.getMany(['a'], { deadline: 5 }), run],
    [() => new weir.Flight().run('a', () => 1, { deadline: 5 }), run],
    [() => new weir.Scope().run(() => 1, { deadline: 5 }), run],
    [() => new weir.Scope().join({ deadline: 5 }), run],
    [
      () => weir.retry(() => 1, { deadline: 5 }),
      /^retry: .*deadline \(.*maxAttempts, .*deadlineMs/,
    ],
    [() => weir.timeout(() => 1, 5, { maxAttempts: 1 }), /^timeout: .*maxAttempts \(.*signal/],
    [
      () => weir.fallback(() => 1, { values: 1 }),
      /^fallback: .*values \((?!.*hasValue).*value, run/,
    ],
    [() => weir.race([() => 1], { first: true }), /^race: .*first \(.*firstSettled, .*decisive/],
    [() => weir.any([() => 1], { decisive: [] }), /^any: .*decisive \(.*signal/],
    [() => weir.all([work], { concurrency: 2 }), /^all: .*concurrency \(/],
    [() => weir.allSettled([work], { timeoutMs: 2 }), /^allSettled: .*timeoutMs \(/],
    [() => weir.map([1], () => 1, { concurrent: 2 }), /^map: .*concurrent \(.*concurrency/],
    [() => weir.parallel([work], { limit: 2 }), /^parallel: .*limit \(.*stopOnError/],
    [() => weir.waterfall([work], { inputs: 2 }), /^waterfall: .*inputs \(.*input/],
    [() => weir.poll(() => 1, { interval: 2 }), /^poll: .*interval \(.*intervalMs, .*until/],
    [() => weir.sleep(1, { values: 2 }), /^sleep: .*values \(.*value/],
    [() => weir.scope(() => 1, { grace: 2 }), /^scope\(\): .*grace \(.*graceMs/],
    [() => weir.run(() => 1, 5), /^run: options must be an object \(got 5\)/],
    [
      () =>
        weir.map(
          [1],
          () => 1,
          () => 1,
        ),
      /^map: options must be an object \(got a function\)/,
    ],
    [() => weir.map([1], () => 1, null), /^map: options must be an object \(got null\)/],
    [() => weir.retry(() => 1, Symbol('x')), /^retry: options must be an object \(got a symbol\)/],
  ];
  for (const [begin, message] of rejected) {
    const error = await caught(begin());
    assert.ok(error instanceof weir.InvalidError && message.test(error.message), error.message);
  }
  const thrown = [
    [() => new weir.Runtime({ seeds: 5 }), /^runtime: .*seeds \((?!.*driver).*seed, .*onLog/],
    [() => new weir.TestClock({ seeds: 5 }), /^runtime: .*seeds/],
    [
      () => new weir.Bulkhead({ maxConcurrent: 1, maxQueue: 5 }),
      /^bulkhead: .*maxQueue \(.*queueLimit/,
    ],
    [() => new weir.Breaker({ shouldRetry: () => 1 }), /^breaker: .*shouldRetry/],
    [() => new weir.Pool({ concurrency: 1, onItem: () => 1 }), /^pool: .*onItem/],
    [() => new weir.Scope({ grace: 5 }), /^Scope: .*grace \(.*graceMs, parent/],
    [() => weir.memoize(() => 1, { ttl: 5 }), /^memoize: .*ttl \(.*ttlMs, .*key/],
    [() => cache.put('a', 1, { ttl: 5 }), /^cache\.put: .*ttl \(there are: ttlMs\)/],
    [() => cache.put('a', 1, 5), /^cache\.put: options must be an object \(got 5\)/],
    [() => policy.bind(() => 1, { deadline: 5 }), run],
    [() => weir.find('x', { runtimes: 5 }), /^find: .*runtimes \(there are: runtime\)/],
    [() => weir.find('x', weir.defaultRuntime()), /^find: /],
    [() => new weir.Pipeline([policy], { names: 'x' }), /^pipeline: .*names/],
    [() => weir.operation(() => 1, { retries: 1 }), /^operation: .*retries \((?!.*asks).*classify/],
    [() => weir.operations.race([work], { key: 1 }), /^operations\.race: .*key \(.*decisive/],
    [() => weir.operations.any([work], { key: 1 }), /^operations\.any: .*key \(/],
    [() => weir.operations.parallel([work], { limit: 1 }), /^operations\.parallel: .*limit \(/],
    [() => weir.operations.each(work, [], { limit: 1 }), /^operations\.each: .*limit \(/],
    [() => weir.operations.pool({ limit: 1 }), /^operations\.pool: .*limit \(/],
    [() => weir.operations.waterfall([work], { input: 1 }), /^operations\.waterfall: .*input \(/],
    [() => weir.operations.sleep(1, { key: 1 }), /^operations\.sleep: .*key \(/],
    [() => weir.operations.poll(work, { key: 1 }), /^operations\.poll: .*key \(/],
    [() => weir.operations.scope(work, { grace: 1 }), /^operations\.scope: .*grace \(/],
    [() => weir.operations.resource(work, work, { name: 1 }), /^operations\.resource: .*name \(/],
    [() => weir.operations.memoize(work, { ttl: 1 }), /^memoize: .*ttl \(/],
    [() => weir.operations.pacer('debounce', () => 1, { key: () => 1 }), /^debounce: .*key/],
  ];
  for (const Kind of ['Retry', 'Breaker', 'Limiter', 'Timeout', 'Hedge', 'Fallback', 'Chaos'])
    thrown.push([() => new weir[Kind]({ no: 1 }), /^[a-z]+: no option is called no \(/]);
  for (const name of Object.keys(weir)) {
    if (
      !/^(Cache|Flight|Scope|Pool|Runtime|Budget|Retry|Breaker|Limiter|Hedge|Fallback)$/.test(name)
    )
      continue;
    for (const wrong of [5, null, 'x', ['x'], () => {}])
      thrown.push([() => new weir[name](wrong), /: options must be an object \(got /]);
  }
  for (const [make, message] of thrown)
    assert.throws(
      make,
      (error) => error instanceof weir.InvalidError && message.test(error.message),
    );
});

test('what is closed says so', async () => {
  const breaker = new weir.Breaker();
  breaker.close();
  breaker.close();
  assert.throws(() => breaker.state, weir.ClosedError);
  assert.throws(() => breaker.tryAcquire(), weir.ClosedError);
  assert.ok((await caught(breaker.run(() => 1))) instanceof weir.ClosedError);
  const runtime = new weir.Runtime();
  const open = new weir.Retry({ runtime });
  await runtime.close();
  assert.equal((await caught(open.run(() => 1))).code, 'WEIR_ECLOSED');
  assert.equal((await open.settle(() => 1)).accepted, false);
  const cache = new weir.Cache({ runtime });
  for (const [name, use] of [
    ['put', () => cache.put('a', 1)],
    ['putIfAbsent', () => cache.putIfAbsent('a', 1)],
    ['touch', () => cache.touch('a', 1)],
  ])
    assert.throws(use, {
      name: 'ClosedError',
      code: 'WEIR_ECLOSED',
      message: `cache.${name}: the runtime is closed`,
    });
});

test('a policy closed right behind its last run still serves that', async () => {
  const retry = new weir.Retry();
  const done = retry.run(() => 'served');
  retry.close();
  assert.equal(await done, 'served');
});

timed('the registry finds by name', async (clock, runtime) => {
  const breaker = new weir.Breaker({ name: 'shared', failureThreshold: 1, runtime }).register();
  const found = weir.find('shared', { runtime });
  assert.ok(found instanceof weir.Breaker);
  breaker.report(breaker.tryAcquire(), false);
  assert.equal(found.state, 'open');
  assert.equal(weir.find('nobody', { runtime }), undefined);
  breaker.unregister();
  assert.equal(weir.find('shared', { runtime }), undefined);
});

test('events, log, metrics, recorder', async () => {
  const events = [];
  const lines = [];
  const clock = new weir.TestClock({
    onEvent: (event) => events.push(event.kind),
    onLog: (...line) => lines.push(line),
    logLevel: 'info',
    recorderEntries: 16,
  });
  const { runtime } = clock;
  runtime.log('info', 'hello', 'test');
  runtime.log('debug', 'not this', 'test');
  const retry = new weir.Retry({ name: 'r', maxAttempts: 2, baseDelayMs: 1, runtime }).label(
    'team',
    'core',
  );
  const failed = caught(retry.run(() => Promise.reject(new Error('x'))));
  await clock.advance(10);
  await failed;
  await clock.settle();
  assert.deepEqual(lines, [['info', 'test', 'hello']]);
  assert.ok(events.includes('retry') && events.includes('gaveUp'));
  assert.match(runtime.metrics(), /team="core"/);
  assert.match(runtime.recorderDump(), /retry 'r'/);
  const cursor = new BigUint64Array(1);
  assert.deepEqual(
    runtime
      .recorded(cursor)
      .map(({ kind }) => kind)
      .slice(-2),
    ['retry', 'gaveUp'],
  );
  assert.deepEqual(runtime.recorded(cursor), []);
  assert.equal(runtime.stats.runsSettled, 1);
  await clock.close();
});

test('thousands at once on the default runtime, each with its own value', async () => {
  const retry = new weir.Retry();
  const values = await Promise.all(
    Array.from({ length: 5000 }, (_, i) => retry.run(async () => ({ i }))),
  );
  assert.ok(values.every((value, i) => value.i === i));
  assert.equal(retry.stats.calls, 5000);
});

timed(
  'pipeline: what one policy judges a failure is none for those inside',
  async (clock, runtime) => {
    const breaker = new weir.Breaker({ failureThreshold: 2, runtime });
    const pending = new weir.Retry({
      maxAttempts: 4,
      baseDelayMs: 10,
      failureWhen: (v) => v === 'PENDING',
      runtime,
    });
    const numbers = [];
    const poll = weir.pipeline(pending, breaker);
    const done = poll.run(
      ({ attempt }) => {
        numbers.push(attempt);
        return numbers.length < 4 ? 'PENDING' : 'PAID';
      },
      { deadlineMs: 60000 },
    );
    await clock.advance(1000);
    assert.equal(await done, 'PAID');
    assert.deepEqual(numbers, [1, 2, 3, 4]);
    assert.equal(breaker.stats.succeeded, 4);
    assert.equal(breaker.state, 'closed');
  },
);

timed('pipeline: two deciders, each sees what is inside of its policy', async (clock, runtime) => {
  const seen = [];
  const outer = new weir.Fallback({
    value: 'instead',
    classify: ({ ok, error }) => {
      seen.push(ok ? 'value' : error.code);
      return undefined;
    },
    runtime,
  });
  const inner = new weir.Retry({
    maxAttempts: 2,
    baseDelayMs: 1,
    failureWhen: () => true,
    runtime,
  });
  const nested = weir.pipeline(
    weir.pipeline(outer, inner),
    new weir.Timeout({ timeoutMs: 100, runtime }),
  );
  const done = nested.run(() => 'never good enough');
  await clock.advance(100);
  assert.equal(await done, 'instead');
  assert.deepEqual(seen, ['WEIR_EEXHAUSTED']);
  const wrapped = nested.wrap(() => 1).run();
  const mapped = weir.map([1, 2], (n) => n, { concurrency: 1, policy: nested, runtime });
  const cache = new weir.Cache({ runtime });
  const got = cache.get('k', () => 'loaded', { policy: nested });
  await clock.advance(1000);
  assert.equal(await wrapped, 'instead');
  assert.deepEqual(await mapped, ['instead', 'instead']);
  assert.equal(await got, 'instead');
});

timed(
  'pipeline: a cancel reaches the innermost function; deciders can be changed',
  async (clock, runtime) => {
    const controller = new AbortController();
    const retry = new weir.Retry({ runtime });
    const both = weir.pipeline(retry, new weir.Timeout({ timeoutMs: 1e6, runtime }));
    retry.setOptions({ maxAttempts: 2, baseDelayMs: 1, failureWhen: (v) => v === 1 });
    let inside;
    const stopped = caught(
      both.run(
        (attempt) => {
          inside = attempt.signal;
          return never(attempt);
        },
        { signal: controller.signal },
      ),
    );
    await clock.settle();
    controller.abort(new Error('enough'));
    await clock.settle();
    assert.equal((await stopped).message, 'enough');
    assert.equal(inside.aborted, true);
    const judged = caught(both.run(() => 1));
    await clock.advance(10);
    assert.ok((await judged) instanceof weir.ExhaustedError);
  },
);

timed('run options are checked', async (clock, runtime) => {
  for (const options of [
    { deadlineMs: -1 },
    { deadlineMs: NaN },
    { permits: 0 },
    { permits: 1.5 },
    { priority: 64 },
    { key: {} },
  ]) {
    const error = await caught(weir.run(() => 1, { ...options, runtime }));
    assert.ok(error instanceof weir.InvalidError, JSON.stringify(options));
  }
  assert.equal(runtime._inFlight, 0);
  const soon = caught(weir.run(never, { deadlineMs: 0.2, runtime }));
  await clock.advance(1);
  assert.equal((await soon).code, 'WEIR_ETIMEDOUT');
});

timed('timeoutFor is asked for each run', async (clock, runtime) => {
  const timeout = new weir.Timeout({
    timeoutFor: ({ key }) => (key === 'slow' ? 500 : 100),
    runtime,
  });
  const retry = new weir.Retry({ maxAttempts: 2, baseDelayMs: 0, jitter: 'none', runtime });
  const ends = {};
  const start = (name, policy, options) =>
    policy.run(never, options).catch((error) => (ends[name] = [error.code, clock.now]));
  start('quick', timeout);
  start('slow', timeout, { key: 'slow' });
  start('retried', weir.pipeline(retry, timeout), { key: 'slow' });
  start('none', new weir.Timeout({ timeoutFor: () => Infinity, runtime }), { deadlineMs: 5000 });
  await clock.advance(10000);
  assert.deepEqual(ends, {
    quick: ['WEIR_ETIMEDOUT', 100],
    slow: ['WEIR_ETIMEDOUT', 500],
    retried: ['WEIR_ETIMEDOUT', 1000],
    none: ['WEIR_ETIMEDOUT', 5000],
  });
});

timed('options are changed live, listeners and deciders too', async (clock, runtime) => {
  const told = [];
  const retry = new weir.Retry({
    maxAttempts: 2,
    baseDelayMs: 1,
    onRetry: () => told.push('old'),
    runtime,
  });
  const fails = () => Promise.reject(new Error('x'));
  const first = caught(retry.run(fails));
  await clock.advance(10);
  await first;
  retry.setOptions({ maxAttempts: 3, baseDelayMs: 1, onRetry: () => told.push('new') });
  const second = caught(retry.run(fails));
  await clock.advance(10);
  await second;
  await clock.settle();
  assert.deepEqual(told, ['old', 'new', 'new']);
  assert.throws(() => retry.setOptions({ maxAttempts: -5 }), weir.InvalidError);
  const breaker = new weir.Breaker({ failureThreshold: 5, runtime });
  breaker.setOptions({ failureThreshold: 1 });
  breaker.report(breaker.tryAcquire(), false);
  assert.equal(breaker.state, 'open');
  const limiter = new weir.Limiter({ permits: 1, intervalMs: 1000, runtime });
  limiter.setOptions({ permits: 10, intervalMs: 1000 });
  assert.equal(limiter.stats.paused, false);
  const throttled = weir.throttle(() => 1, 100, { runtime });
  throttled.setOptions({ intervalMs: 50 });
});

timed('setOptions changes what it names, the rest stays', async (clock, runtime) => {
  const fails = () => Promise.reject(new Error('x'));
  const told = [];
  const retry = new weir.Retry({
    name: 'r',
    maxAttempts: 5,
    baseDelayMs: 10,
    backoff: 'constant',
    jitter: 'none',
    shouldRetry: (error, attempt) => attempt < 4,
    onRetry: ({ delayMs }) => told.push(delayMs),
    budget: new weir.Budget({ minPerSecond: 100, runtime }),
    runtime,
  });
  const tries = async (options) => {
    retry.setOptions(options);
    const failed = caught(retry.run(fails));
    await clock.advance(1000);
    return [weir.outcomeOf(await failed).attempts, ...told.splice(0)];
  };
  assert.deepEqual(await tries({ baseDelayMs: 20 }), [4, 20, 20, 20]);
  assert.deepEqual(await tries({ maxAttempts: undefined, name: 'r', runtime }), [4, 20, 20, 20]);
  assert.deepEqual(await tries({ shouldRetry: null }), [5, 20, 20, 20, 20]);
  assert.deepEqual(await tries({ onRetry: null, budget: null, maxAttempts: 3 }), [3]);
  assert.deepEqual(await tries({ onRetry: () => told.push('new') }), [3, 'new', 'new']);
  assert.throws(() => retry.setOptions({ baseDelayMs: 1, maxAttempts: 0 }), weir.InvalidError);
  assert.deepEqual(await tries({}), [3, 'new', 'new'], 'a bad set changes nothing');
  assert.throws(() => retry.setOptions({ name: 'other' }), /retry\.name cannot be changed/);
  for (const wrong of [5, null, undefined, 'x'])
    assert.throws(() => retry.setOptions(wrong), /retry: options must be an object/);
});

timed('setOptions: each kind keeps what is not named', async (clock, runtime) => {
  const breaker = new weir.Breaker({
    mode: 'count',
    windowSize: 10,
    minCalls: 2,
    failureThreshold: 7,
    failures: [{ from: 0, to: 99 }],
    runtime,
  });
  breaker.setOptions({ failureRate: 1 });
  breaker.report(breaker.tryAcquire(), false);
  breaker.report(breaker.tryAcquire(), false);
  assert.equal(breaker.state, 'open', 'still by the last calls, and from 2 on');
  for (const fixed of [{ onStateChange: () => {} }, { failures: [] }])
    assert.throws(() => breaker.setOptions(fixed), /breaker\.\w+ cannot be changed/);

  const limiter = new weir.Limiter({
    algorithm: 'sliding-window',
    permits: 1,
    intervalMs: 1000,
    maxConcurrent: 4,
    limits: [{ permits: 100, intervalMs: 1000 }],
    runtime,
  });
  limiter.setOptions({ permits: 3 });
  const granted = Array.from({ length: 5 }, () => limiter.tryAcquire());
  assert.equal(granted.filter((permit) => permit !== undefined).length, 3);
  assert.equal(weir.lastRejection().reason, 'rate');
  assert.equal(limiter.stats.limit, 4);
  assert.throws(() => limiter.setOptions({ limits: [] }), /limiter\.limits cannot be changed/);
  const bulkhead = new weir.Bulkhead({ maxConcurrent: 1, queueLimit: 0, runtime });
  bulkhead.setOptions({ maxConcurrent: 2 });
  const held = [bulkhead.tryAcquire(), bulkhead.tryAcquire()];
  assert.ok(held[1] !== undefined && bulkhead.tryAcquire() === undefined);
  const refused = caught(bulkhead.run(() => 1));
  await clock.settle();
  assert.ok((await refused) instanceof weir.WeirError, 'none waits');
  held.forEach((permit) => bulkhead.release(permit));

  const timeout = new weir.Timeout({ timeoutFor: () => 50, message: 'mine', runtime });
  const ends = async () => {
    const began = clock.now;
    const late = caught(timeout.run(never)).then(({ message }) => [message, clock.now - began]);
    await clock.advance(500);
    return late;
  };
  timeout.setOptions({ message: 'other' });
  assert.deepEqual(await ends(), ['other', 50]);
  timeout.setOptions({ timeoutMs: 80 });
  assert.deepEqual(await ends(), ['other', 80]);
  timeout.setOptions({ timeoutFor: () => 90, message: null });
  assert.equal((await ends())[1], 90);

  const hedge = new weir.Hedge({ delayMs: 10, maxHedges: 2, runtime });
  hedge.setOptions({ delayMs: 20 });
  const hedged = hedge.run(({ index }) => weir.sleep(100, { value: index, runtime }));
  await clock.advance(200);
  await hedged;
  assert.equal(hedge.stats.hedged, 2);

  const fallback = new weir.Fallback({ value: 'a', failureWhen: (v) => v === 'bad', runtime });
  const given = async () => {
    const value = fallback.run(() => 'bad');
    await clock.settle();
    return value;
  };
  fallback.setOptions({ failureWhen: (v) => v.startsWith('b') });
  assert.equal(await given(), 'a');
  fallback.setOptions({ run: ({ failed }) => `for ${failed.value}` });
  assert.equal(await given(), 'for bad');
  fallback.setOptions({});
  assert.equal(await given(), 'for bad');
  fallback.setOptions({ value: undefined });
  assert.equal(await given(), undefined);

  const chaos = new weir.Chaos({ failureRate: 1, failure: new Error('mine'), runtime });
  chaos.disable();
  chaos.setOptions({ latencyRate: 0 });
  assert.equal(chaos.stats.enabled, false);
  chaos.enable();
  const hit = caught(chaos.run(() => 1));
  await clock.settle();
  assert.equal((await hit).message, 'mine');
  assert.throws(() => chaos.setOptions({ enabled: false }), /chaos\.enabled cannot be changed/);

  const budget = new weir.Budget({ ratio: 0, minPerSecond: 1, windowMs: 5000, runtime });
  budget.setOptions({ minPerSecond: 2 });
  assert.equal(budget.stats.available, 10);
});

timed('setOptions of a policy that was found: by default what it does not name', async (...its) => {
  const [clock, runtime] = its;
  new weir.Retry({ name: 'found', maxAttempts: 9, baseDelayMs: 5, runtime }).register();
  const found = weir.find('found', { runtime });
  found.setOptions({ baseDelayMs: 1, jitter: 'none' });
  const failed = caught(found.run(() => Promise.reject(new Error('x'))));
  await clock.advance(1000);
  assert.equal(weir.outcomeOf(await failed).attempts, 3);
});

test('both kinds of module export the same', async () => {
  const module = await import('weir');
  const names = Object.keys(module).filter((name) => name !== 'default');
  assert.deepEqual(names.sort(), Object.keys(weir).sort());
});
