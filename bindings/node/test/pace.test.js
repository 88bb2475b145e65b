// SPDX-License-Identifier: MIT
'use strict';
const assert = require('node:assert/strict');
const weir = require('weir');
const { timed, caught } = require('./support/index.js');

timed('debounce: the latest call runs, earlier ones are superseded', async (clock, runtime) => {
  const searched = [];
  const search = weir.debounce((text) => searched.push(text) && `results for ${text}`, 300, {
    runtime,
  });
  const first = caught(search('w'));
  await clock.advance(100);
  const last = search('we');
  await clock.advance(299);
  assert.deepEqual(searched, []);
  await clock.advance(1);
  assert.deepEqual(searched, ['we']);
  assert.equal(await last, 'results for we');
  assert.ok((await first) instanceof weir.SupersededError);
});

timed(
  'debounce: whoever does not look at a superseded call is left alone',
  async (clock, runtime) => {
    const saved = [];
    const save = weir.debounce((n) => saved.push(n), 50, { runtime });
    for (let i = 0; i < 100; i++) void save(i);
    await clock.settle();
    assert.equal(save.pending, 100);
    save.flush();
    await clock.settle();
    assert.deepEqual(saved, [99]);
    void save(100);
    save.cancel();
    await clock.advance(1000);
    assert.deepEqual(saved, [99]);
  },
);

timed('debounce: keys, leading, maxWait', async (clock, runtime) => {
  const calls = [];
  const save = weir.debounce((doc, n) => calls.push(`${doc}${n}`), 100, {
    key: (doc) => doc,
    maxWaitMs: 250,
    runtime,
  });
  for (let i = 0; i < 10; i++) {
    void save('a', i);
    if (i === 0) void save('b', i);
    await clock.advance(50);
  }
  await clock.advance(500);
  assert.ok(calls.includes('b0'));
  assert.equal(calls.filter((c) => c.startsWith('a')).length, 2);
  const leading = weir.debounce((n) => n, 100, { leading: true, trailing: false, runtime });
  const first = leading(1);
  await clock.settle();
  assert.equal(await first, 1);
});

timed('throttle: at most once in an interval, all share the run', async (clock, runtime) => {
  const seen = [];
  const progress = weir.throttle((n) => seen.push(n), 100, { runtime });
  const calls = [];
  for (let i = 0; i < 10; i++) {
    calls.push(progress(i));
    await clock.advance(25);
  }
  await clock.advance(200);
  await Promise.all(calls);
  assert.deepEqual(seen, [0, 3, 7, 9]);
  assert.equal(progress.stats.runs, 4);
});

timed('a policy is around each run, its deciders too', async (clock, runtime) => {
  let tries = 0;
  const save = weir.debounce(() => ++tries, 10, {
    policy: new weir.Retry({ failureWhen: (n) => n < 3, baseDelayMs: 1, runtime }),
    runtime,
  });
  const done = save();
  await clock.advance(100);
  assert.equal(await done, 3);
});
