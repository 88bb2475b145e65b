// SPDX-License-Identifier: MIT
// U11: process items 3 at a time, 5 seconds each, keep going on errors, count what succeeded and
// failed.
import assert from 'node:assert/strict';
import { Attempt, map, sleep, TimeoutError } from 'weir';
import { play } from './play.js';

void play(async (runtime) => {
  const items = Array.from({ length: 20 }, (_, i) => i);
  const work = async (item: number, _index: number, { signal }: Attempt) => {
    if (item % 10 === 3) await sleep(60_000, { signal, runtime }); // hangs
    if (item % 7 === 6) throw new Error(`item ${item} is broken`);
    return sleep(1000, { value: item, signal, runtime });
  };

  const results = await map(items, work, {
    concurrency: 3,
    itemTimeoutMs: 5000,
    stopOnError: false,
    runtime,
  });
  const succeeded = results.filter((result) => result.status === 'fulfilled');
  const failed = results.filter((result) => result.status === 'rejected');
  assert.equal(succeeded.length, 17);
  assert.equal(failed.length, 3);
  assert.ok(results[3]!.status === 'rejected' && results[3]!.reason instanceof TimeoutError);
});
