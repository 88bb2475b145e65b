// SPDX-License-Identifier: MIT
'use strict';
// What the engine knows of a run, and what it checks of its options.
const { AsyncResource } = require('node:async_hooks');
const errors = require('./errors.js');

// What would not be what it was as a number of C.
function checkNumbers(deadlineMs, permits, priority) {
  if (deadlineMs !== undefined && !(deadlineMs >= 0)) {
    throw new errors.InvalidError(`deadlineMs must be a number, 0 or more (got ${deadlineMs})`);
  }
  if (permits !== undefined && !(Number.isInteger(permits) && permits >= 1 && permits < 2 ** 32)) {
    throw new errors.InvalidError(`permits must be a whole number, 1 or more (got ${permits})`);
  }
  if (priority !== undefined && !(Number.isInteger(priority) && priority >= 0 && priority < 64)) {
    throw new errors.InvalidError(`priority must be a whole number, 0 to 63 (got ${priority})`);
  }
}

const NO_DESTROY = { requireManualDestroy: true };

// Its functions are called in the asynchronous context of whoever began it (AsyncLocalStorage).
class Run extends AsyncResource {
  constructor(start, judges, keeps) {
    super('weir', NO_DESTROY);
    this.start = start;
    this.judges = judges;
    this.keeps = keeps; // what weir knows by handle until the command has crossed
    this.resolve = undefined;
    this.reject = undefined;
    this.signal = undefined;
    this.aborted = false;
    this.settled = false;
    this.open = 0;
    this.onItem = undefined;
    this.quiet = false; // that it was superseded or cancelled needs nobody to handle it
    this.promise = undefined;
    this.settles = false; // a list becomes one as of Promise.allSettled
    this.owns = undefined; // handles that go when it has settled
  }
}

module.exports = { Run, checkNumbers };
