// SPDX-License-Identifier: MIT
// U3: type-ahead search. 300 ms after the last key, with the latest text; earlier calls settle as
// superseded and are ignored, and a search that still goes on is aborted.
import assert from 'node:assert/strict';
import { debounce, sleep, SupersededError } from 'weir';
import { play } from './play.js';

void play(async (runtime) => {
  const asked: string[] = [];
  const aborted: string[] = [];
  const shown: string[] = [];
  // Stands for `fetch(url, { signal })`.
  async function fetchResults(text: string, signal: AbortSignal) {
    asked.push(text);
    signal.addEventListener('abort', () => aborted.push(text));
    await sleep(1000, { signal, runtime });
    return `results for ${text}`;
  }
  const search = debounce(({ signal }, text: string) => fetchResults(text, signal), 300, {
    withAttempt: true,
    overlap: 'cancel',
    runtime,
  });

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
  await sleep(500, { runtime }); // the answer for "weir" is on its way
  keys.push(onKey('weird'));
  await Promise.all(keys);
  assert.deepEqual(asked, ['weir', 'weird']);
  assert.deepEqual(aborted, ['weir']);
  assert.deepEqual(shown, ['results for weird']);
});
