// SPDX-License-Identifier: MIT
// U3: type-ahead search. 300 ms after the last key, with the latest text; earlier calls settle as
// superseded and are ignored.
import assert from 'node:assert/strict';
import { debounce, sleep, SupersededError } from 'weir';
import { play } from './play.js';

void play(async (runtime) => {
  const asked: string[] = [];
  const shown: string[] = [];
  const search = debounce(
    async (text: string) => {
      asked.push(text);
      return `results for ${text}`;
    },
    300,
    { runtime },
  );

  async function onKey(text: string) {
    try {
      shown.push(await search(text));
    } catch (error) {
      if (!(error instanceof SupersededError)) throw error;
    }
  }

  const keys: Promise<void>[] = [];
  for (const text of ['w', 'we', 'wei', 'weir']) {
    keys.push(onKey(text));
    await sleep(100, { runtime });
  }
  await Promise.all(keys);
  assert.deepEqual(asked, ['weir']);
  assert.deepEqual(shown, ['results for weir']);
});
