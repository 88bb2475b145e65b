// SPDX-License-Identifier: MIT
// U4: ask two regions, the first success wins, 5 seconds for all of it; when both fail, why each
// did.
import assert from 'node:assert/strict';
import { AggregateError, Attempt, race, sleep } from 'weir';
import { play } from './play.js';

void play(async (runtime, clock) => {
  const region =
    (name: string, ms: number, fails = false) =>
    async ({ signal }: Attempt) => {
      await sleep(ms, { signal, runtime });
      if (fails) throw new Error(`${name} is down`);
      return `hello from ${name}`;
    };

  const answer = await race([region('eu', 80), region('us', 30)], { deadlineMs: 5000, runtime });
  assert.equal(answer, 'hello from us');
  assert.equal(clock.now, 30);

  try {
    await race([region('eu', 80, true), region('us', 30, true)], { deadlineMs: 5000, runtime });
    assert.fail('both are down');
  } catch (error) {
    assert.ok(error instanceof AggregateError);
    assert.deepEqual(
      error.errors.map((one) => (one as Error).message),
      ['eu is down', 'us is down'],
    );
  }
});
