// SPDX-License-Identifier: MIT
'use strict';
const assert = require('node:assert/strict');
const weir = require('weir');
const { timed, caught, never } = require('./support/index.js');

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

timed('setOptions changes what it names, the rest stays', async (clock, runtime) => {
  const seen = [];
  const save = weir.debounce((n) => seen.push(n), 100, {
    leading: true,
    trailing: true,
    maxWaitMs: 150,
    overlap: 'concurrent',
    name: 'save',
    key: () => 'k',
    policy: new weir.Timeout({ timeoutMs: 1000, runtime }),
    runtime,
  });
  save.setOptions({ waitMs: 60 });
  for (let i = 0; i < 8; i++) {
    void save(i);
    await clock.advance(50);
  }
  assert.deepEqual(seen, [0, 2, 5], 'led, and at least each 150 ms');
  save.setOptions({ maxWaitMs: Infinity, waitMs: undefined });
  await clock.advance(1000);
  seen.splice(0);
  for (let i = 0; i < 8; i++) {
    void save(i);
    await clock.advance(50);
  }
  assert.deepEqual(seen, [0]);
  await clock.advance(20);
  assert.deepEqual(seen, [0, 7]);
  const progress = weir.throttle((n) => n, 100, { leading: false, runtime });
  progress.setOptions({ intervalMs: 50 });
  const first = progress(1);
  await clock.advance(50);
  assert.equal(await first, 1);
  for (const [pacer, wrong] of [
    [save, { waitMs: 200, maxWaitMs: 100 }],
    [save, { leading: false }],
    [save, { name: 'other' }],
    [save, { policy: null }],
    [save, { key: () => 'other' }],
    [progress, { waitMs: 5 }],
    [progress, 5],
  ])
    assert.throws(() => pacer.setOptions(wrong), weir.InvalidError);
  const paced = weir.operations.pacer('debounce', () => 1, { leading: true, runtime });
  paced.setOptions({ maxWaitMs: 500 });
  assert.throws(() => paced.setOptions({ maxWaitMs: 200 }), /max_wait_ms/, 'waitMs is 300');
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

timed(
  'the function gets the arguments of the call, and `this`; no more',
  async (clock, runtime) => {
    const seen = [];
    const owner = {
      name: 'owner',
      save: weir.debounce(
        function (...args) {
          seen.push([this.name, ...args]);
        },
        10,
        { runtime },
      ),
      report: weir.throttle(
        function (attempt, ...args) {
          seen.push([this.name, attempt.attempt, attempt.signal.aborted, ...args]);
        },
        10,
        { withAttempt: true, key: (first) => first, runtime },
      ),
    };
    void owner.save('a', 1);
    void owner.report('b', undefined);
    void owner.report('c');
    await clock.advance(10);
    assert.deepEqual(seen, [
      ['owner', 1, false, 'b', undefined],
      ['owner', 1, false, 'c'],
      ['owner', 'a', 1],
    ]);
    assert.throws(() => weir.debounce(() => 1, 5, { withAttempt: 1 }), weir.InvalidError);
  },
);

// A function that goes on until it is told to stop, and says in `stopped` that it was.
const slow = (stopped) => (attempt, name) => {
  attempt.signal.addEventListener('abort', () =>
    stopped.push([name, attempt.signal.reason.constructor]),
  );
  return never(attempt);
};

timed('what overlaps, or is cancelled, is told by its signal', async (clock, runtime) => {
  const judges = new weir.Retry({ failureWhen: () => false, runtime });
  const patient = new weir.Timeout({ timeoutMs: 1e6, runtime });
  for (const kind of ['debounce', 'throttle']) {
    for (const policy of [undefined, patient, weir.pipeline(judges, patient)]) {
      const stopped = [];
      const search = weir[kind](slow(stopped), 100, {
        withAttempt: true,
        overlap: 'cancel',
        ...(policy && { policy }),
        runtime,
      });
      const first = caught(search('first'));
      await clock.advance(150);
      assert.deepEqual(stopped, [], kind);
      const last = caught(search('last'));
      await clock.advance(150);
      assert.deepEqual(stopped, [['first', weir.SupersededError]], kind);
      assert.ok((await first) instanceof weir.SupersededError);
      search.cancel();
      await clock.settle();
      assert.deepEqual(stopped[1], ['last', weir.CancelledError], kind);
      assert.ok((await last) instanceof weir.CancelledError);
      assert.equal(search.stats.running, 0);
    }
  }
});

timed('a timeout and the end of the runtime abort the signal', async (clock, runtime) => {
  const stopped = [];
  const policy = new weir.Timeout({ timeoutMs: 500, runtime });
  const late = weir.debounce(slow(stopped), 10, { withAttempt: true, policy, runtime });
  const first = caught(late('late'));
  await clock.advance(600);
  assert.ok((await first) instanceof weir.TimeoutError);
  assert.deepEqual(stopped, [['late', weir.TimeoutError]]);
  const save = weir.throttle(slow(stopped), 10, { withAttempt: true, runtime });
  const last = caught(save('closed'));
  await clock.settle();
  await clock.close();
  assert.ok((await last) instanceof weir.ClosedError);
  assert.deepEqual(stopped[1], ['closed', weir.ClosedError]);
});

timed('close gives back: what is pending still runs, what runs goes on', async (clock, runtime) => {
  const signals = [];
  const save = weir.debounce(
    ({ signal }, n) => {
      signals.push(signal);
      return weir.sleep(100, { value: n, runtime });
    },
    10,
    { withAttempt: true, overlap: 'cancel', key: (n) => n, runtime },
  );
  const running = save(1);
  await clock.advance(50);
  const pending = save(2);
  save.close();
  await clock.advance(200);
  assert.deepEqual([await running, await pending], [1, 2]);
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [false, false],
  );
});
