// SPDX-License-Identifier: MIT
// U12: a scope that sets a default TTL and a deadline, opens and closes its resources, and logs
// under
// its name.
import assert from 'node:assert/strict';
import { Cache, scope, sleep, TestClock } from 'weir';

async function main() {
  const lines: string[] = [];
  const clock = new TestClock({
    logLevel: 'info',
    onLog: (level, subject, message) => lines.push(`${level} ${subject}: ${message}`),
  });
  const { runtime } = clock;
  const closed: string[] = [];

  const imported = scope(
    async (s) => {
      s.set('ttlMs', 60_000);
      const database = await s.open(
        () => ({ name: 'database', rows: [1, 2, 3] }),
        ({ name }) => closed.push(name),
      );
      const file = await s.open(
        () => ({ name: 'file' }),
        ({ name }) => closed.push(name),
      );
      s.log('info', `reading ${file.name}`);
      return s.run(async ({ scope: here, signal }) => {
        const seen = new Cache({ ttlMs: here!.get('ttlMs'), runtime });
        await sleep(100, { signal, runtime });
        seen.put('rows', database.rows);
        return database.rows.length;
      });
    },
    { name: 'import', deadlineMs: 10_000, runtime },
  );
  await clock.advance(100);
  assert.equal(await imported, 3);
  await clock.settle();
  assert.deepEqual(closed, ['file', 'database']);
  assert.deepEqual(lines, ['info import: reading file']);
  await clock.close();
}

void main();
