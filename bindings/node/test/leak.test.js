// SPDX-License-Identifier: MIT
'use strict';
// Nothing grows: not weir's tables, not the heap, not the process. Needs --expose-gc.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const weir = require('weir');
const { becomes, often, collected } = require('./support/index.js');

async function rss() {
  await collected();
  return process.memoryUsage().rss;
}

// Runs `round` until it is warm, then as often again and more: memory may not follow.
async function steady(round, times) {
  for (let i = 0; i < times; i++) await round();
  const before = await rss();
  const heap = process.memoryUsage().heapUsed;
  for (let i = 0; i < times * 2; i++) await round();
  const grown = (await rss()) - before;
  const heapGrown = process.memoryUsage().heapUsed - heap;
  assert.ok(heapGrown < 4e6, `the heap grew by ${heapGrown}`);
  assert.ok(grown < 24e6, `the process grew by ${grown}`);
}

test('values, errors and slots are given back', async () => {
  const runtime = new weir.Runtime();
  const retry = new weir.Retry({ maxAttempts: 2, baseDelayMs: 0, runtime });
  const round = () =>
    Promise.all(
      Array.from({ length: 500 }, (_, i) =>
        retry.settle(() => {
          if (i % 10 === 0) throw new Error('x'.repeat(1000));
          return new Array(100).fill(i);
        }),
      ),
    );
  await steady(round, often(20));
  assert.equal(runtime._runs.size, 1);
  assert.equal(runtime._attempts.filter(Boolean).length, 0);
  await becomes(() => runtime._values.size <= 2);
  assert.ok(runtime._values.size <= 2, `${runtime._values.size} values are held`);
  await runtime.close();
});

test('what a run held is collected', async () => {
  const registry = [];
  const run = async () => {
    const value = { big: new Array(1000) };
    registry.push(new WeakRef(value));
    const got = await weir.retry(async () => value);
    assert.equal(got, value);
    const error = new Error('held');
    registry.push(new WeakRef(error));
    await weir.retry(() => Promise.reject(error), { maxAttempts: 1 }).catch(() => {});
  };
  await run();
  await weir.run(() => 1); // the released ids have come
  await collected();
  await collected();
  assert.deepEqual(
    registry.map((ref) => ref.deref()),
    [undefined, undefined],
  );
});

test('policies, operations, caches and runtimes that nobody closed are collected', async () => {
  const runtime = new weir.Runtime();
  const round = async () => {
    for (let i = 0; i < 50; i++) {
      const breaker = new weir.Breaker({ runtime, onStateChange: () => {} });
      const retry = new weir.Retry({ runtime });
      const call = weir.pipeline(breaker, retry);
      const cache = new weir.Cache({ maxEntries: 10, runtime, onEvict: () => {} });
      cache.put('k', { i });
      await weir.race([() => 1, () => 2], { runtime });
      await call.wrap(() => 1).run();
      await weir.operations.waterfall([() => 1, () => 2], { runtime }).run();
    }
    await collected();
  };
  await steady(round, often(5));
  assert.ok(runtime._functions.size < 400, `${runtime._functions.size} functions are held`);
  assert.ok(runtime._listeners.size < 400, `${runtime._listeners.size} listeners are held`);
  await runtime.close();
});

test('runtimes come and go', async () => {
  const round = async () => {
    for (let i = 0; i < 10; i++) {
      const runtime = new weir.Runtime();
      await weir.run(() => i, { runtime });
      if (i % 2 === 0) await runtime.close(); // the others are left to the collector
    }
    await collected();
  };
  await steady(round, often(5));
});

test('decide doors and lookups leave nothing behind', async () => {
  const breaker = new weir.Breaker();
  const limiter = new weir.Limiter({ permits: 1e6, intervalMs: 1 });
  const cache = new weir.Cache({ maxEntries: 100 });
  const round = async () => {
    for (let i = 0; i < 20000; i++) {
      breaker.report(breaker.tryAcquire(), i % 7 !== 0);
      limiter.tryAcquire();
      cache.put(i % 300, { i });
      cache.lookup(i % 300);
    }
    await weir.run(() => 1);
  };
  await steady(round, often(5));
});
