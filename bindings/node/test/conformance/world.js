// SPDX-License-Identifier: MIT
'use strict';
// One scenario's world: the virtual clock, what the scenario names (made when first needed), the
// users'
// functions with their agenda, and what was seen.
const weir = require('../../lib/index.js');
const {
  options,
  UserError,
  given,
  seen,
  statusOf,
  errorFields,
  causeOf,
  words,
  STATUSES,
  CODES,
} = require('./words.js');

// A list's nulls are no values, too.
const valueOf = (value) => (Array.isArray(value) ? value.map(given) : given(value ?? null));

class World {
  constructor(scenario) {
    const { seed = 1, max_in_flight: most, close_grace_ms: grace } = scenario.runtime ?? {};
    const runtime = { seed };
    if (most !== undefined) runtime.maxInFlight = most === 'unlimited' ? Infinity : most;
    if (grace !== undefined) runtime.closeGraceMs = grace === 'forever' ? Infinity : grace;
    this.scenario = scenario;
    this.clock = new weir.TestClock(runtime);
    this.runtime = this.clock.runtime;
    this.things = new Map();
    this.leaves = new Map();
    this.agenda = [];
    this.settled = [];
    this.runs = new Map();
    this.kept = new Map(); // permits, snapshots, retry states by label
    this.problems = [];
    this.event = 0;
  }

  get now() {
    return Math.round(this.clock.now);
  }

  problem(text) {
    this.problems.push(text);
  }

  // ---- things by name ----

  need(name) {
    if (!this.things.has(name)) this.things.set(name, this.make(name));
    return this.things.get(name);
  }

  make(name) {
    const {
      policies = {},
      operations = {},
      caches = {},
      flights = {},
      scopes = {},
    } = this.scenario;
    const { runtime } = this;
    if (name in policies) return this.policy(policies[name], name);
    if (name in operations) return this.operation(operations[name], name);
    if (name in caches) return this.cache(caches[name], name);
    if (name in flights) return new weir.Flight({ ...options(flights[name]), name, runtime });
    if (name in scopes) return this.scope(scopes[name], name);
    throw new Error(`the scenario names no ${name}`);
  }

  cache(def, name) {
    return new weir.Cache({ ...options(def), name, runtime: this.runtime });
  }

  scope({ parent, ...def }, name) {
    const more = parent === undefined ? {} : { parent: this.need(parent) };
    return new weir.Scope({ ...options(def), ...more, name, runtime: this.runtime });
  }

  policyOptions(def) {
    const plain = options(
      def,
      'budget',
      'policies',
      'operation',
      'failure',
      'value',
      'phases',
      'limits',
      'failures',
    );
    if (def.failures !== undefined) plain.failures = options(def).failures;
    if (def.budget !== undefined) plain.budget = this.need(def.budget);
    if (def.limits !== undefined) plain.limits = def.limits.map((limit) => options(limit));
    if (def.operation !== undefined) plain.run = this.need(def.operation);
    if (def.type === 'fallback' && 'value' in def) plain.value = given(def.value);
    if (def.type === 'chaos' && 'value' in def) plain.value = given(def.value);
    if (def.failure !== undefined) plain.failure = new UserError(def.failure);
    if (def.phases !== undefined) plain.phases = def.phases.map((phase) => options(phase));
    return plain;
  }

  policy(def, name) {
    const more = { ...this.policyOptions(def), name, runtime: this.runtime };
    switch (def.type) {
      case 'retry':
        return new weir.Retry(more);
      case 'budget':
        return new weir.Budget(more);
      case 'breaker':
        return new weir.Breaker(more);
      case 'limiter':
        return new weir.Limiter(more);
      case 'bulkhead':
        return new weir.Bulkhead(more);
      case 'timeout':
        return new weir.Timeout(more);
      case 'hedge':
        return new weir.Hedge(more);
      case 'fallback':
        return new weir.Fallback(more);
      case 'chaos':
        return new weir.Chaos(more);
      case 'pipeline':
        return new weir.Pipeline(
          def.policies.map((one) => this.need(one)),
          { name },
        );
      default:
        throw new Error(`no such policy: ${def.type}`);
    }
  }

  operation(def, name) {
    const { runtime } = this;
    const list = () => def.operations.map((one) => this.need(one));
    const inner = () => this.need(def.operation);
    const more = (...without) => {
      const plain = options(def, 'operations', 'operation', 'policy', 'items', ...without);
      if (def.policy !== undefined) plain.policy = this.need(def.policy);
      return { ...plain, name, runtime };
    };
    const make = weir.operations;
    switch (def.type) {
      case 'leaf':
        return this.leaf(def, name);
      case 'sleep':
        return make.sleep(def.sleep_ms === 'forever' ? Infinity : def.sleep_ms, {
          runtime,
          value: given(def.value ?? null),
          error: def.error && new UserError(def.error),
          ...(def.status === undefined ? {} : { status: CODES[def.status] }),
        });
      case 'wrap':
        return this.need(def.policy).wrap(inner());
      case 'race':
        return make.race(list(), more());
      case 'any':
        return make.any(list(), more());
      case 'all':
        return make.all(list(), more());
      case 'all_settled':
        return make.allSettled(list(), more());
      case 'waterfall':
        return make.waterfall(list(), more());
      case 'parallel':
        return make.parallel(list(), more());
      case 'parallel_each':
        return make.each(inner(), def.items.map(given), more());
      case 'pool':
        return make.pool(more());
      case 'poll':
        return make.poll(inner(), more());
      case 'cache':
        return this.need(def.cache).operation(this.need(def.loader));
      case 'cache_many':
        return this.need(def.cache).operationMany(this.need(def.loader));
      case 'memoize':
        return make.memoize(inner(), more());
      case 'flight':
        return this.need(def.flight).operation(inner());
      case 'debounce':
      case 'throttle':
        return make.pacer(def.type, inner(), more());
      case 'scope':
        return make.scope(inner(), more());
      case 'resource':
        return make.resource(this.need(def.open), this.need(def.close), { key: def.key, runtime });
      case 'join':
        return this.need(def.scope).joining();
      default:
        throw new Error(`no such operation: ${def.type}`);
    }
  }

  // ---- the users' functions ----

  leaf(def, name) {
    const leaf = {
      starts: [],
      inputs: [],
      stops: [],
      count: 0,
      by: def.by ?? 'attempt',
      fates: def.attempts,
    };
    this.leaves.set(name, leaf);
    return weir.operation((attempt) => this.begin(leaf, attempt), { runtime: this.runtime });
  }

  note(list, value) {
    list.push({ event: this.event, value });
  }

  begin(leaf, attempt) {
    const position = { attempt: attempt.attempt - 1, start: leaf.count, index: attempt.index }[
      leaf.by
    ];
    const fate = leaf.fates[Math.min(position, leaf.fates.length - 1)];
    leaf.count++;
    this.note(leaf.starts, this.now);
    this.note(leaf.inputs, seen(attempt.input));
    const entry = {
      due: fate.never ? Infinity : this.now + (fate.after_ms ?? 0),
      fate,
      attempt,
      value: valueOf(fate.value),
    };
    if (fate.echo) entry.value = attempt.input;
    if (fate.scope_value !== undefined) entry.value = attempt.scope?.get(fate.scope_value);
    this.agenda.push(entry);
    attempt.signal.addEventListener('abort', () => this.stop(leaf, entry));
    return new Promise((resolve, reject) => Object.assign(entry, { resolve, reject }));
  }

  stop(leaf, entry) {
    const at = this.agenda.indexOf(entry);
    if (at < 0) return;
    this.note(leaf.stops, this.now);
    if (entry.fate.on_cancel === 'ignore') return;
    this.agenda.splice(at, 1);
    entry.reject(new Error('told to stop'));
  }

  complete(entry) {
    const { fate, attempt } = entry;
    this.agenda.splice(this.agenda.indexOf(entry), 1);
    if (fate.class !== undefined) attempt.judgeAs(fate.class, { final: fate.final });
    if (fate.retry_after_ms !== undefined) attempt.retryAfter(fate.retry_after_ms);
    if (fate.error === undefined) entry.resolve(entry.value);
    else
      entry.reject(fate.final ? weir.final(new UserError(fate.error)) : new UserError(fate.error));
  }

  // ---- what was seen ----

  record(label, outcome) {
    const { error, rejection } = outcome;
    const entry = {
      run: label,
      event: this.event,
      at_ms: this.now,
      status: STATUSES[outcome.status],
      channel: outcome.channel,
      value: seen(outcome.value),
      attempts: outcome.attempts,
      final: outcome.final,
      statuses: outcome.statuses.map((one) => STATUSES[one]),
      causes: [],
      stop_reason: words(outcome.stopReason),
      cancel_reason: words(outcome.cancelReason),
      retry_after_ms: outcome.retryAfterMs ?? 'off',
    };
    if (error !== undefined) Object.assign(entry, errorFields(error));
    if (error?.errors !== undefined)
      entry.causes = error.errors.map((one, i) => causeOf(one, error.indexes[i]));
    if (outcome.cause !== undefined) entry.cause = causeOf(outcome.cause, 0);
    if (rejection !== undefined) {
      entry.rejection = {
        policy: rejection.policy,
        name: rejection.name,
        reason: words(rejection.reason),
      };
    }
    this.settled.push(entry);
  }

  async close() {
    this.runtime.close();
    await this.clock.settle();
    for (const entry of [...this.agenda]) this.complete(entry);
    await this.clock.close();
  }
}

module.exports = { World, statusOf };
