// SPDX-License-Identifier: MIT
'use strict';
// Ends in the way that its argument says, with work pending.
const weir = require('weir');

const forever = () => new Promise(() => {});
const how = process.argv[2];

function start() {
  void weir.run(forever).catch(() => {});
  void weir
    .retry(() => Promise.reject(new Error('again')), { maxAttempts: 1000, baseDelayMs: 10 })
    .catch(() => {});
  const breaker = new weir.Breaker({ failureThreshold: 1, onStateChange: () => {} });
  breaker.report(breaker.tryAcquire(), false);
  const cache = new weir.Cache({ ttlMs: 1000 });
  cache.put('a', { some: 'value' });
  void cache.get('b', forever).catch(() => {});
  void weir.sleep(1e9).catch(() => {});
  void weir.debounce(() => 1, 1e6)();
}

switch (how) {
  case 'exit': // at once
    start();
    process.exit(0);
    break;
  case 'exit later':
    start();
    setTimeout(() => process.exit(0), 30);
    break;
  case 'throw':
    start();
    setTimeout(() => {
      throw new Error('uncaught');
    }, 10);
    break;
  case 'idle': // nothing pending: it ends by itself
    void weir
      .run(() => 1)
      .then(() => {
        new weir.Breaker().tryAcquire();
      });
    break;
  case 'wait': // a pending call keeps the process alive
    void weir.sleep(50).then(() => console.log('slept'));
    break;
  case 'close':
    start();
    void weir
      .defaultRuntime()
      .close()
      .then(() => console.log('closed'));
    setTimeout(() => process.exit(3), 9000).unref();
    break;
  default:
    process.exit(2);
}
