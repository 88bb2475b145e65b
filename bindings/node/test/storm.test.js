// SPDX-License-Identifier: MIT
'use strict';
// Cancels, closes and completions in all orders, on real threads: everything settles exactly once,
// and
// nothing is left.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const weir = require('weir');
const { becomes, often } = require('./support/index.js');

// Seeded, so that a failure can be repeated.
function random(seed) {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  };
}

// Something that takes a while, stops when told to (or not), and may fail.
function work(next) {
  const kind = next();
  return async ({ signal }) => {
    if (kind < 0.3) return 'at once';
    if (kind < 0.5) throw new Error('fails');
    if (kind < 0.7) {
      await new Promise((resolve) => setImmediate(resolve));
      return 'later';
    }
    if (kind < 0.85) {
      return new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason)),
      );
    }
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    await new Promise((resolve) => setTimeout(resolve, 1));
    return 'too late';
  };
}

test('cancel storm: every run settles once, whenever it is cancelled', async () => {
  const runtime = new weir.Runtime();
  const next = random(7);
  const retry = new weir.Retry({ maxAttempts: 2, baseDelayMs: 1, runtime });
  const timeout = new weir.Timeout({ timeoutMs: 5, runtime });
  const policies = [retry, timeout, weir.pipeline(timeout, retry), weir.pipeline(retry, timeout)];
  for (let round = 0; round < often(20); round++) {
    const runs = Array.from({ length: 200 }, (_, i) => {
      const controller = new AbortController();
      const settled = policies[i % 4].settle(work(next), {
        signal: controller.signal,
        deadlineMs: 50,
      });
      if (next() < 0.3) controller.abort();
      else if (next() < 0.5) queueMicrotask(() => controller.abort());
      else setTimeout(() => controller.abort(), next() * 8);
      return settled;
    });
    const outcomes = await Promise.all(runs);
    assert.ok(outcomes.every((outcome) => outcome instanceof weir.Outcome));
  }
  await becomes(() => runtime.stats.orphans === 0 && runtime._runs.size === 1);
  const { liveCalls, orphans } = runtime.stats;
  assert.deepEqual([liveCalls, orphans], [0, 0]);
  assert.equal(runtime._runs.size, 1, 'slots are free again');
  await runtime.close();
});

test('close storm: a runtime closed at any moment settles all it took', async () => {
  const next = random(11);
  for (let round = 0; round < often(30); round++) {
    const runtime = new weir.Runtime({ closeGraceMs: 100 });
    const retry = new weir.Retry({ maxAttempts: 3, baseDelayMs: 1, runtime });
    const runs = Array.from({ length: 50 }, () => retry.settle(work(next)));
    const racers = weir.settle(weir.operations.race([work(next), work(next)], { runtime }));
    const delay = next() * 4;
    if (delay > 1) await new Promise((resolve) => setTimeout(resolve, delay));
    const late = [];
    const closed = runtime.close();
    for (let i = 0; i < 5; i++) late.push(retry.settle(work(next)));
    const outcomes = await Promise.all([...runs, racers]);
    assert.ok(outcomes.every((outcome) => typeof outcome.ok === 'boolean'));
    assert.ok((await Promise.all(late)).every((outcome) => outcome.status === 'WEIR_ECLOSED'));
    await closed;
    assert.equal(runtime.stats.liveCalls, 0);
  }
});

test('one signal for thousands of runs', async () => {
  const controller = new AbortController();
  const why = new Error('all of you');
  const runs = Array.from({ length: 3000 }, () =>
    weir.run(() => new Promise(() => {}), { signal: controller.signal }).catch((error) => error),
  );
  setTimeout(() => controller.abort(why), 5);
  assert.ok((await Promise.all(runs)).every((error) => error === why));
});

test('users’ code that cancels, runs and closes from everywhere', async () => {
  const runtime = new weir.Runtime();
  const controller = new AbortController();
  const done = [];
  const self = weir.settle(
    async () => {
      controller.abort(); // itself
      done.push(weir.settle(() => done.length, { runtime }));
      new weir.Retry({ runtime }).close();
      return 1;
    },
    { signal: controller.signal, runtime },
  );
  assert.equal((await self).channel, 'stopped');
  const thrower = weir.settle(
    () => {
      void runtime.close();
      throw new Error('and fails');
    },
    { runtime },
  );
  await thrower;
  await Promise.all(done);
  await runtime.close();
});

test('functions of all shapes', async () => {
  const thenable = { then: (resolve) => resolve('thenable') };
  const hostile = {
    get then() {
      throw new Error('getter');
    },
  };
  const shapes = [
    [() => 1, 1],
    [() => undefined, undefined],
    [() => null, null],
    [async () => NaN, NaN],
    [() => thenable, 'thenable'],
    [async () => [1, [2]], [1, [2]]],
  ];
  for (const [fn, value] of shapes) assert.deepEqual(await weir.run(fn), value);
  assert.equal((await weir.settle(() => hostile)).error.message, 'getter');
  await assert.rejects(weir.retry('not a function'), weir.InvalidError);
});

test('the event loop is not starved by runs that follow each other', async () => {
  const retry = new weir.Retry();
  let stop = false;
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  setTimeout(() => (stop = true), 200);
  const busy = async () => {
    while (!stop) await retry.run(() => 1);
  };
  await Promise.all(Array.from({ length: 200 }, busy));
  clearInterval(timer);
  assert.ok(ticks > 5, `${ticks} ticks in 200 ms`);
});
