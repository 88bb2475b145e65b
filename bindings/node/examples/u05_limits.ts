// SPDX-License-Identifier: MIT
// U5: call an API at most 5 at once and 100 in any minute; the rest wait their turn.
import assert from 'node:assert/strict';
import { Limiter, sleep } from 'weir';
import { play } from './play.js';

void play(async (runtime, clock) => {
  const api = new Limiter({
    name: 'api',
    algorithm: 'sliding-window',
    permits: 100,
    intervalMs: 60_000,
    maxConcurrent: 5,
    maxQueue: Infinity,
    runtime,
  });
  const starts: number[] = [];
  let running = 0;
  let most = 0;
  const call = api.bind(async (n: number) => {
    starts.push(clock.now);
    most = Math.max(most, ++running);
    await sleep(100, { runtime });
    running--;
    return n;
  });

  const answers = await Promise.all(Array.from({ length: 250 }, (_, n) => call(n)));
  assert.equal(answers.length, 250);
  assert.equal(most, 5);
  for (let i = 100; i < starts.length; i++) {
    assert.ok(starts[i]! - starts[i - 100]! >= 60_000, 'more than 100 in a minute');
  }
});
