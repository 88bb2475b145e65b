// SPDX-License-Identifier: MIT
'use strict';
// The table's names and values as this binding's, and back.

const DOMAINS = { weir: 0, errno: 1, uv: 2, http: 3, grpc: 4, curl: 5, user: 1000 };
const STATUSES = {
  WEIR_OK: 'ok',
  WEIR_EINVAL: 'invalid',
  WEIR_ENOMEM: 'no_memory',
  WEIR_ECANCELLED: 'cancelled',
  WEIR_ETIMEDOUT: 'timed_out',
  WEIR_ENOTIME: 'no_time',
  WEIR_EOPEN: 'open',
  WEIR_ELIMITED: 'limited',
  WEIR_EFULL: 'full',
  WEIR_EFAILED: 'failed',
  WEIR_EAGGREGATE: 'aggregate',
  WEIR_EEXHAUSTED: 'exhausted',
  WEIR_ESUPERSEDED: 'superseded',
  WEIR_ESTALE: 'stale',
  WEIR_ECLOSED: 'closed',
  WEIR_ENOTFOUND: 'not_found',
  WEIR_EEXISTS: 'exists',
  WEIR_ENOTSUP: 'not_supported',
  WEIR_EEXPIRED: 'expired',
  WEIR_ESTOP: 'stop',
};
const CODES = Object.fromEntries(Object.entries(STATUSES).map(([code, word]) => [word, code]));

const camel = (name) => name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());
const words = (word) => word.replaceAll('-', '_');
const dashes = (word) => word.replaceAll('_', '-');

// Words of options that are enumerations.
const ENUMERATIONS = new Set([
  'backoff',
  'jitter',
  'mode',
  'algorithm',
  'queue_order',
  'key_overflow',
  'adaptive',
  'eviction',
  'superseded',
  'overlap',
  'exit',
  'what',
]);
const MODES = { consecutive: 'consecutive', count_window: 'count', time_window: 'time' };

function option(name, value) {
  if (value === 'forever' || value === 'unlimited') return Infinity;
  if (name === 'mode') return MODES[value];
  if (ENUMERATIONS.has(name)) return dashes(value);
  return value === 'off' ? null : value;
}

/** An object's scalar options; what refers to other things is the caller's. */
function options(given, ...without) {
  const result = {};
  for (const [name, value] of Object.entries(given ?? {})) {
    if (name !== 'type' && !without.includes(name)) result[camel(name)] = option(name, value);
  }
  if (given?.failures !== undefined) {
    result.failures = given.failures.map(({ domain, code_min: from, code_max: to }) => ({
      domain,
      from,
      to,
    }));
  }
  return result;
}

/** What the users' functions throw: domain, code, message. */
class UserError extends Error {
  constructor({ code, message, domain = 'user' }) {
    super(message ?? '');
    this.code = code;
    this.domain = DOMAINS[domain];
    this.word = domain;
  }
}

/** null is no value. */
const given = (value) => (value === null ? undefined : value);

function seen(value) {
  if (value === undefined || value === null) return null;
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (value instanceof Error) return { status: statusOf(value), ...errorFields(value) };
  return Array.isArray(value) ? value.map(seen) : value;
}

function statusOf(error) {
  return error instanceof UserError ? 'failed' : (STATUSES[error.code] ?? 'failed');
}

function errorFields(error) {
  if (error instanceof UserError) {
    return {
      error: { code: error.code, domain: error.word, message: error.message },
      message: error.message,
    };
  }
  const domain = Object.keys(DOMAINS).find((word) => DOMAINS[word] === (error.domain ?? 0));
  return {
    error: { code: error.number ?? error.status, domain, message: error.message },
    message: error.message,
  };
}

function causeOf(error, index) {
  return { index, status: statusOf(error), ...errorFields(error) };
}

module.exports = {
  STATUSES,
  CODES,
  DOMAINS,
  camel,
  words,
  dashes,
  options,
  UserError,
  given,
  seen,
  statusOf,
  errorFields,
  causeOf,
};
