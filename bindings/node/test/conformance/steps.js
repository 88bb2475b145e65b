// SPDX-License-Identifier: MIT
'use strict';
// The steps of a script.
const weir = require('../../lib/index.js');
const { STATUSES, camel, dashes, words, options, given, seen } = require('./words.js');

// What an action answers: its result, or the status that it threw.
function tried(action) {
  try {
    return { status: 'ok', result: action() };
  } catch (error) {
    if (!(error instanceof weir.WeirError)) throw error;
    return { status: STATUSES[error.code], error };
  }
}

function expectStatus(world, step, status) {
  const wanted = step.expect ?? 'ok';
  if (status !== wanted) world.problem(`${step.do} at ${step.at} answers ${status}, not ${wanted}`);
}

function expectEqual(world, step, what, got, wanted) {
  if (JSON.stringify(got) !== JSON.stringify(wanted)) {
    world.problem(
      `${step.do} at ${step.at}: ${what} is ${JSON.stringify(got)}, not ${JSON.stringify(wanted)}`,
    );
  }
}

const simple = (action) => (world, step) => {
  expectStatus(
    world,
    step,
    tried(() => action(world.need(step.policy ?? step.scope), step, world)).status,
  );
};

function expectRefusal(world, step, refused) {
  const rejection = refused ? weir.lastRejection() : undefined;
  if (step.reason !== undefined)
    expectEqual(world, step, 'the reason', words(rejection?.reason ?? 'none'), step.reason);
  if (step.retry_after_ms !== undefined) {
    expectEqual(world, step, 'retry after', rejection?.retryAfterMs ?? 'off', step.retry_after_ms);
  }
}

function run(world, step) {
  const controller = new AbortController();
  const its = { signal: controller.signal, name: step.run };
  if (step.policy !== undefined) its.policy = world.need(step.policy);
  if (step.scope !== undefined) its.scope = world.need(step.scope);
  if (step.deadline_ms !== undefined)
    its.deadlineMs = step.deadline_ms === 'forever' ? Infinity : step.deadline_ms;
  for (const name of ['key', 'keys', 'permits', 'priority'])
    if (step[name] !== undefined) its[name] = step[name];
  if (step.input !== undefined) its.input = given(step.input);
  const thing = world.need(step.operation);
  const operation = thing.operation instanceof weir.Operation ? thing.operation : thing;
  const record = { controller, accepted: true };
  world.runs.set(step.run, record);
  operation.settle(its).then((outcome) => {
    record.accepted = outcome.accepted;
    if (outcome.accepted) world.record(step.run, outcome);
    else record.status = STATUSES[outcome.status];
  });
  world.afterEvent = () => expectStatus(world, step, record.accepted ? 'ok' : record.status);
}

function inFlight(world, step) {
  const { liveCalls: calls, orphans } = world.runtime.stats;
  expectEqual(world, step, 'in flight', [calls, orphans], [step.calls ?? 0, step.orphans ?? 0]);
}

function acquire(world, step) {
  const permit = world.need(step.policy).tryAcquire();
  if (permit !== 0) world.kept.set(step.permit, permit);
  expectStatus(world, step, permit === 0 ? 'open' : 'ok');
  expectRefusal(world, step, permit === 0);
}

function tryAcquire(world, step) {
  const { status, result } = tried(() =>
    world.need(step.policy).tryAcquire(step.permits ?? 1, step.key),
  );
  if (status === 'ok' && result !== undefined) world.kept.set(step.permit, result);
  expectStatus(world, step, status === 'ok' && result === undefined ? 'limited' : status);
  expectRefusal(world, step, status === 'ok' && result === undefined);
}

function reserve(world, step) {
  const { status, result } = tried(() => world.need(step.policy).reserve(step.permits));
  expectStatus(world, step, status === 'ok' && result === undefined ? 'limited' : status);
  if (result === undefined) return;
  world.kept.set(step.permit, result.reservation);
  if (step.wait_ms !== undefined)
    expectEqual(world, step, 'the wait', Math.ceil(result.waitMs), step.wait_ms);
}

function cancelReservation(world, step) {
  const { status, result } = tried(() =>
    world.need(step.policy).cancelReservation(world.kept.get(step.permit), step.permits),
  );
  expectStatus(world, step, result === false ? 'stale' : status);
}

function nextRetry(world, step) {
  const state = world.kept.get(step.state);
  const { delayMs, stopReason } = state.next(step.class ?? 'failure', step.asked_delay_ms ?? -1);
  expectStatus(world, step, delayMs === undefined ? 'stop' : 'ok');
  if (step.delay_ms !== undefined)
    expectEqual(world, step, 'the delay', Math.floor(delayMs), step.delay_ms);
  if (step.stop_reason !== undefined)
    expectEqual(world, step, 'the reason', words(stopReason ?? 'none'), step.stop_reason);
}

function setOptions(world, step) {
  expectStatus(
    world,
    step,
    tried(() => {
      const more = world.policyOptions(step.options);
      if (step.options.type === 'bulkhead') throw new Error('a bulkhead has no options of its own');
      world.need(step.policy)._change(more); // the table's step replaces all, setOptions() some
    }).status,
  );
}

// C's names of numbers that JavaScript gives in ms.
const IN_NS = {
  open_remaining_ns: 'openRemainingMs',
  delay_ns: 'delayMs',
  load_time_ns: 'loadTimeMs',
};

function stats(world, step) {
  const thing = world.need(step.of);
  const numbers = (thing.cache ?? thing).stats;
  for (const [name, wanted] of Object.entries(step.expect)) {
    const got = name in IN_NS ? numbers[IN_NS[name]] * 1e6 : numbers[camel(name)];
    expectEqual(world, step, name, Number(stateNumber(thing, got)), wanted);
  }
}

const STATES = ['closed', 'open', 'half-open', 'forced-open', 'forced-closed', 'metrics-only'];
const SCOPE_STATES = ['open', 'ending', 'closing', 'ended'];
const stateNumber = (thing, got) =>
  typeof got === 'string'
    ? (thing instanceof weir.Scope ? SCOPE_STATES : STATES).indexOf(got)
    : got;

const cacheOf = (world, step) => {
  const thing = world.need(step.cache);
  return thing.cache ?? thing;
};

function lookup(world, step) {
  const cache = cacheOf(world, step);
  const entry = cache.lookup(step.key);
  const there = entry !== undefined || (step.expect !== 'not_found' && step.value === null);
  expectStatus(world, step, there ? 'ok' : 'not_found');
  if (there && step.value !== undefined)
    expectEqual(world, step, 'the value', seen(entry), step.value);
}

function put(world, step) {
  const more =
    step.ttl_ms === undefined ? {} : { ttlMs: step.ttl_ms === 'forever' ? Infinity : step.ttl_ms };
  expectStatus(
    world,
    step,
    tried(() => cacheOf(world, step).put(step.key, given(step.value), more)).status,
  );
}

function putIfAbsent(world, step) {
  const { status, result } = tried(() =>
    cacheOf(world, step).putIfAbsent(step.key, given(step.value)),
  );
  expectStatus(world, step, status === 'ok' && result !== undefined ? 'exists' : status);
  if (step.existing !== undefined)
    expectEqual(world, step, 'existing', seen(result), step.existing);
}

const foundOr = (action) => (world, step) => {
  const { status, result } = tried(() => action(cacheOf(world, step), step));
  expectStatus(world, step, status === 'ok' && result === false ? 'not_found' : status);
};

function getValue(world, step) {
  const value = world.need(step.scope).get(step.key);
  expectStatus(world, step, value === undefined ? 'not_found' : 'ok');
  if (value !== undefined && step.value !== undefined)
    expectEqual(world, step, step.key, value, step.value);
}

function find(world, step) {
  const { status, result } = tried(() => weir.find(step.name, { runtime: world.runtime }));
  expectStatus(world, step, status === 'ok' && result === undefined ? 'not_found' : status);
  if (result === undefined) return;
  if (step.kind !== undefined)
    expectEqual(world, step, 'the kind', result.constructor.name.toLowerCase(), step.kind);
  if (step.as !== undefined) world.things.set(step.as, result);
}

function create(world, step) {
  const { status, error } = tried(() => {
    if (step.policy !== undefined) world.policy(step.policy, 'created');
    if (step.operation !== undefined) world.operation(step.operation, 'created');
    if (step.cache !== undefined) world.cache(step.cache, 'created');
  });
  expectStatus(world, step, status);
  if (step.message !== undefined && !error?.message.includes(step.message)) {
    world.problem(`the message is '${error?.message}', without '${step.message}'`);
  }
}

function report(world, step) {
  const elapsed = step.elapsed_ms ?? 0;
  expectStatus(
    world,
    step,
    STATUSES[world.need(step.policy).report(world.kept.get(step.permit), step.class, elapsed)],
  );
}

module.exports = {
  run,
  cancel: (world, step) => world.runs.get(step.run).controller.abort(new Error('cancelled')),
  close: (world) => void world.runtime.close(),
  in_flight: inFlight,
  acquire,
  report,
  state: (world, step) =>
    expectEqual(world, step, 'the state', words(world.need(step.policy).state), step.expect),
  isolate: simple((breaker) => breaker.isolate()),
  end_isolation: simple((breaker) => breaker.endIsolation()),
  reset: simple((breaker) => breaker.reset()),
  force: simple((breaker, step) => breaker.force(dashes(step.state))),
  pause: simple((limiter) => limiter.pause()),
  resume: simple((limiter) => limiter.resume()),
  snapshot: simple((breaker, step, world) => world.kept.set(step.snapshot, breaker.snapshot())),
  restore: simple((breaker, step, world) =>
    breaker.restore(world.kept.get(step.snapshot), step.elapsed_ms ?? 0),
  ),
  try_acquire: tryAcquire,
  release: simple((limiter, step, world) =>
    limiter.release(world.kept.get(step.permit), { key: step.key }),
  ),
  available: (world, step) =>
    expectEqual(world, step, 'available', world.need(step.policy).available, step.expect),
  drain: (world, step) =>
    expectEqual(world, step, 'drained', world.need(step.policy).drain(), step.expect),
  refund: simple((limiter, step) => limiter.refund(step.permits)),
  reserve,
  cancel_reservation: cancelReservation,
  deposit: simple((budget) => budget.deposit()),
  withdraw: (world, step) =>
    expectStatus(world, step, world.need(step.policy).withdraw() ? 'ok' : 'limited'),
  give_back: simple((budget) => budget.refund()),
  begin_retry: (world, step) => world.kept.set(step.state, world.need(step.policy).begin()),
  next_retry: nextRetry,
  set_options: setOptions,
  stats,
  lookup,
  put,
  put_if_absent: putIfAbsent,
  invalidate: foundOr((cache, step) => cache.invalidate(step.key)),
  touch: foundOr((cache, step) =>
    cache.touch(step.key, step.ttl_ms === 'forever' ? Infinity : step.ttl_ms),
  ),
  clear: foundOr((cache) => cache.clear()),
  forget: (world, step) => world.need(step.flight).forget(step.key),
  flush: (world, step) => world.need(step.operation).flush(step.key),
  cancel_pacer: (world, step) => world.need(step.operation).cancel(step.key),
  pending: (world, step) =>
    expectEqual(world, step, 'pending', world.need(step.operation).pending, step.expect),
  add: (world, step) =>
    expectStatus(
      world,
      step,
      tried(() => world.need(step.pool).add(world.need(step.operation), given(step.input ?? null)))
        .status,
    ),
  seal: (world, step) =>
    expectStatus(world, step, tried(() => world.need(step.pool).seal()).status),
  cancel_scope: simple((scope) => scope.cancel()),
  set_value: simple((scope, step) => scope.set(step.key, step.value)),
  get_value: getValue,
  enable: simple((chaos, step) => (step.enabled ? chaos.enable() : chaos.disable())),
  register: simple((policy) => policy.register()),
  unregister: simple((policy) => policy.unregister()),
  find,
  create,
  options,
};
