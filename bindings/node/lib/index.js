// SPDX-License-Identifier: MIT
'use strict';
// weir for Node: retry, circuit breaker, limiter, timeout, cache and what is composed of them. The
// types with all options are in index.d.ts.
const { AsyncResource } = require('node:async_hooks');
const native = require('./native.js');
const errors = require('./errors.js');
const { Runtime, Outcome, defaultRuntime } = require('./runtime.js');
const { Operation, operation, judgesOf } = require('./operation.js');
const policies = require('./policies.js');
const flow = require('./flow.js');
const { checkOptions, checkObject } = require('./options.js');
const { rejecting } = require('./rejecting.js');
const caches = require('./cache.js');
const pace = require('./pace.js');
const scopes = require('./scope.js');
const { TestClock } = require('./testing.js');

const DECIDERS = new Set(['classify', 'failureWhen', 'shouldRetry']);
const KEPT = 64;

// A listener that is given for one call is told in the context of that call.
function inContext(options) {
  if (typeof options.onRetry !== 'function') return options;
  return { ...options, onRetry: AsyncResource.bind(options.onRetry) };
}

// A policy for one call: what it does not know is no option of a run, either.
function fresh(Kind, options) {
  checkOptions(Kind.name.toLowerCase(), options, undefined, 'run');
  return new Kind(options);
}

// The policy that these options describe. Equal options without functions are one policy, so that
// a call like retry(fn, { maxAttempts: 5 }) in a loop makes none.
function policyOf(Kind, options, runtime) {
  let key = Kind.name;
  const data = { runtime };
  for (const name of Object.keys(options)) {
    if (DECIDERS.has(name)) continue;
    const value = options[name];
    if (typeof value === 'function' || typeof value === 'object')
      return fresh(Kind, { ...inContext(options), runtime });
    data[name] = value;
    key += `|${name}:${typeof value}:${String(value)}`;
  }
  runtime._policies ??= new Map();
  let policy = runtime._policies.get(key);
  if (policy === undefined) {
    if (runtime._policies.size >= KEPT) runtime._policies.clear();
    policy = fresh(Kind, data);
    runtime._policies.set(key, policy);
  }
  return policy;
}

// What `Kind` does, for one call: its options and those of the run stand side by side.
function once(Kind, fn, options) {
  checkObject(Kind.name.toLowerCase(), options);
  const { run, rest } = flow.split(options);
  const runtime = options.runtime ?? fn?._runtime ?? defaultRuntime();
  const policy = policyOf(Kind, rest, runtime);
  const judges = judgesOf(rest);
  if (fn instanceof Operation) {
    return judges === undefined ? policy.run(fn, run) : new Kind({ ...rest, runtime }).run(fn, run);
  }
  if (typeof fn !== 'function') throw new errors.InvalidError('a function is needed');
  return runtime._launch(0, policy._open(), fn, judges, 0, run, policy);
}

const NONE = Object.freeze({});

/**
 * Tries again what failed: `await retry(fn, { maxAttempts: 5, backoff: 'exponential', shouldRetry
 * })`.
 */
function retry(fn, options = NONE) {
  return once(policies.Retry, fn, options);
}

/** Settles what takes longer than `timeoutMs`. */
function timeout(fn, timeoutMs, options = NONE) {
  checkObject('timeout', options);
  return once(policies.Timeout, fn, { ...options, timeoutMs });
}

/** Starts another copy of what is slow. */
function hedge(fn, options) {
  return once(policies.Hedge, fn, options);
}

/** Answers in the place of what failed: with { value } or { run: (attempt) => ... }. */
function fallback(fn, options) {
  checkObject('fallback', options);
  const { run, rest } = flow.split(options);
  const runtime = options.runtime ?? defaultRuntime();
  return fresh(policies.Fallback, { ...rest, runtime }).run(fn, run);
}

/** Runs a function, an operation; options as of a run, and `policy`. */
function run(fn, options = NONE) {
  return by(options).run(fn, ofRun(options));
}

/** As run(), but resolves with the Outcome, also when it fails. */
function settle(fn, options = NONE) {
  return by(options).settle(fn, ofRun(options));
}

function by(options) {
  checkOptions('run at once', options, 'run');
  return options.policy ?? plain(options);
}

function ofRun(options) {
  if (options.policy === undefined && options.runtime === undefined) return options;
  const { policy, runtime, ...its } = options;
  return its;
}

// Stands for no policy.
function plain(options) {
  const runtime = options.runtime ?? defaultRuntime();
  const go = (flags) => (fn, its) => {
    if (fn instanceof Operation) return flags === 0 ? fn.run(its) : fn.settle(its);
    if (typeof fn !== 'function')
      throw new errors.InvalidError('a function or an operation is needed');
    return runtime._launch(0, 0, fn, undefined, flags, its);
  };
  return { run: go(0), settle: go(2) };
}

const { Final, isA, WORDS, remember, make, errorOf, valueOf, settledOf, classOf, ...errorClasses } =
  errors;

module.exports = {
  // policies
  Retry: policies.Retry,
  Breaker: policies.Breaker,
  Limiter: policies.Limiter,
  Bulkhead: policies.Bulkhead,
  Timeout: policies.Timeout,
  Hedge: policies.Hedge,
  Fallback: policies.Fallback,
  Chaos: policies.Chaos,
  Budget: policies.Budget,
  Pipeline: policies.Pipeline,
  pipeline: policies.pipeline,
  find: policies.find,
  lastRejection: policies.lastRejection,
  // at once
  run: rejecting(run),
  settle: rejecting(settle),
  retry: rejecting(retry),
  timeout: rejecting(timeout),
  hedge: rejecting(hedge),
  fallback: rejecting(fallback),
  race: flow.race,
  any: flow.any,
  all: flow.all,
  allSettled: flow.allSettled,
  parallel: flow.parallel,
  map: flow.map,
  waterfall: flow.waterfall,
  sleep: flow.sleep,
  poll: flow.poll,
  Pool: flow.Pool,
  debounce: pace.debounce,
  throttle: pace.throttle,
  cache: caches.cache,
  Cache: caches.Cache,
  memoize: caches.memoize,
  Flight: caches.Flight,
  scope: scopes.scope,
  Scope: scopes.Scope,
  // recipes
  Operation,
  operation,
  operations: {
    ...flow.operationsOf,
    ...scopes.scopeOperations,
    pacer: pace.pacer,
    memoize: (inner, options) => new caches.Memoized(inner, options),
  },
  // runtimes
  Runtime,
  Outcome,
  defaultRuntime,
  TestClock,
  version: native.version(),
  // errors
  ...errorClasses,
};
