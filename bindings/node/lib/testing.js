// SPDX-License-Identifier: MIT
'use strict';
// Virtual time for tests: a runtime whose clock goes where the test says. An hour of retries passes
// in a moment, and the same way each time.
const native = require('./native.js');
const { Runtime } = require('./runtime.js');

const turn = () => new Promise((resolve) => setImmediate(resolve));

class TestClock {
  constructor(options = {}) {
    this.runtime = new Runtime({ ...options, driver: 'manual', seed: options.seed ?? 1 });
  }

  /** Milliseconds since it was made. */
  get now() {
    return this.runtime.now() - 1000;
  }

  /** Lets everything happen that needs no time: until weir and all promises have come to rest. */
  async settle() {
    const { runtime } = this;
    for (let calm = 0; calm < 2;) {
      const steps = native.process(runtime._handle, 0);
      const records = runtime._pump();
      await turn();
      calm = steps > 0 || records > 0 || runtime._count > 0 ? 0 : calm + 1;
    }
  }

  /** Goes `ms` on, stopping at each timer on the way, and lets everything happen there. */
  async advance(ms) {
    await this.settle();
    let left = ms * 1e6;
    for (;;) {
      const next = native.untilNext(this.runtime._handle);
      const step = Math.min(next, left);
      native.process(this.runtime._handle, step);
      left -= step;
      await this.settle();
      if (left <= 0) return;
    }
  }

  /** Milliseconds until the next timer; Infinity without one. */
  get untilNext() {
    return native.untilNext(this.runtime._open()) / 1e6;
  }

  /** Goes to the next timer; false if there is none. */
  async advanceToNext() {
    await this.settle();
    const next = native.untilNext(this.runtime._open());
    if (next === Infinity) return false;
    await this.advance(next / 1e6);
    return true;
  }

  /** Ends the runtime; what is in flight settles as closed. */
  async close() {
    const closed = this.runtime.close();
    await this.settle();
    return closed;
  }
}

module.exports = { TestClock };
