// SPDX-License-Identifier: MIT
'use strict';
// Processes and workers that end with work pending neither hang nor crash.
const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const path = require('node:path');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');
const weir = require('weir');
const { often } = require('./support/index.js');

function ended(how) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [path.join(__dirname, 'programs/pending.js'), how], {
      timeout: 20000,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (data) => (output += data));
    child.stderr.on('data', (data) => (output += data));
    child.on('close', (code, signal) => resolve({ code, signal, output }));
  });
}

for (const [how, code, text] of [
  ['exit', 0, ''],
  ['exit later', 0, ''],
  ['throw', 1, 'uncaught'],
  ['idle', 0, ''],
  ['wait', 0, 'slept'],
  ['close', 0, 'closed'],
]) {
  test(`a process ends: ${how}`, async () => {
    const end = await ended(how);
    assert.equal(end.signal, null, end.output);
    assert.equal(end.code, code, end.output);
    assert.ok(end.output.includes(text), end.output);
  });
}

function worker(what) {
  return new Worker(path.join(__dirname, 'programs/worker.js'), { workerData: what });
}

test('workers have runtimes of their own', async () => {
  const sums = await Promise.all(
    Array.from(
      { length: 3 },
      () =>
        new Promise((resolve, reject) => worker('work').on('message', resolve).on('error', reject)),
    ),
  );
  assert.deepEqual(sums, [124750, 124750, 124750]);
  assert.equal(await weir.run(() => 'here'), 'here');
});

test('workers are terminated with work pending', async () => {
  for (let i = 0; i < often(5); i++) {
    const one = worker('pending');
    await new Promise((resolve) => one.once('message', resolve));
    await new Promise((resolve) => setTimeout(resolve, i));
    assert.equal(await one.terminate(), 1);
  }
});

for (const [how, code] of [
  ['exit', 0],
  ['throw', 1],
]) {
  test(`a worker ends by itself with work pending: ${how}`, async () => {
    const one = worker(how);
    const errors = [];
    one.on('error', (error) => errors.push(error.message));
    assert.equal(await new Promise((resolve) => one.on('exit', resolve)), code);
    if (how === 'throw') assert.deepEqual(errors, ['on purpose']);
  });
}
