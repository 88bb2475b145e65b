// SPDX-License-Identifier: MIT
// U1: ask for a payment until it is no longer PENDING; at most 5 times, exponentially further
// apart.
import assert from 'node:assert/strict';
import { ExhaustedError, retry } from 'weir';
import { play } from './play.js';

type Payment = { id: string; state: 'PENDING' | 'PAID' | 'REFUSED' };

void play(async (runtime, clock) => {
  let asked = 0;
  const fetchPayment = async (id: string): Promise<Payment> => ({
    id,
    state: ++asked < 4 ? 'PENDING' : 'PAID',
  });

  const payment = await retry(() => fetchPayment('p1'), {
    maxAttempts: 5,
    backoff: 'exponential',
    baseDelayMs: 1000,
    jitter: 'none',
    failureWhen: (p: Payment) => p.state === 'PENDING',
    runtime,
  });
  assert.deepEqual(payment, { id: 'p1', state: 'PAID' });
  assert.equal(clock.now, 1000 + 2000 + 4000);

  asked = -100; // this one stays pending
  await assert.rejects(
    retry(() => fetchPayment('p2'), {
      maxAttempts: 5,
      failureWhen: (p: Payment) => p.state === 'PENDING',
      runtime,
    }),
    (error: unknown) => error instanceof ExhaustedError && (error.value as Payment).id === 'p2',
  );
});
