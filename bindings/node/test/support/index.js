// SPDX-License-Identifier: MIT
'use strict';
// What the tests share.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const weir = require('weir');

/** A test on a virtual clock of its own. */
function timed(name, body) {
  test(name, async () => {
    const clock = new weir.TestClock();
    try {
      await body(clock, clock.runtime);
    } finally {
      await clock.close();
    }
  });
}

/** What a promise rejects with. */
const caught = (promise) =>
  promise.then(
    () => assert.fail('it should have failed'),
    (error) => error,
  );

/** A function that goes on until it is told to stop. */
const never = ({ signal }) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

/** A function that succeeds with `value` after `ms` of virtual time. */
const after = (runtime, ms, value) => () => weir.sleep(ms, { value, runtime });

/** WEIR_LONG=1: as many times as long. */
const often = (count) => (process.env.WEIR_LONG === '1' ? count * 20 : count);

/** Everything that is unreachable is gone, finalizers included. */
async function collected() {
  for (let i = 0; i < 4; i++) {
    globalThis.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Waits until something is so that is about to be, at most ten seconds on a busy machine. */
async function becomes(condition) {
  for (let i = 0; i < 1000 && !condition(); i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

module.exports = { becomes, timed, caught, never, after, often, collected };
