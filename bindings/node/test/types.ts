// SPDX-License-Identifier: MIT
// What the types say: compiled strictly, never run.
import {
  all,
  allSettled,
  Breaker,
  cache,
  debounce,
  defaultRuntime,
  Limiter,
  map,
  memoize,
  operation,
  parallel,
  poll,
  Pool,
  race,
  retry,
  Retry,
  Runtime,
  scope,
  settle,
  sleep,
  throttle,
  Timeout,
  waterfall,
} from 'weir';

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(..._: Equal<A, B> extends true ? [] : [never]) => {};

export async function types() {
  const number = await retry(async ({ attempt, signal }) => (signal.aborted ? 0 : attempt), {
    maxAttempts: Infinity,
    backoff: 'exponential',
    shouldRetry: (error, attempt) => error.status !== 404 && attempt < 3,
    signal: undefined,
  });
  same<typeof number, number>();
  const raced = await race([() => 1, async () => 'two']);
  same<typeof raced, string | number>();
  const both = await all([() => 1, async () => 'two']);
  same<typeof both, [number, string]>();
  const settled = await allSettled([() => 1]);
  same<(typeof settled)[0], PromiseSettledResult<number>>();
  const squares = await parallel([async () => 1], { concurrency: 2 });
  same<typeof squares, number[]>();
  const kept = await map(['a'], (item, index) => item + index, {
    concurrency: 1,
    stopOnError: false,
  });
  same<typeof kept, PromiseSettledResult<string>[]>();
  const outcome = await settle(() => 'x');
  same<typeof outcome.value, string | undefined>();
  const bound = new Breaker().bind(async (a: number, b: string) => b.repeat(a));
  same<typeof bound, (a: number, b: string) => Promise<string>>();
  const lengths = memoize((text: string) => text.length, { ttlMs: 10 });
  same<number, Awaited<ReturnType<typeof lengths>>>();
  const users = cache<{ id: number }>({ load: (id) => ({ id }) });
  const user = await users.get('1');
  same<typeof user, { id: number }>();
  const search = debounce(async (text: string) => [text], 300);
  search.cancel();
  same<Awaited<ReturnType<typeof search>>, string[]>();
  const find = debounce(
    async ({ signal }, text: string, page: number = 1) => (signal.aborted ? '' : text.repeat(page)),
    300,
    { withAttempt: true, overlap: 'cancel' },
  );
  same<Awaited<ReturnType<typeof find>>, string>();
  void [find('a'), find('a', 2)];
  const move = throttle(({ signal }, x: number) => (signal.aborted ? 0 : x), 16, {
    withAttempt: true,
  });
  same<Parameters<typeof move>, [x: number]>();
  const nothing = await sleep(1);
  same<typeof nothing, void>();
  const last = await waterfall<number>([() => 1, (one: number) => one + 1]);
  same<typeof last, number>();
  const done = await poll(() => ({ state: 'done' }), {
    intervalMs: 1,
    until: (job) => job.state === 'done',
  });
  same<typeof done, { state: string }>();
  const recipe = new Timeout({ timeoutFor: ({ key }) => (key === 'a' ? 1 : 2) }).wrap(
    operation(() => 1n),
  );
  const big = await recipe.run();
  same<typeof big, bigint>();
  const inside = await scope(async (s) => s.run(() => 'in'));
  same<typeof inside, string>();
  const pool = new Pool<number>({ concurrency: 1 });
  const task = await pool.add(async (): Promise<number> => 1);
  same<typeof task, number>();

  const later = await retry(() => 'x', {
    shouldRetry: async (error) => error.code !== 'EPIPE',
    classify: async ({ ok }) => (ok ? undefined : 'ignore'),
    failureWhen: (value) => Promise.resolve(value === 'busy'),
  });
  same<typeof later, string>();
  const lent = Runtime.from(defaultRuntime().address);
  same<typeof lent.handle, object>();

  new Retry().setOptions({ maxAttempts: 2, shouldRetry: null });
  new Timeout(5).setOptions({ timeoutFor: () => 6 });
  new Timeout(5).setOptions({ message: 'late' });
  new Limiter().setOptions({ permits: 2 });
  find.setOptions({ maxWaitMs: 1000 });
  // @ts-expect-error: the name stays
  new Retry().setOptions({ name: 'other' });
  // @ts-expect-error: so do these
  new Breaker().setOptions({ onStateChange: () => {} });
  // @ts-expect-error: a number has no null
  new Retry().setOptions({ maxAttempts: null });
  // @ts-expect-error: that is a debounce's
  move.setOptions({ maxWaitMs: 1000 });
  // @ts-expect-error: a decider says yes or no
  await retry(() => 1, { shouldRetry: async () => 'yes' });
  // @ts-expect-error: the Attempt is not the caller's to give
  void move({}, 1);
  // @ts-expect-error: no such class
  await retry(() => 1, { classify: async () => 'good' });
  // @ts-expect-error: no such option
  await retry(() => 1, { maxAttempt: 1 });
  // @ts-expect-error: no such word
  await retry(() => 1, { backoff: 'quick' });
  // @ts-expect-error: concurrency is required
  await parallel([() => 1], {});
  // @ts-expect-error: one of both is required
  new Timeout({});
}
