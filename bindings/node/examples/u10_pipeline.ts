// SPDX-License-Identifier: MIT
// U10: breaker around retry around timeout around fetch, one call.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Breaker, pipeline, Retry, Timeout } from 'weir';

// Against a server of our own, in real time: it answers 503 twice, hangs once, then works.
async function main() {
  let asked = 0;
  const server = createServer((_, response) => {
    asked++;
    if (asked === 3) return; // hangs
    response.statusCode = asked < 3 ? 503 : 200;
    response.end('hello');
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;

  const resilient = pipeline(
    new Breaker({ name: 'api', failureThreshold: 5 }),
    new Retry({ maxAttempts: 5, baseDelayMs: 5 }),
    new Timeout({ timeoutMs: 150 }),
  );
  const text = await resilient.run(async ({ signal }) => {
    const response = await fetch(url, { signal });
    if (!response.ok) throw Object.assign(new Error('bad answer'), { status: response.status });
    return response.text();
  });
  assert.equal(text, 'hello');
  assert.equal(asked, 4);
  server.closeAllConnections();
  server.close();
}

void main();
