// SPDX-License-Identifier: MIT
'use strict';
// Which options there are. What is no object, or has a name that is not among them, is refused, and
// told those that there are: a misspelt option would silently do nothing.
const native = require('./native.js');
const { InvalidError } = require('./errors.js');

const RUN = ['signal', 'deadlineMs', 'key', 'name', 'permits', 'priority', 'scope', 'input'];
const JUDGING = ['classify', 'failureWhen'];
const ALL = [...RUN, 'runtime'];

// By what they are of: whose names the addon knows (undefined: it reads none), and which are more.
const KNOWN = {
  retry: ['retry', [...JUDGING, 'shouldRetry', 'onRetry', 'runtime']],
  breaker: ['breaker', [...JUDGING, 'onStateChange', 'runtime']],
  limiter: ['limiter', [...JUDGING, 'limits', 'runtime']],
  timeout: ['timeout', ['timeoutFor', 'runtime']],
  hedge: ['hedge', [...JUDGING, 'runtime']],
  fallback: ['fallback', [...JUDGING, 'value', 'run', 'runtime']],
  chaos: ['chaos', ['failure', 'value', 'phases', 'runtime']],
  budget: ['budget', ['runtime']],
  bulkhead: [undefined, ['maxConcurrent', 'queueLimit', 'name', 'runtime']],
  // of runs: by a policy; of an operation or a key; of run() and settle()
  run: [undefined, RUN],
  'run with a policy': [undefined, [...RUN, 'policy']],
  'run of an operation': [undefined, [...RUN, 'policy', 'keys']],
  'run at once': [undefined, [...ALL, 'policy']],
  // flow: at once
  race: ['race', [...ALL, 'decisive']],
  all: [undefined, ALL],
  parallel: ['parallel', [...ALL, 'onProgress', 'onItem']],
  sleep: [undefined, [...ALL, 'value', 'error', 'status']],
  poll: ['poll', [...ALL, 'until']],
  pool: ['pool', ['onProgress', 'signal', 'deadlineMs', 'scope', 'runtime']],
  // flow: recipes
  operation: [undefined, [...JUDGING, 'shouldRetry', 'runtime', 'judges', 'asks']],
  'operations.race': ['race', ['decisive', 'runtime']],
  'operations.all': [undefined, ['name', 'runtime']],
  'operations.parallel': ['parallel', ['runtime']],
  'operations.sleep': [undefined, ['value', 'error', 'status', 'name', 'runtime']],
  'operations.poll': ['poll', ['until', 'runtime']],
  'operations.pool': ['pool', ['runtime']],
  'operations.resource': [undefined, ['key', 'runtime']],
  find: [undefined, ['runtime']],
  pipeline: [undefined, ['name']],
  // what is kept
  debounce: ['debounce', ['runtime']],
  throttle: ['throttle', ['runtime']],
  paced: [undefined, ['key', 'withAttempt']], // functions
  cache: ['cache', ['load', 'loadMany', 'weigh', 'ttlFor', 'onEvict', 'runtime']],
  memoize: ['cache', ['key', 'weigh', 'ttlFor', 'onEvict', 'runtime']],
  put: [undefined, ['ttlMs']],
  flight: ['flight', ['runtime']],
  scope: ['scope', ['runtime']],
  'scope()': [
    undefined,
    ['exit', 'deadlineMs', 'graceMs', 'name', ...['runtime', 'signal', 'input', 'scope']],
  ],
  runtime: ['runtime', ['onLog', 'onEvent', 'onRecorded', 'adopts']],
};
// Between the files of this package.
const INTERNAL = new Set(['driver', 'adopts', 'judges', 'asks']);
const legal = new Map();

function legalOf(what) {
  let names = legal.get(what);
  if (names === undefined) {
    const [family, more] = KNOWN[what];
    names = new Set([...(family === undefined ? [] : native.names(family)), ...more]);
    names.delete('hasValue'); // which the addon is told, of a fallback
    legal.set(what, names);
  }
  return names;
}

function checkObject(label, options) {
  const isList = Array.isArray(options);
  if (typeof options === 'object' && options !== null && !isList) return;
  const isShown = !isList && !['symbol', 'function'].includes(typeof options);
  const given = isShown ? String(options) : `a ${isList ? 'list' : typeof options}`;
  throw new InvalidError(`${label}: options must be an object (got ${given})`);
}

/** Refuses options of `what` that are none; `also` says of what else they may be. */
function checkOptions(what, options, label = what, also = undefined) {
  checkObject(label, options);
  const names = legalOf(what);
  for (const name in options) {
    if (names.has(name) || (also !== undefined && legalOf(also).has(name))) continue;
    if (!Object.hasOwn(options, name)) continue; // of a prototype that somebody has added to
    const there = new Set([...names, ...(also === undefined ? [] : legalOf(also))]);
    const list = [...there].filter((one) => !INTERNAL.has(one)).join(', ');
    throw new InvalidError(`${label}: no option is called ${name} (there are: ${list})`);
  }
}

module.exports = { checkOptions, checkObject, RUN };
