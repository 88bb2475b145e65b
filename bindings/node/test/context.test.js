// SPDX-License-Identifier: MIT
'use strict';
// Deciders that answer later, and the asynchronous context (AsyncLocalStorage) that functions see.
const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const { test } = require('node:test');
const weir = require('weir');
const { becomes, timed, caught } = require('./support/index.js');

timed('shouldRetry may answer later', async (clock, runtime) => {
  let calls = 0;
  const failing = async () => {
    throw new Error(`failure ${++calls}`);
  };
  const asked = [];
  const run = caught(
    weir.retry(failing, {
      maxAttempts: 10,
      baseDelayMs: 10,
      jitter: 'none',
      shouldRetry: async (error, attempt) => {
        await weir.sleep(100, { runtime });
        asked.push([error.message, attempt]);
        return attempt < 3;
      },
      runtime,
    }),
  );
  await clock.advance(10_000);
  assert.equal((await run).message, 'failure 3');
  assert.deepEqual(asked, [
    ['failure 1', 1],
    ['failure 2', 2],
    ['failure 3', 3],
  ]);
  assert.equal(weir.outcomeOf(await run).stopReason, 'final');
});

timed('classify, failureWhen and until may answer later', async (clock, runtime) => {
  const later = async (answer) => {
    await null;
    return answer;
  };
  const breaker = new weir.Breaker({
    failureThreshold: 1,
    classify: ({ error }) => later(error?.message === 'mine' ? 'ignore' : undefined),
    runtime,
  });
  void caught(breaker.run(() => Promise.reject(new Error('mine'))));
  await clock.settle();
  assert.equal(breaker.state, 'closed');
  void caught(breaker.run(() => Promise.reject(new Error('theirs'))));
  await clock.settle();
  assert.equal(breaker.state, 'open');
  let tries = 0;
  const payment = weir.retry(() => ++tries, {
    baseDelayMs: 0,
    failureWhen: (value) => later(value < 3),
    runtime,
  });
  await clock.advance(100);
  assert.equal(await payment, 3);
  let polls = 0;
  const job = weir.poll(() => ++polls, {
    intervalMs: 1,
    until: (value) => later(value === 4),
    runtime,
  });
  await clock.advance(100);
  assert.equal(await job, 4);
});

timed('a decider that rejects ends the run with that', async (clock, runtime) => {
  const mine = new Error('of the decider');
  const run = caught(
    weir.retry(() => Promise.reject(new Error('of the function')), {
      shouldRetry: () => Promise.reject(mine),
      runtime,
    }),
  );
  await clock.advance(100_000);
  assert.equal(await run, mine);
  const word = caught(new weir.Retry({ classify: async () => 'wrong', runtime }).run(() => 1));
  await clock.advance(100_000);
  assert.ok((await word) instanceof weir.InvalidError);
});

timed('a decider that never answers is ended by a timeout', async (clock, runtime) => {
  const call = weir.pipeline(
    new weir.Timeout({ timeoutMs: 50, runtime }),
    new weir.Retry({ shouldRetry: () => new Promise(() => {}), runtime }),
  );
  const run = caught(call.run(() => Promise.reject(new Error('x'))));
  await clock.advance(60);
  assert.ok((await run) instanceof weir.TimeoutError);
});

const store = new AsyncLocalStorage();
const here = () => store.getStore();

test('functions, deciders and listeners of a call see its context', async () => {
  const seen = [];
  const see = (what) => seen.push([what, here()]);
  const one = (id) =>
    store.run(id, () =>
      weir.retry(
        async ({ attempt }) => {
          see('function');
          await null;
          if (attempt === 1) throw new Error('again');
          return here();
        },
        {
          baseDelayMs: 1,
          shouldRetry: () => see('decider') > 0,
          onRetry: () => see('listener'),
        },
      ),
    );
  const ids = Array.from({ length: 50 }, (_, i) => `request ${i}`);
  assert.deepEqual(await Promise.all(ids.map(one)), ids);
  for (const id of ids) {
    const own = seen.filter(([, store]) => store === id).map(([what]) => what);
    assert.deepEqual(own, ['function', 'decider', 'listener', 'function']);
  }
  assert.equal(seen.length, 50 * 4);
  assert.equal(here(), undefined);
});

test('what is composed carries the context on', async () => {
  const seen = [];
  const step = () => seen.push(here());
  const flight = new weir.Flight();
  const cache = new weir.Cache({ load: step });
  const pool = store.run('pool', () => new weir.Pool({ concurrency: 1 }));
  const recipe = weir.operations.waterfall([step, step]);
  const slow = weir.debounce(step, 1);
  await store.run('a', async () => {
    await weir.race([step, step]);
    await weir.map([1, 2], step, { concurrency: 2, onProgress: step });
    await weir.waterfall([step, step]);
    await recipe.run();
    await weir.poll(step, { intervalMs: 1 });
    await weir.scope(async (scope) => {
      await scope.open(step, step);
      await scope.run(step);
    });
    await weir.fallback(() => Promise.reject(new Error('x')), { run: step });
    await flight.run('k', step);
    await cache.get('k');
    await slow();
    await pool.add(step);
    assert.equal(here(), 'a');
  });
  await pool.drained();
  assert.ok(seen.length >= 19, `${seen.length}`);
  assert.deepEqual([...new Set(seen)], ['a']);
});

test('who is told to stop is told in the context of the run', async () => {
  let seen = 'nothing';
  const controller = new AbortController();
  const stopped = ({ signal }) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        seen = here();
        reject(signal.reason);
      });
      setImmediate(() => controller.abort());
    });
  await caught(store.run('stopped', () => weir.run(stopped, { signal: controller.signal })));
  await becomes(() => seen !== 'nothing');
  assert.equal(seen, 'stopped');
});
