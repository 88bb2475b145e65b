// SPDX-License-Identifier: MIT
'use strict';
// What a user of the installed package would write.
const assert = require('node:assert/strict');
const { Breaker, parallel, retry, version, WeirError } = require('weir');

async function main() {
  let calls = 0;
  const value = await retry(
    async () => {
      if (++calls < 3) throw new Error('not yet');
      return 'done';
    },
    {
      maxAttempts: 5,
      backoff: 'exponential',
      baseDelayMs: 1,
      shouldRetry: (e) => e.message === 'not yet',
    },
  );
  assert.equal(value, 'done');
  const tasks = [1, 2, 3].map((n) => async () => n * n);
  assert.deepEqual(await parallel(tasks, { concurrency: 2 }), [1, 4, 9]);
  assert.throws(() => new Breaker({ failureThreshold: 0 }), WeirError);
  console.log(`weir ${version}`);
}

void main();
