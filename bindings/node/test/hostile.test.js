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
