// SPDX-License-Identifier: MIT
'use strict';
// One runtime for several parties: threads of Node, another addon, a second form of the same.
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');
const weir = require('weir');
const { caught, often, collected } = require('./support/index.js');

function worker(workerData) {
  return new Worker(path.join(__dirname, 'programs/sharing.js'), { workerData });
}
const message = (one) =>
  new Promise((resolve, reject) => one.once('message', resolve).once('error', reject));

test('worker threads share a breaker and a limiter, whose total is exact', async () => {
  const runtime = new weir.Runtime();
  const limiter = new weir.Limiter({
    name: 'shared:limiter',
    permits: 150,
    intervalMs: 3_600_000,
    maxQueue: 0,
    runtime,
  }).register();
  const breaker = new weir.Breaker({ name: 'shared:breaker', failureThreshold: 1, runtime });
  breaker.register();
  const ends = await Promise.all(
    ['fail', 'work', 'work'].map((what) => message(worker({ address: runtime.address, what }))),
  );
  assert.deepEqual(
    ends.map(({ late, isOpen }) => [late, isOpen]),
    new Array(3).fill(['WEIR_ECLOSED', false]),
  );
  let granted = ends.reduce((sum, one) => sum + one.granted, 0);
  while (limiter.tryAcquire() !== undefined) granted++;
  assert.equal(granted, 150);
  assert.equal(breaker.state, 'open', 'a worker opened it');
  assert.ok(runtime.isOpen, 'whoever it was lent to does not close it');
  assert.equal(await weir.run(() => 'goes on', { runtime }), 'goes on');
  await runtime.close();
  assert.equal(runtime.isOpen, false);
});

test('a worker is terminated with work pending in a runtime that is not its own', async () => {
  const runtime = new weir.Runtime();
  for (let i = 0; i < often(5); i++) {
    const one = worker({ address: runtime.address, what: 'pending' });
    await message(one);
    await one.terminate();
    assert.equal(await weir.run(() => i, { runtime }), i);
  }
  await runtime.close();
  assert.equal(runtime.stats.liveCalls, 0);
});

test('a runtime in two forms: each has its own values, errors and runs', async () => {
  const owner = new weir.Runtime();
  const other = weir.Runtime.from(owner.handle);
  assert.equal(other.address, owner.address);
  const mine = new Error('mine');
  const value = { some: 'value' };
  assert.equal(await caught(weir.run(() => Promise.reject(mine), { runtime: other })), mine);
  assert.equal(await weir.run(() => value, { runtime: other }), value);
  const instead = new weir.Fallback({ value, name: 'instead', runtime: owner }).register();
  const found = weir.find('instead', { runtime: other });
  assert.equal(await instead.run(() => Promise.reject(mine)), value);
  assert.equal(await found.run(() => Promise.reject(mine)), undefined, 'a value of another form');
  const pending = weir.settle(() => new Promise(() => {}), { runtime: other });
  const going = weir.sleep(30, { value: 'slept', runtime: owner });
  await other.close();
  assert.equal((await pending).status, 'WEIR_ECANCELLED');
  assert.equal((await weir.settle(() => 1, { runtime: other })).status, 'WEIR_ECLOSED');
  assert.equal(await going, 'slept');
  const third = weir.Runtime.from(owner);
  const last = weir.settle(({ signal }) => weir.sleep(1e6, { signal, runtime: third }), {
    runtime: third,
  });
  await owner.close();
  assert.equal((await last).ok, false, 'the owner closes it for all');
  assert.equal(third.isOpen, false);
  await third.close();
});

test('what is no runtime is refused', () => {
  for (const wrong of [undefined, null, 0, 0n, -1n, 2n ** 64n, {}, 'runtime', Symbol('x')])
    assert.throws(() => weir.Runtime.from(wrong), weir.InvalidError);
});

test('forms of a runtime that nobody closed are collected', async () => {
  const owner = new weir.Runtime();
  const address = owner.address;
  for (let i = 0; i < often(20); i++) {
    const other = weir.Runtime.from(i % 2 === 0 ? address : owner.handle);
    assert.equal(await weir.run(() => i, { runtime: other }), i);
  }
  await collected();
  await collected();
  assert.equal(await weir.run(() => 'still', { runtime: owner }), 'still');
  await owner.close();
});

// Needs the addon to be linked with an installed libweir, so that both have the same one.
function foreign(t) {
  if (process.env.WEIR_SYSTEM_ADDON !== '1') return t.skip('the library is inside of the addon');
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'weir-'));
  const file = path.join(folder, 'foreign.node');
  const flags = (...what) =>
    execFileSync('pkg-config', what, { encoding: 'utf8' }).trim().split(' ');
  const headers = require('node-api-headers').include_dir;
  execFileSync('cc', [
    ...['-O1', '-fPIC', '-shared', '-Wall', '-Wextra', '-Werror', `-I${headers}`],
    ...[...flags('--cflags', 'weir'), path.join(__dirname, 'programs/foreign.c'), '-o', file],
    ...flags('--libs', 'weir'),
  ]);
  const loaded = require(file);
  fs.rmSync(folder, { recursive: true });
  return loaded;
}

test('another addon finds the breaker by its name, and hands out a runtime of its own', async (t) => {
  const addon = foreign(t);
  if (addon === undefined) return;
  const runtime = new weir.Runtime();
  const breaker = new weir.Breaker({ name: 'shared', failureThreshold: 1, runtime }).register();
  assert.equal(breaker.state, 'closed');
  assert.equal(addon.trip(runtime.handle, 'shared'), 1);
  assert.equal(breaker.state, 'open');
  assert.ok((await caught(breaker.run(() => 1))) instanceof weir.OpenError);
  await runtime.close();
  const theirs = weir.Runtime.from(addon.own());
  const found = weir.find('foreign', { runtime: theirs });
  await caught(found.run(() => Promise.reject(new Error('theirs'))));
  assert.equal(found.state, 'open');
  await theirs.close();
});
