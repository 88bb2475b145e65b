// SPDX-License-Identifier: MIT
// U9: poll a job every 2 seconds, at most 30 times, until it is completed.
import assert from 'node:assert/strict';
import { poll } from 'weir';
import { play } from './play.js';

type Job = { id: number; state: 'running' | 'completed' };

void play(async (runtime, clock) => {
  let asked = 0;
  const fetchJob = async (): Promise<Job> => {
    if (++asked === 3) throw new Error('a hiccup is tolerated');
    return { id: 7, state: asked < 6 ? 'running' : 'completed' };
  };
  const job = await poll(fetchJob, {
    intervalMs: 2000,
    maxAttempts: 30,
    until: ({ state }) => state === 'completed',
    runtime,
  });
  assert.equal(job.state, 'completed');
  assert.equal(clock.now, 5 * 2000);
});
