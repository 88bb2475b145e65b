// SPDX-License-Identifier: MIT
'use strict';
// A worker that does something, or has something pending when it is terminated.
const { parentPort, workerData } = require('node:worker_threads');
const weir = require('weir');

const forever = () => new Promise(() => {});

async function main() {
  if (workerData === 'work') {
    const values = await Promise.all(
      Array.from({ length: 500 }, (_, i) => weir.retry(async () => i)),
    );
    parentPort.postMessage(values.reduce((a, b) => a + b, 0));
    return;
  }
  void weir.run(forever);
  void weir.sleep(1e9);
  for (let i = 0; i < 100; i++)
    void weir.retry(() => Promise.reject(new Error('x')), { maxAttempts: 1e6, baseDelayMs: 1 });
  parentPort.postMessage('pending');
  if (workerData === 'exit') process.exit(0);
  if (workerData === 'throw') throw new Error('on purpose');
}

void main();
