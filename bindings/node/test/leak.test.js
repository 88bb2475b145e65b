// SPDX-License-Identifier: MIT
'use strict';
// Nothing grows: not weir's tables, not the heap, not the process. Needs --expose-gc.
const assert = require('node:assert/strict');
const { readdirSync } = require('node:fs');
const { test } = require('node:test');
const weir = require('weir');
const { becomes, often, collected } = require('./support/index.js');

const KIB = 1024;

/** What the process holds now: its pages, the heap's objects, and the buffers beside the heap. */
async function held() {
  await collected();
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  return { rss, heapUsed, arrayBuffers };
}

// Runs `round` `times` times, again and again, until each of what the process holds stood still once
// meanwhile. The heap's spaces grow in steps while it warms up, whenever it likes; each step is
// taken once, while what leaks grows every time.
async function steady(round, times) {
  const still = { rss: 512 * KIB, heapUsed: 64 * KIB, arrayBuffers: 16 * KIB };
  const least = {};
  let before = await held();
  const grows = (what) => least[what] >= still[what];
  for (let window = 0; window < 15; window++) {
    for (let i = 0; i < times; i++) await round();
    const after = await held();
    for (const what in after)
      least[what] = Math.min(after[what] - before[what], least[what] ?? Infinity);
    if (!Object.keys(still).some(grows)) return;
    before = after;
  }
  assert.fail(`bytes that every ${times} rounds add, at least: ${JSON.stringify(least)}`);
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
  const own = (what) => readdirSync(`/proc/self/${what}`).length; // threads, descriptors
  const round = async () => {
    for (let i = 0; i < 10; i++) {
      const runtime = new weir.Runtime();
      await weir.run(() => i, { runtime });
      if (i % 2 === 0) await runtime.close(); // the others are left to the collector
    }
    await collected();
  };
  await round();
  const threads = own('task'),
    descriptors = own('fd');
  await steady(round, often(5));
  // One of those that are left may be younger than the last collection.
  await becomes(() => own('task') <= threads + 1);
  assert.ok(own('task') <= threads + 1, `${own('task')} threads, ${threads} at first`);
  assert.ok(own('fd') <= descriptors + 8, `${own('fd')} descriptors, ${descriptors} at first`);
});

test('a runtime that nobody holds is collected, closed or not', async () => {
  const made = async (closes) => {
    const runtime = new weir.Runtime();
    await weir.run(() => 1, { runtime });
    if (closes) await runtime.close();
    return new WeakRef(runtime);
  };
  const refs = [await made(true), await made(false)];
  await weir.run(() => 1); // nothing on the stack is theirs any more
  const gone = () => refs.every((ref) => ref.deref() === undefined);
  for (let i = 0; i < 50 && !gone(); i++) await collected();
  assert.deepEqual(
    refs.map((ref) => ref.deref() === undefined),
    [true, true],
  );
});

// Made and dropped over and over, and each time what its own functions know of it, too.
test('what knows itself through its own functions is collected', async () => {
  const runtime = new weir.Runtime();
  const made = () => {
    const breaker = new weir.Breaker({ runtime, onStateChange: () => breaker.state });
    const retry = new weir.Retry({ runtime, onRetry: () => retry.name });
    const evicting = new weir.Cache({ runtime, onEvict: () => evicting.stats });
    const many = new weir.Cache({ runtime, loadMany: (keys) => keys.map(() => many.name) });
    const own = weir.operations.of(() => own.run, { runtime });
    return [breaker, retry, evicting, many, own].map((one) => new WeakRef(one));
  };
  const refs = made();
  const gone = () => refs.every((ref) => ref.deref() === undefined);
  for (let i = 0; i < 50 && !gone(); i++) await collected();
  assert.deepEqual(
    refs.map((ref) => ref.deref() === undefined),
    refs.map(() => true),
  );
  const left = () => runtime._functions.size + runtime._listeners.size;
  for (let i = 0; i < 50 && left() > 1; i++) await collected();
  assert.equal(runtime._functions.size, 0);
  assert.equal(runtime._listeners.size, 1); // 0 is nobody's number
  await runtime.close();
});

test('what comes to nothing leaves nothing behind', async () => {
  const runtime = new weir.Runtime();
  const scope = new weir.Scope({ runtime });
  scope.close();
  const tell = () => {};
  const retry = new weir.Retry({ runtime, onRetry: tell });
  const sizes = () => [runtime._listeners.size, runtime._values.size, runtime._runs.size];
  const before = sizes();
  for (let i = 0; i < 100; i++) {
    for (const make of [
      () => new weir.Breaker({ runtime, failureThreshold: -1, onStateChange: tell }),
      () => new weir.Retry({ runtime, maxAttempts: -2, onRetry: tell }),
      () => new weir.Cache({ runtime, maxEntries: -2, onEvict: tell }),
      () => new weir.Pool({ runtime, concurrency: -2 }),
      () => retry.setOptions({ maxAttempts: -2, onRetry: tell }),
      () => retry.setOptions({ classify: 'no function' }),
    ])
      assert.throws(make, weir.InvalidError);
    retry.setOptions({ onRetry: tell });
    await assert.rejects(weir.run(tell, { runtime, scope, input: {} }), weir.ClosedError);
  }
  await weir.run(tell, { runtime }); // behind what is released
  assert.deepEqual(sizes(), before);
  await runtime.close();
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
