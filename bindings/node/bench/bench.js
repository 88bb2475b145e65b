// SPDX-License-Identifier: MIT
'use strict';
// bench.js BARE [--quick]: prints lines name|value|unit|target|met or missed. BARE is the addon of
// bare.c. Decide calls are measured in processor time, runs by the clock; the best of several
// rounds, since what else the machine does only adds.
const weir = require('weir');

const bare = require(process.argv[2]);
const quick = process.argv.includes('--quick');
const ROUNDS = quick ? 2 : 15;
const CALLS = quick ? 20000 : 400000;

function row(name, value, unit, target = '', met = undefined) {
  const number =
    value >= 1000 ? Math.round(value).toLocaleString('en').replaceAll(',', ' ') : value.toFixed(1);
  console.log(
    [name, number, unit, target, met === undefined ? '' : met ? 'met' : 'missed'].join('|'),
  );
}

// Nanoseconds of processor time for each of `calls` of several bodies, the least of rounds in turn.
function times(bodies) {
  const least = bodies.map(() => Infinity);
  for (let round = 0; round < ROUNDS; round++) {
    bodies.forEach((body, i) => {
      const begun = process.cpuUsage().user;
      body(CALLS);
      const spent = ((process.cpuUsage().user - begun) * 1000) / CALLS;
      if (round > 0 || quick) least[i] = Math.min(least[i], spent);
    });
  }
  return least;
}

function decide() {
  const breaker = new weir.Breaker();
  const limiter = new weir.Limiter({ permits: 1e9, intervalMs: 1 });
  const cache = new weir.Cache();
  const permits = new BigUint64Array(64);
  cache.put('a key of 16 byte', { some: 'value' });
  // The bare pair takes and gives what the breaker's does, as a plain addon would: a handle in, a
  // permit out; a handle and a permit in. The empty pair takes and gives nothing: what the host
  // itself needs. (The breaker's calls take and give through shared memory.)
  const [pair, empty, reported, granted, found, batch] = times([
    (n) => {
      for (let i = 0; i < n; i++) bare.bare2(7, bare.bare1(i));
    },
    (n) => {
      for (let i = 0; i < n; i++) {
        bare.bare0();
        bare.bare0();
      }
    },
    (n) => {
      for (let i = 0; i < n; i++) breaker.report(breaker.tryAcquire(), true);
    },
    (n) => {
      for (let i = 0; i < n; i++) limiter.tryAcquire();
    },
    (n) => {
      for (let i = 0; i < n; i++) cache.lookup('a key of 16 byte');
    },
    (n) => {
      for (let i = 0; i < n / 64; i++)
        breaker.reportMany(permits, breaker.tryAcquireMany(permits), true);
    },
  ]);
  let c = Infinity;
  for (let i = 0; i < ROUNDS; i++) c = Math.min(c, bare.breaker(CALLS));
  row('two bare N-API calls, with the numbers of acquire and report', pair, 'ns');
  row('two empty N-API calls', empty, 'ns');
  row('breaker acquire + report in C', c, 'ns');
  row(
    'breaker acquire + report',
    reported,
    'ns',
    '≤ 1.3 × two bare N-API calls',
    reported <= 1.3 * pair,
  );
  row('breaker acquire + report, permits by 64', batch, 'ns');
  row('limiter acquire, one limit, with its clock read', granted, 'ns');
  row('cache lookup, a hit', found, 'ns');
}

// Runs a second, `inFlight` at any time.
async function rate(inFlight, run, count) {
  let best = 0;
  for (let round = 0; round < (quick ? 1 : 6); round++) {
    let left = count;
    const worker = async () => {
      while (left-- > 0) await run();
    };
    const begun = process.hrtime.bigint();
    await Promise.all(Array.from({ length: inFlight }, worker));
    const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
    best = Math.max(best, count / seconds);
  }
  return best;
}

async function runs() {
  const count = quick ? 5000 : 200000;
  const retry = new weir.Retry();
  const fn = async () => 1;
  const options = { maxAttempts: 5 };
  const many = await rate(1000, () => retry.run(fn), count);
  row(
    'async retry without failure, 1000 in flight',
    many,
    'a second',
    '≥ 150 000 a second',
    many >= 150000,
  );
  row(
    'async retry without failure, 100 in flight',
    await rate(100, () => retry.run(fn), count),
    'a second',
  );
  row(
    'async retry(fn, options), 1000 in flight',
    await rate(1000, () => weir.retry(fn, options), count),
    'a second',
  );
  const call = weir.pipeline(new weir.Timeout(1000), retry, new weir.Breaker());
  row(
    'async timeout → retry → breaker, 1000 in flight',
    await rate(1000, () => call.run(fn), count),
    'a second',
  );
  const alone = await rate(1, () => retry.run(fn), quick ? 200 : 10000);
  row('async retry without failure, one after the other', 1e6 / alone, 'µs');
  const items = Array.from({ length: quick ? 1000 : 20000 }, (_, i) => i);
  const mapped = await rate(1, () => weir.map(items, fn, { concurrency: 100 }), 3);
  row('map, 100 at once, items', mapped * items.length, 'a second');
}

decide();
void runs();
