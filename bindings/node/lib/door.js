// SPDX-License-Identifier: MIT
'use strict';
// What the hot decide functions take and give: struct door of the addon, field by field. Each of them
// is written or read with the call right beside it, and only numbers are written (anything else would
// be converted, which can run a user's code in between).
const native = require('./native.js');
const { InvalidError } = require('./errors.js');

const buffer = new ArrayBuffer(40);
const words = new Int32Array(buffer); // handle, class, status, count
const numbers = new Float64Array(buffer); // -, -, permit, elapsedMs
const wide = new BigUint64Array(buffer); // -, -, -, -, permit
native.shareDoor(buffer);

const HANDLE = 0,
  CLASS = 1,
  STATUS = 2,
  COUNT = 3,
  PERMIT = 2,
  ELAPSED_MS = 3,
  WIDE = 4;

/** The permit that was given. */
function givenPermit() {
  const permit = numbers[PERMIT];
  return permit >= 0 ? permit : wide[WIDE];
}

/** What is no permit is 0, which nobody was given. */
function setPermit(permit) {
  if (typeof permit === 'number' && permit >= 0) {
    numbers[PERMIT] = permit;
  } else if (typeof permit === 'bigint' && permit >= 0n && permit < 1n << 64n) {
    numbers[PERMIT] = -1;
    wide[WIDE] = permit;
  } else {
    numbers[PERMIT] = 0;
  }
}

/** Milliseconds that a call took; undefined: nobody measured. */
function setElapsed(ms) {
  if (ms !== undefined && !(typeof ms === 'number' && ms >= 0))
    throw new InvalidError(`elapsedMs must be a number, 0 or more (got ${String(ms)})`);
  numbers[ELAPSED_MS] = ms ?? 0;
}

module.exports = { words, HANDLE, CLASS, STATUS, COUNT, givenPermit, setPermit, setElapsed };
