// SPDX-License-Identifier: MIT
// U6: user profiles. Equal calls at once load once; kept for a minute; stale when the backend is
// down.
import assert from 'node:assert/strict';
import { cache, sleep } from 'weir';
import { play } from './play.js';

type Profile = { id: string; version: number };

void play(async (runtime) => {
  let loads = 0;
  let down = false;
  const profiles = cache<Profile>({
    ttlMs: 60_000,
    staleIfErrorMs: 3_600_000,
    load: async (id: string) => {
      await sleep(20, { runtime });
      if (down) throw new Error('backend is down');
      return { id, version: ++loads };
    },
    runtime,
  });

  const three = await Promise.all([profiles.get('ann'), profiles.get('ann'), profiles.get('ann')]);
  assert.equal(loads, 1);
  assert.ok(three.every((profile) => profile === three[0]));
  assert.equal(await profiles.get('ann'), three[0]);

  await sleep(61_000, { runtime });
  down = true;
  assert.equal((await profiles.get('ann')).version, 1, 'old, but there');
  await assert.rejects(profiles.get('bob'), /backend is down/);
});
