// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import weir, { cache, race, sleep } from 'weir';

assert.equal(
  await race([() => sleep(1000, { value: 'slow' }), () => sleep(1, { value: 'fast' })]),
  'fast',
);
const squares = cache({ ttlMs: 1000, load: async (n) => n * n });
assert.equal(await squares.get(12), 144);
assert.equal(weir.race, race);
