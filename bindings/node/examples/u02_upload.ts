// SPDX-License-Identifier: MIT
// U2: upload 100 files, 5 at a time, with progress.
import assert from 'node:assert/strict';
import { map, sleep } from 'weir';
import { play } from './play.js';

void play(async (runtime, clock) => {
  const files = Array.from({ length: 100 }, (_, i) => `photo-${i}.jpg`);
  const upload = (file: string) => sleep(200, { value: `https://cdn/${file}`, runtime });

  let bar = '';
  const urls = await map(files, upload, {
    concurrency: 5,
    onProgress: (done, total) => (bar = `${done}/${total}`),
    runtime,
  });
  assert.equal(urls[99], 'https://cdn/photo-99.jpg');
  assert.equal(bar, '100/100');
  assert.equal(clock.now, (100 / 5) * 200);
});
