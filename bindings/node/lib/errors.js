// SPDX-License-Identifier: MIT
'use strict';
// Errors. What a user's function threw comes back as the very same object; everything that weir
// itself says is a WeirError, with a class for each family of statuses.
const native = require('./native.js');

const WORDS = {
  classes: ['none', 'success', 'failure', 'refusal', 'ignore', 'abandon'],
  stopReasons: [
    'none',
    'attempts',
    'elapsed',
    'budget',
    'no-time',
    'refused',
    'final',
    'classified',
    'no-memory',
  ],
  cancelReasons: ['none', 'caller', 'deadline', 'timeout', 'lost', 'superseded', 'shutdown'],
  channels: ['none', 'value', 'error', 'stopped'],
};

/** What weir itself says: a refusal, a timeout, a cancel, a wrong option ... */
class WeirError extends Error {
  constructor(message, fields = {}) {
    super(message, 'cause' in fields ? { cause: fields.cause } : undefined);
    this.status = fields.status ?? -1;
    this.code = native.statusName(this.status);
  }

  get name() {
    return this.constructor.name;
  }
}

class InvalidError extends WeirError {}
class MemoryError extends WeirError {}
class CancelledError extends WeirError {}
class TimeoutError extends WeirError {}
class NoTimeError extends WeirError {}
class OpenError extends WeirError {}
class LimitedError extends WeirError {}
class FullError extends WeirError {}
class FailedError extends WeirError {}
class AggregateError extends WeirError {}
class ExhaustedError extends WeirError {}
class SupersededError extends WeirError {}
class StaleError extends WeirError {}
class ClosedError extends WeirError {}
class NotFoundError extends WeirError {}
class ExistsError extends WeirError {}
class NotSupportedError extends WeirError {}
class ExpiredError extends WeirError {}

const BY_STATUS = new Map([
  [-1, InvalidError],
  [-2, MemoryError],
  [-3, InvalidError],
  [-4, CancelledError],
  [-5, TimeoutError],
  [-6, NoTimeError],
  [-7, OpenError],
  [-8, LimitedError],
  [-9, FullError],
  [-10, FailedError],
  [-11, AggregateError],
  [-12, ExhaustedError],
  [-13, SupersededError],
  [-14, StaleError],
  [-15, ClosedError],
  [-16, NotFoundError],
  [-17, ExistsError],
  [-18, NotSupportedError],
  [-20, ExpiredError],
]);

/** Thrown instead of an error that no retry shall repeat; comes out as that error. */
class Final {
  constructor(error) {
    this.error = error;
  }
}

/** Whether a user's object is of a class, though asking may throw (a proxy). */
function isA(Kind, thing) {
  try {
    return thing instanceof Kind;
  } catch {
    return false;
  }
}

/** `throw final(error)`: nothing tries again, and whoever waits gets `error`. */
function final(error) {
  return new Final(error);
}

const outcomes = new WeakMap();

/** How the run that failed with `error` went: attempts, elapsed time, why the retry gave up ... */
function outcomeOf(error) {
  return typeof error === 'object' && error !== null ? outcomes.get(error) : undefined;
}

function remember(error, outcome) {
  if ((typeof error === 'object' && error !== null) || typeof error === 'function') {
    outcomes.set(error, outcome);
  }
}

function make(status, message, fields) {
  const Kind = BY_STATUS.get(status) ?? WeirError;
  return new Kind(message, { ...fields, status });
}

// A description of errors.c, as JavaScript's own. `values` is the table of what weir holds.
function errorOf(description, values) {
  const { detail, cause } = description;
  const isUsers = typeof detail === 'number' && detail >= 0 && description.status === -10;
  // A step of a waterfall has the error of its function as cause, too.
  if (isUsers && cause?.detail !== detail) return values.get(detail);
  const fields = {};
  if (cause !== undefined) fields.cause = errorOf(cause, values);
  const error = make(description.status, description.message ?? '', fields);
  if (description.domain !== 0) {
    error.domain = description.domain;
    error.number = description.code;
  }
  if (description.errors !== undefined) {
    error.errors = description.errors.map((one) => errorOf(one, values));
    error.indexes = description.indexes;
  }
  if (detail !== undefined && !isUsers) error.value = valueOf(detail, values);
  return error;
}

function itemOf(item, values) {
  return typeof item === 'object' && 'error' in item
    ? errorOf(item.error, values)
    : valueOf(item, values);
}

// A list's item as of Promise.allSettled.
function settledOf(item, values) {
  if (typeof item === 'object' && 'error' in item) {
    return { status: 'rejected', reason: errorOf(item.error, values) };
  }
  return { status: 'fulfilled', value: valueOf(item, values) };
}

// What a value's description stands for.
function valueOf(description, values) {
  if (typeof description === 'number') return values.get(description);
  if (description.list !== undefined) return description.list.map((item) => itemOf(item, values));
  return description.bytes;
}

native.setErrors((description) => errorOf(description, { get: () => undefined }));

const REFUSALS = new Set([-6, -7, -8, -9]);

/** How an error of weir's own is judged by what stands around: WEIR_CLASS_*; 0: by default. */
function classOf(error) {
  if (!isA(WeirError, error)) return 0;
  return REFUSALS.has(error.status) ? 3 : 0;
}

module.exports = {
  WORDS,
  WeirError,
  InvalidError,
  MemoryError,
  CancelledError,
  TimeoutError,
  NoTimeError,
  OpenError,
  LimitedError,
  FullError,
  FailedError,
  AggregateError,
  ExhaustedError,
  SupersededError,
  StaleError,
  ClosedError,
  NotFoundError,
  ExistsError,
  NotSupportedError,
  ExpiredError,
  Final,
  isA,
  final,
  outcomeOf,
  remember,
  make,
  errorOf,
  valueOf,
  settledOf,
  classOf,
};
