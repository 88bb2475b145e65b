// SPDX-License-Identifier: MIT
// U7: a breaker around a service that fails: 5 failures open it, a minute later 2 successes close
// it.
import assert from 'node:assert/strict';
import { Breaker, OpenError, sleep } from 'weir';
import { play } from './play.js';

void play(async (runtime) => {
  let down = true;
  let asked = 0;
  const service = async () => {
    asked++;
    if (down) throw new Error('503');
    return 'fine';
  };
  const changes: string[] = [];
  const breaker = new Breaker({
    name: 'service',
    failureThreshold: 5,
    resetTimeoutMs: 60_000,
    halfOpenSuccessThreshold: 2,
    onStateChange: ({ to }) => changes.push(to),
    runtime,
  });

  for (let i = 0; i < 5; i++) await assert.rejects(breaker.run(service), /503/);
  await assert.rejects(
    breaker.run(service),
    (error: unknown) => error instanceof OpenError && error.retryAfterMs === 60_000,
  );
  assert.equal(asked, 5, 'an open breaker asks nobody');

  down = false;
  await sleep(60_000, { runtime });
  assert.equal(await breaker.run(service), 'fine');
  assert.equal(await breaker.run(service), 'fine');
  assert.equal(breaker.state, 'closed');
  await sleep(0, { runtime });
  assert.deepEqual(changes, ['open', 'half-open', 'closed']);
});
