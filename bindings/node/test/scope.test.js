// SPDX-License-Identifier: MIT
'use strict';
const assert = require('node:assert/strict');
const weir = require('weir');
const { timed, caught, never, after } = require('./support/index.js');

timed('scope: values, resources, order of closing', async (clock, runtime) => {
  const log = [];
  const done = weir.scope(
    async (s) => {
      s.set('ttl', 60000).set('object', { a: 1 });
      const db = await s.open(
        () => ({ name: 'db' }),
        (it) => log.push(`close ${it.name}`),
      );
      await s.open(
        () => 'file',
        (it) => log.push(`close ${it}`),
      );
      const inner = await s.run((attempt) => attempt.scope.get('object').a);
      return [db.name, s.get('ttl'), inner, s.get('nothing')];
    },
    { name: 'import', runtime },
  );
  await clock.settle();
  assert.deepEqual(await done, ['db', 60000, 1, undefined]);
  assert.deepEqual(log, ['close file', 'close db']);
});

timed('scope: its deadline stops what runs in it; resources are closed', async (clock, runtime) => {
  let closed = false;
  const late = caught(
    weir.scope(
      async (s) => {
        await s.open(
          () => 1,
          () => (closed = true),
        );
        await s.run(never);
      },
      { deadlineMs: 1000, runtime },
    ),
  );
  await clock.advance(1000);
  assert.ok((await late) instanceof weir.TimeoutError);
  await clock.settle();
  assert.equal(closed, true);
});

timed('scope: cancel, join, nesting', async (clock, runtime) => {
  const outer = new weir.Scope({ name: 'outer', runtime });
  const inner = new weir.Scope({ name: 'inner', parent: outer });
  outer.set('k', 'from outside');
  assert.equal(inner.get('k'), 'from outside');
  const stopped = caught(inner.run(never));
  const done = outer.run(after(runtime, 50, 'done'));
  await clock.settle();
  inner.cancel();
  await clock.settle();
  assert.equal((await stopped).code, 'WEIR_ECANCELLED');
  const joined = outer.join();
  await clock.advance(50);
  assert.equal(await done, 'done');
  await joined;
  assert.equal(outer.stats.state, 'ended');
  const refused = caught(outer.run(() => 1));
  await clock.settle();
  assert.equal((await refused).code, 'WEIR_ECLOSED');
});

timed('scope: what fails in closing fails the scope', async (clock, runtime) => {
  const boom = new Error('closing');
  const failed = caught(
    weir.scope(
      (s) =>
        s.open(
          () => 1,
          () => Promise.reject(boom),
        ),
      { runtime },
    ),
  );
  await clock.settle();
  assert.equal(await failed, boom);
});
