// SPDX-License-Identifier: MIT
'use strict';
// How runs end, and how attempts are judged before they are completed.
const native = require('./native.js');
const errors = require('./errors.js');

const { WORDS } = errors;
const CLASSES = new Map(WORDS.classes.map((word, number) => [word, number]));

/** How a run ended. */
class Outcome {
  constructor(description, values) {
    this.ok = description.channel === 1;
    /** False: the runtime did not take the run (closed, or too many in flight). */
    this.accepted = description.slot === undefined;
    this.channel = WORDS.channels[description.channel];
    this.status = description.status === 0 ? 'WEIR_OK' : native.statusName(description.status);
    this.attempts = description.attempts ?? 0;
    this.elapsedMs = description.elapsedMs ?? 0;
    this.stopReason = WORDS.stopReasons[description.stopReason ?? 0];
    this.cancelReason = WORDS.cancelReasons[description.cancelReason ?? 0];
    this.retryAfterMs = description.retryAfterMs;
    this.rejection = description.rejection;
    this.final = description.final === 1;
    this.statuses = (description.statuses ?? []).map((s) =>
      s === 0 ? 'WEIR_OK' : native.statusName(s),
    );
    if (description.value !== undefined) this.value = errors.valueOf(description.value, values);
    if (description.error !== undefined) {
      this.error = errors.errorOf(description.error, values);
      const { cause } = description.error;
      if (cause !== undefined) this.cause = errors.errorOf(cause, values);
    } else if (!this.ok) {
      this.error = errors.make(description.status, stoppedMessage(description));
    }
  }
}

function stoppedMessage(description) {
  const reason = WORDS.cancelReasons[description.cancelReason] ?? 'none';
  if (description.status === -5) return 'the deadline passed';
  return reason === 'none' ? native.statusName(description.status) : `stopped: ${reason}`;
}

// Domain and code by which data (a policy's `failures`) can tell errors apart.
function numbersOf(error) {
  if (typeof error !== 'object' || error === null) return [1000, 0];
  if (Number.isInteger(error.domain) && Number.isInteger(error.code))
    return [error.domain, error.code];
  if (Number.isInteger(error.status) && error.status >= 100) return [3, error.status];
  if (Number.isInteger(error.statusCode)) return [3, error.statusCode];
  if (Number.isInteger(error.errno)) return [2, error.errno];
  return [1000, Number.isInteger(error.code) ? error.code : 0];
}

function classNumber(answer) {
  if (answer === undefined || answer === null) return 0;
  const number = CLASSES.get(answer);
  if (number === undefined) throw new errors.InvalidError(`no such class: ${String(answer)}`);
  return number;
}

// Asks the deciders, innermost first, of one attempt's end; returns class and, times 8, final.
function judge(judges, outcome, known) {
  let cls = known;
  for (const decider of judges) {
    if (cls === 0 && decider.classify !== undefined) cls = classNumber(decider.classify(outcome));
    if (cls === 0 && outcome.ok && decider.failureWhen?.(outcome.value)) cls = 2;
  }
  const failed = cls === 2 || (cls === 0 && !outcome.ok);
  for (const decider of judges) {
    if (
      failed &&
      decider.shouldRetry !== undefined &&
      !decider.shouldRetry(outcome.error, outcome.attempt)
    ) {
      return cls + 8;
    }
  }
  return cls;
}

function keyOf(key) {
  if (typeof key === 'string' || key instanceof Uint8Array) return key;
  if (typeof key === 'number' || typeof key === 'bigint' || typeof key === 'boolean')
    return String(key);
  throw new errors.InvalidError('a key must be a string, number, bigint, boolean or Uint8Array');
}

module.exports = { Outcome, judge, numbersOf, keyOf };
