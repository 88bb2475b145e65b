// SPDX-License-Identifier: MIT
'use strict';
// A worker that takes part in the runtime of the thread that made it.
const { parentPort, workerData } = require('node:worker_threads');
const weir = require('weir');

async function main() {
  const runtime = weir.Runtime.from(workerData.address);
  const limiter = weir.find('shared:limiter', { runtime });
  const breaker = weir.find('shared:breaker', { runtime });
  if (workerData.what === 'pending') {
    for (let i = 0; i < 50; i++) void weir.run(() => new Promise(() => {}), { runtime });
    void weir.sleep(1e9, { runtime });
    parentPort.postMessage('pending');
    return;
  }
  let granted = 0;
  const take = async () => {
    const outcome = await limiter.settle(async () => weir.sleep(1, { runtime, value: 'mine' }));
    if (outcome.value === 'mine') granted++;
  };
  await Promise.all(Array.from({ length: 100 }, take));
  for (let i = 0; i < 20; i++) if (limiter.tryAcquire() !== undefined) granted++;
  if (workerData.what === 'fail') {
    await breaker.run(() => Promise.reject(new Error('opens it'))).catch(() => {});
  }
  await runtime.close();
  const late = await weir.settle(() => 1, { runtime });
  parentPort.postMessage({ granted, late: late.status, isOpen: runtime.isOpen });
}

void main();
