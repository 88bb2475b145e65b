// SPDX-License-Identifier: MIT
// U13: add work to a pool while it runs; results when it is drained. (This one is an ES module.)
import assert from 'node:assert/strict';
import { Pool, sleep } from 'weir';

const crawl: Record<string, string[]> = {
  '/': ['/a', '/b'],
  '/a': ['/a/1', '/a/2'],
  '/b': [],
  '/a/1': [],
  '/a/2': ['/'],
};
const seen = new Set<string>();
const pool = new Pool<string>({ concurrency: 2 });
let open = 0;

function visit(page: string) {
  if (seen.has(page)) return;
  seen.add(page);
  open++;
  void pool.add(async () => {
    await sleep(5);
    crawl[page]!.forEach(visit);
    if (--open === 0) void pool.drained();
    return page;
  });
}

visit('/');
while (open > 0) await sleep(1);
const pages = await pool.drained();
assert.deepEqual([...pages].sort(), ['/', '/a', '/a/1', '/a/2', '/b']);
assert.equal(pool.stats.succeeded, 5);
