// SPDX-License-Identifier: MIT
'use strict';
const assert = require('node:assert/strict');
const { test } = require('node:test');
const weir = require('weir');
const { becomes, timed, caught, after } = require('./support/index.js');

timed('cache: equal calls that overlap load once; kept for its time', async (clock, runtime) => {
  let loads = 0;
  const profiles = weir.cache({
    ttlMs: 60000,
    load: async (id) => {
      loads++;
      await weir.sleep(10, { runtime });
      return { id };
    },
    runtime,
  });
  const three = Promise.all([profiles.get('7'), profiles.get('7'), profiles.get('7')]);
  await clock.advance(10);
  const [a, b, c] = await three;
  assert.ok(a === b && b === c && a.id === '7');
  assert.equal(loads, 1);
  assert.equal(profiles.lookup('7'), a);
  await clock.advance(60000);
  assert.equal(profiles.lookup('7'), undefined);
});

timed('cache: stale if the backend is down; failures are remembered', async (clock, runtime) => {
  let down = false;
  let loads = 0;
  const boom = new Error('down');
  const cache = new weir.Cache({
    ttlMs: 1000,
    staleIfErrorMs: 10000,
    load: () => {
      loads++;
      if (down) throw boom;
      return 'fresh';
    },
    runtime,
  });
  const first = cache.get('k');
  await clock.settle();
  assert.equal(await first, 'fresh');
  down = true;
  await clock.advance(1001);
  const stale = cache.get('k');
  await clock.settle();
  assert.equal(await stale, 'fresh');
  const unknown = caught(cache.get('other'));
  await clock.settle();
  assert.equal(await unknown, boom);
  assert.equal(loads, 3);
});

timed('cache: the decide door', async (clock, runtime) => {
  const evicted = [];
  const cache = new weir.Cache({
    maxWeight: 10,
    weigh: (key, value) => value.length,
    onEvict: ({ key, value, cause }) => evicted.push([key, value, cause]),
    eviction: 'lru',
    runtime,
  });
  assert.equal(cache.put('a', 'xxxx'), true);
  assert.equal(cache.put('b', 'yyyy'), true);
  assert.equal(cache.put('big', 'z'.repeat(11)), false);
  assert.equal(cache.put('c', 'zzzz'), true);
  assert.equal(cache.putIfAbsent('c', 'other'), 'zzzz');
  assert.equal(cache.putIfAbsent('d', 'd'), undefined);
  assert.equal(cache.touch('c', 1000), true);
  assert.equal(cache.touch('nothing', 1000), false);
  assert.deepEqual([...cache].map(({ key, weight }) => [key, weight]).sort(), [
    ['b', 4],
    ['c', 4],
    ['d', 1],
  ]);
  assert.equal(cache.delete('b'), true);
  assert.equal(cache.delete('b'), false);
  cache.clear();
  assert.equal(cache.stats.entries, 0);
  await clock.settle();
  assert.deepEqual(evicted[0], ['a', 'xxxx', 'size']);
  assert.ok(evicted.some(([key, , cause]) => key === 'd' && cause === 'cleared'));
});

timed('cache: a value that is undefined is one; keys are text', async (clock, runtime) => {
  const cache = new weir.Cache({ runtime });
  cache.put(1, undefined);
  assert.equal(cache.has('1'), true);
  assert.equal(cache.has(2), false);
  assert.throws(() => cache.put({}, 1), weir.InvalidError);
  const long = 'k'.repeat(1000);
  cache.put(long, 'long');
  assert.equal(cache.lookup(long), 'long');
  cache.put(new Uint8Array([1, 2]), 'bytes');
  assert.equal(cache.lookup(new Uint8Array([1, 2])), 'bytes');
});

timed('cache: many keys by one load', async (clock, runtime) => {
  const boom = new Error('no c');
  const asked = [];
  const cache = new weir.Cache({
    loadMany: async (keys) => {
      asked.push(keys);
      return keys.map((key) => (key === 'c' ? boom : key === 'd' ? undefined : key.toUpperCase()));
    },
    runtime,
  });
  cache.put('a', 'here');
  const many = cache.getMany(['a', 'b', 'c', 'd']);
  await clock.settle();
  const [a, b, c, d] = await many;
  assert.deepEqual([a, b], ['here', 'B']);
  assert.equal(c, boom);
  assert.ok(d instanceof weir.NotFoundError);
  assert.deepEqual(asked, [['b', 'c', 'd']]);
});

timed('cache: many keys under a policy with deciders', async (clock, runtime) => {
  const cache = new weir.Cache({ runtime });
  let loads = 0;
  const many = cache.operationMany(({ input }) => (++loads, input.map((key) => `${key}${loads}`)));
  const policy = new weir.Retry({
    failureWhen: (list) => list[0] === 'a1',
    baseDelayMs: 1,
    runtime,
  });
  const got = many.run({ keys: ['a', 'b'], policy }).catch((error) => error);
  await clock.advance(1000);
  const error = await got; // what was loaded is there, so that trying again finds it
  assert.ok(error instanceof weir.ExhaustedError);
  assert.deepEqual(error.value, ['a1', 'b1']);
  assert.equal(loads, 1);
});

timed('cache: the load goes on for the others when the first has left', async (clock, runtime) => {
  const cache = new weir.Cache({ runtime });
  const controller = new AbortController();
  let stopped = false;
  const load = (key, attempt) => {
    attempt.signal.addEventListener('abort', () => (stopped = true));
    return weir.sleep(100, { value: 'late', runtime });
  };
  const first = caught(cache.get('k', load, { signal: controller.signal }));
  const second = cache.get('k', load);
  await clock.advance(10);
  controller.abort(new Error('left'));
  await clock.advance(90);
  assert.equal((await first).message, 'left');
  assert.equal(await second, 'late');
  assert.equal(stopped, false);
});

timed('memoize: once for equal arguments, errors are not kept', async (clock, runtime) => {
  let calls = 0;
  const add = weir.memoize(async (a, b) => ++calls && a + b, { ttlMs: 1000, runtime });
  const sums = Promise.all([add(1, 2), add(1, 2), add(2, 2)]);
  await clock.settle();
  assert.deepEqual(await sums, [3, 3, 4]);
  assert.equal(calls, 2);
  assert.equal(add.invalidate(1, 2), true);
  const again = add(1, 2);
  await clock.settle();
  await again;
  assert.equal(calls, 3);
  let tries = 0;
  const flaky = weir.memoize(() => (++tries === 1 ? Promise.reject(new Error('x')) : 'ok'), {
    runtime,
  });
  const failed = caught(flaky());
  await clock.settle();
  await failed;
  const fine = flaky();
  await clock.settle();
  assert.equal(await fine, 'ok');
});

timed('memoize: what JSON takes for the same is told apart', async (clock, runtime) => {
  const same = weir.memoize((...args) => args, { runtime });
  const given = [
    [null],
    [undefined],
    [NaN],
    [Infinity],
    [-Infinity],
    ['null'],
    [1n],
    [1],
    [[null]],
  ];
  for (const args of [...given, [[undefined]]]) {
    const both = Promise.all([same(...args), same(...args)]);
    await clock.settle();
    const [first, second] = await both;
    assert.deepEqual(first, args);
    assert.equal(second, first);
  }
  class Opaque {
    #inside = 1;
  }
  for (const arg of [new Map([[1, 2]]), new Set(), new Opaque(), () => 1, Symbol('x'), [new Map()]])
    await assert.rejects(same(arg), /InvalidError: no key can be made of a/);
  assert.equal(same.cache.stats.loads, given.length + 1);
});

test('cache: a lifetime that is over keeps nothing, and none is negative', () => {
  for (const [lifetime, kept] of [
    [-1, false],
    [-5, false],
    [0, false],
    [5000, true],
    [Infinity, true],
    [undefined, true],
    [null, true],
  ]) {
    const cache = new weir.Cache({ ttlFor: () => lifetime });
    cache.put('a', 1);
    assert.equal(cache.has('a'), kept, String(lifetime));
    cache.put('b', 1, { ttlMs: 5000 });
    for (const ttlMs of [-1, -2, NaN, 'x']) {
      assert.throws(() => cache.put('b', 1, { ttlMs }), /cache\.put: ttlMs must be 0 or more/);
      assert.throws(() => cache.touch('b', ttlMs), /cache\.touch: ttlMs must be 0 or more/);
    }
    assert.ok(cache.touch('b', Infinity));
    cache.close();
  }
});

timed('memoize keeps `this`', async (clock, runtime) => {
  const object = {
    base: 10,
    add: weir.memoize(
      function add(n) {
        return this.base + n;
      },
      { runtime },
    ),
  };
  const sum = object.add(5);
  await clock.settle();
  assert.equal(await sum, 15);
});

timed('flight: one does the work, nothing is kept', async (clock, runtime) => {
  const flight = new weir.Flight({ runtime });
  let runs = 0;
  const work = () => {
    runs++;
    return after(runtime, 10, runs)();
  };
  const both = Promise.all([flight.run('k', work), flight.run('k', work), flight.run('j', work)]);
  await clock.advance(10);
  assert.deepEqual(await both, [1, 1, 2]);
  const again = flight.run('k', work);
  await clock.advance(10);
  assert.equal(await again, 3);
  assert.equal(flight.stats.shared, 1);
});

timed(
  'cache: what loadMany does not find is neither weighed nor stored',
  async (clock, runtime) => {
    const found = new Map(Object.entries({ a: 'a', bad: new RangeError('bad'), bcd: 'bcd' }));
    const cache = new weir.Cache({
      maxWeight: 100,
      weigh: (key, value) => value.length,
      ttlFor: (key, value) => value.length * 1000,
      loadMany: async (keys) => keys.map((key) => found.get(key)),
      runtime,
    });
    const many = cache.getMany(['a', 'bad', 'none', 'bcd']);
    await clock.settle();
    const [a, bad, none, b] = await many;
    assert.deepEqual([a, b], ['a', 'bcd']);
    assert.ok(bad instanceof RangeError && none instanceof weir.NotFoundError);
    assert.equal(cache.stats.weight, 4);
  },
);

timed('cache: ttlFor and weigh are asked for all that is stored', async (clock, runtime) => {
  const cache = new weir.Cache({
    ttlMs: 1000,
    ttlFor: (key, value) => value.ttl,
    maxWeight: 100,
    weigh: (key, value) => value.weight ?? 1,
    load: (key) => ({ ttl: 50, weight: 7, key }),
    loadMany: (keys) => Promise.resolve(keys.map((key) => ({ ttl: 30, weight: 2, key }))),
    runtime,
  });
  cache.put('own', { ttl: 10 });
  cache.put('default', {});
  cache.putIfAbsent('absent', { ttl: 20 });
  const loaded = cache.get('loaded');
  const many = cache.getMany(['m1', 'm2']);
  const viaRecipe = cache.operation(({ key }) => ({ ttl: 40, key })).run({ key: 'recipe' });
  await clock.settle();
  assert.equal((await loaded).key, 'loaded');
  assert.equal((await many)[1].key, 'm2');
  assert.equal((await viaRecipe).key, 'recipe');
  assert.equal(cache.stats.weight, 1 + 1 + 1 + 7 + 2 + 2 + 1);
  const ends = Object.fromEntries([...cache].map(({ key, remainingMs }) => [key, remainingMs]));
  assert.deepEqual(ends, {
    own: 10,
    default: 1000,
    absent: 20,
    loaded: 50,
    m1: 30,
    m2: 30,
    recipe: 40,
  });
});

test('the flight recorder tells of new entries as they come', async () => {
  const entries = [];
  const runtime = new weir.Runtime({
    recorderEntries: 256,
    onRecorded: (some) => entries.push(...some),
  });
  const breaker = new weir.Breaker({ name: 'told', failureThreshold: 1, runtime });
  breaker.report(breaker.tryAcquire(), false);
  breaker.tryAcquire();
  await weir.run(() => 1, { runtime });
  await becomes(() => entries.length >= 2);
  assert.ok(entries.some(({ kind, name }) => kind === 'stateChange' && name === 'told'));
  const numbers = entries.map(({ number }) => number);
  assert.deepEqual(numbers, numbers.toSorted?.((a, b) => a - b) ?? numbers, 'in order, each once');
  assert.throws(() => new weir.Runtime({ onRecorded: () => {} }), weir.InvalidError);
  await runtime.close();
});
