// SPDX-License-Identifier: MIT
// U8: user → orders → total → discount, each step fed by the last.
import assert from 'node:assert/strict';
import { FailedError, waterfall } from 'weir';
import { play } from './play.js';

type User = { name: string; gold: boolean };

void play(async (runtime) => {
  const findUser = async (name: string): Promise<User> => ({ name, gold: name === 'ann' });
  const ordersOf = async (user: User) => ({ user, amounts: user.gold ? [60, 40] : [10] });
  const totalOf = ({ user, amounts }: { user: User; amounts: number[] }) => ({
    user,
    total: amounts.reduce((a, b) => a + b),
  });
  const discounted = ({ user, total }: { user: User; total: number }) =>
    user.gold ? total * 0.9 : total;

  const steps = [findUser, ordersOf, totalOf, discounted];
  assert.equal(await waterfall<number>(steps, { input: 'ann', runtime }), 90);
  assert.equal(await waterfall<number>(steps, { input: 'bob', runtime }), 10);

  const broken = new Error('no orders today');
  const failing = [findUser, () => Promise.reject(broken), totalOf, discounted];
  await assert.rejects(
    waterfall(failing, { input: 'ann', runtime }),
    (error: unknown) =>
      error instanceof FailedError &&
      error.message === 'step 2 of 4 failed: no orders today' &&
      error.cause === broken,
  );
});
