// SPDX-License-Identifier: MIT
// Plays an example on a virtual clock: minutes pass in a moment. In a program of yours leave the
// option
// `runtime` out, and time is the real one.
import { Runtime, TestClock } from 'weir';

export async function play(body: (runtime: Runtime, clock: TestClock) => Promise<void>) {
  const clock = new TestClock();
  let over = false;
  const played = body(clock.runtime, clock).finally(() => (over = true));
  await clock.settle();
  while (!over && (await clock.advanceToNext()));
  await played;
  await clock.close();
}
