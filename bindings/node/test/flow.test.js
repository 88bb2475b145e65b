// SPDX-License-Identifier: MIT
'use strict';
const assert = require('node:assert/strict');
const { test } = require('node:test');
const weir = require('weir');
const { timed, caught, never, after } = require('./support/index.js');

timed('race: the first success wins, the loser is told', async (clock, runtime) => {
  let told;
  const loser = (attempt) => {
    attempt.signal.addEventListener('abort', () => (told = attempt.signal.reason));
    return never(attempt);
  };
  const won = weir.race([loser, after(runtime, 20, 'b'), after(runtime, 50, 'c')], { runtime });
  await clock.advance(20);
  assert.equal(await won, 'b');
  assert.match(told.message, /lost/);
});

timed('race: all failed, the errors are the very objects', async (clock, runtime) => {
  const errors = [new Error('eu'), new Error('us')];
  const lost = caught(
    weir.race(
      errors.map((error) => () => Promise.reject(error)),
      { runtime },
    ),
  );
  await clock.settle();
  const error = await lost;
  assert.ok(error instanceof weir.AggregateError);
  assert.deepEqual(error.indexes, [0, 1]);
  assert.equal(error.errors[0], errors[0]);
  assert.equal(error.errors[1], errors[1]);
});

timed('race: a decisive sleep is a timeout', async (clock, runtime) => {
  const five = weir.operations.sleep(5000, { status: 'WEIR_ETIMEDOUT', runtime });
  const late = caught(weir.race([never, five], { decisive: [false, true], runtime }));
  await clock.advance(5000);
  assert.ok((await late) instanceof weir.TimeoutError);
});

timed('any, all, allSettled', async (clock, runtime) => {
  const boom = new Error('boom');
  const fails = () => Promise.reject(boom);
  const any = weir.any([fails, after(runtime, 1, 'x')], { runtime });
  const all = weir.all([() => 1, after(runtime, 5, 2), async () => undefined], { runtime });
  const failed = caught(weir.all([never, fails], { runtime }));
  const settled = weir.allSettled([fails, () => 'v', () => boom], { runtime });
  await clock.advance(5);
  assert.equal(await any, 'x');
  assert.deepEqual(await all, [1, 2, undefined]);
  assert.equal(await failed, boom);
  assert.deepEqual(await settled, [
    { status: 'rejected', reason: boom },
    { status: 'fulfilled', value: 'v' },
    { status: 'fulfilled', value: boom },
  ]);
});

timed('parallel: at most so many at once, values in order, progress', async (clock, runtime) => {
  let running = 0;
  let most = 0;
  const progress = [];
  const tasks = Array.from({ length: 10 }, (_, i) => async () => {
    most = Math.max(most, ++running);
    await weir.sleep(10 * (10 - i), { runtime });
    running--;
    return i;
  });
  const done = weir.parallel(tasks, {
    concurrency: 3,
    runtime,
    onProgress: (count, total) => progress.push([count, total]),
  });
  await clock.advance(1000);
  assert.deepEqual(await done, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal(most, 3);
  assert.deepEqual(progress.at(-1), [10, 10]);
  assert.equal(progress.length, 10);
});

timed('parallel: the first failure stops the rest', async (clock, runtime) => {
  const boom = new Error('boom');
  let stopped = false;
  const started = [];
  const tasks = [
    (a) => {
      a.signal.addEventListener('abort', () => (stopped = true));
      return never(a);
    },
    () => Promise.reject(boom),
    () => started.push('third'),
  ];
  const failed = caught(weir.parallel(tasks, { concurrency: 2, runtime }));
  await clock.settle();
  assert.equal(await failed, boom);
  assert.equal(stopped, true);
  assert.deepEqual(started, []);
});

timed('map: keeps going on errors, each has a timeout and a policy', async (clock, runtime) => {
  const policy = new weir.Retry({ maxAttempts: 2, baseDelayMs: 1, runtime });
  const tries = [];
  const work = async (item, index, attempt) => {
    tries.push([item, attempt.attempt]);
    if (item === 'slow') return never(attempt);
    if (item === 'bad') throw new Error('bad');
    return item.toUpperCase();
  };
  const done = weir.map(['a', 'slow', 'bad', 'b'], work, {
    concurrency: 3,
    itemTimeoutMs: 5000,
    stopOnError: false,
    policy,
    runtime,
  });
  await clock.advance(6000);
  const results = await done;
  assert.deepEqual(
    results.map((one) => one.status),
    ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
  );
  assert.ok(results[1].reason instanceof weir.TimeoutError);
  assert.equal(results[2].reason.message, 'bad');
  assert.equal(tries.filter(([item]) => item === 'bad').length, 2);
});

timed('map: items of a generator are taken as there is room', async (clock, runtime) => {
  let taken = 0;
  async function* items() {
    for (; taken < 7; taken++) yield taken;
  }
  const first = weir.map(items(), (n) => weir.sleep(100, { value: n * 2, runtime }), {
    concurrency: 2,
    runtime,
  });
  await clock.advance(50);
  assert.ok(taken <= 3, `${taken} were taken`);
  await clock.advance(1000);
  assert.deepEqual(await first, [0, 2, 4, 6, 8, 10, 12]);
});

timed(
  'map: a generator that throws fails the whole, and is closed on failure',
  async (clock, runtime) => {
    const boom = new Error('source');
    let closed = false;
    function* broken() {
      yield 1;
      throw boom;
    }
    function* endless() {
      try {
        for (;;) yield 1;
      } finally {
        closed = true;
      }
    }
    const failed = caught(weir.map(broken(), (n) => n, { concurrency: 1, runtime }));
    const stopped = caught(
      weir.map(endless(), () => Promise.reject(boom), { concurrency: 1, runtime }),
    );
    await clock.settle();
    assert.equal(await failed, boom);
    assert.equal(await stopped, boom);
    assert.equal(closed, true);
  },
);

timed('pool: tasks are added while it runs', async (clock, runtime) => {
  const pool = new weir.Pool({ concurrency: 2, runtime });
  const order = [];
  const first = pool.add(after(runtime, 10, 'a'));
  void pool.add(async () => {
    order.push('b');
    await pool.add(() => order.push('from inside'));
    return 'b';
  });
  await clock.advance(20);
  assert.equal(await first, 'a');
  const all = pool.drained();
  await clock.advance(20);
  assert.deepEqual(await all, ['a', 'b', 2]);
  assert.ok((await caught(pool.add(() => 1))) instanceof weir.ClosedError);
});

timed('pool: a failure stops it, or is one result', async (clock, runtime) => {
  const boom = new Error('boom');
  const strict = new weir.Pool({ concurrency: 1, runtime });
  const bad = caught(strict.add(() => Promise.reject(boom)));
  const rest = caught(strict.add(() => 1));
  await clock.settle();
  assert.equal(await bad, boom);
  assert.equal(await caught(strict.drained().catch((e) => Promise.reject(e))), boom);
  assert.equal(await rest, boom);
  const loose = new weir.Pool({ concurrency: 1, stopOnError: false, runtime });
  void loose.add(() => Promise.reject(boom));
  void loose.add(() => 1);
  const results = loose.drained();
  await clock.settle();
  assert.deepEqual(await results, [
    { status: 'rejected', reason: boom },
    { status: 'fulfilled', value: 1 },
  ]);
});

timed(
  'waterfall: each is fed by the last; the step that failed is named',
  async (clock, runtime) => {
    const price = weir.waterfall(
      [(user) => [user, 10, 20], ([, ...n]) => n[0] + n[1], (sum) => sum * 0.9],
      {
        input: 'ann',
        runtime,
      },
    );
    await clock.settle();
    assert.equal(await price, 27);
    const boom = new Error('boom');
    const failed = caught(weir.waterfall([() => 1, () => Promise.reject(boom)], { runtime }));
    await clock.settle();
    const error = await failed;
    assert.ok(error instanceof weir.FailedError);
    assert.equal(error.message, 'step 2 of 2 failed: boom');
    assert.equal(error.cause, boom);
  },
);

timed('poll: until done, at most so often', async (clock, runtime) => {
  let tries = 0;
  const job = () => ({ state: ++tries === 4 ? 'completed' : 'running' });
  const done = weir.poll(job, {
    intervalMs: 2000,
    maxAttempts: 30,
    until: (j) => j.state === 'completed',
    runtime,
  });
  await clock.advance(6000);
  assert.deepEqual(await done, { state: 'completed' });
  const gaveUp = caught(
    weir.poll(() => 'no', { intervalMs: 10, maxAttempts: 3, until: (v) => v === 'yes', runtime }),
  );
  await clock.advance(100);
  const error = await gaveUp;
  assert.ok(error instanceof weir.ExhaustedError);
  assert.equal(error.value, 'no');
  assert.equal(error.attempts, 3);
});

timed('sleep: a value, a signal', async (clock, runtime) => {
  const controller = new AbortController();
  const value = weir.sleep(10, { value: 'v', runtime });
  const stopped = caught(weir.sleep(1e6, { signal: controller.signal, runtime }));
  await clock.advance(10);
  assert.equal(await value, 'v');
  controller.abort();
  await clock.settle();
  assert.equal((await stopped).name, 'AbortError');
});

timed('operations are built into each other', async (clock, runtime) => {
  const retry = new weir.Retry({ maxAttempts: 2, baseDelayMs: 10, jitter: 'none', runtime });
  let calls = 0;
  const flaky = weir.operation(
    ({ input }) => {
      if (++calls % 2 === 1) throw new Error('odd');
      return input * 2;
    },
    { runtime },
  );
  const recipe = weir.operations.waterfall([retry.wrap(flaky), retry.wrap(flaky)], { runtime });
  for (const input of [1, 5]) {
    const done = recipe.run({ input });
    await clock.advance(100);
    assert.equal(await done, input * 4);
  }
  const judging = new weir.Retry({
    maxAttempts: 3,
    baseDelayMs: 1,
    failureWhen: (v) => v < 3,
    runtime,
  });
  let n = 0;
  const counted = judging.wrap(weir.operation(() => ++n, { runtime })).run();
  await clock.advance(100);
  assert.equal(await counted, 3);
});

test('things of different runtimes do not mix', () => {
  const one = new weir.TestClock();
  const other = new weir.TestClock();
  const a = weir.operation(() => 1, { runtime: one.runtime });
  const b = weir.operation(() => 1, { runtime: other.runtime });
  assert.throws(() => weir.operations.race([a, b]), weir.InvalidError);
});
