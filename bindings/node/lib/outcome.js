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
  return reason === 'none' ? native.statusMessage(description.status) : `stopped: ${reason}`;
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

// What weir is told of whatever was thrown, which may be anything, such as a proxy that throws.
function describe(error) {
  try {
    const [domain, code] = numbersOf(error);
    const message = String(error instanceof Error ? error.message : error);
    const retryAfterMs = error?.retryAfterMs;
    return { domain, code, message, retryAfterMs };
  } catch {
    return { domain: 1000, code: 0, message: 'something that cannot be described' };
  }
}

function classNumber(answer) {
  if (answer === undefined || answer === null) return 0;
  const number = CLASSES.get(answer);
  if (number === undefined) throw new errors.InvalidError(`no such class: ${String(answer)}`);
  return number;
}

function isThenable(answer) {
  const type = typeof answer;
  if ((type !== 'object' && type !== 'function') || answer === null) return false;
  return typeof answer.then === 'function';
}

// Asks the deciders, innermost first, of one attempt's end; gives class and, times 8, final. An
// answer that is a promise is yielded, and comes back as what it resolves with.
function* asked(judges, outcome, known) {
  let cls = known;
  for (const { classify, failureWhen } of judges) {
    if (cls === 0 && classify !== undefined) {
      const answer = classify(outcome);
      cls = classNumber(isThenable(answer) ? yield answer : answer);
    }
    if (cls === 0 && outcome.ok && failureWhen !== undefined) {
      const answer = failureWhen(outcome.value);
      if (isThenable(answer) ? yield answer : answer) cls = 2;
    }
  }
  if (cls !== 2 && (cls !== 0 || outcome.ok)) return cls;
  for (const { shouldRetry } of judges) {
    if (shouldRetry === undefined) continue;
    const answer = shouldRetry(outcome.error, outcome.attempt);
    if (!(isThenable(answer) ? yield answer : answer)) return cls + 8;
  }
  return cls;
}

/** The verdict; a promise of it if a decider answers later. */
function judge(judges, outcome, known) {
  const asking = asked(judges, outcome, known);
  const { done, value } = asking.next();
  return done ? value : judgeLater(asking, value);
}

async function judgeLater(asking, answer) {
  for (;;) {
    const { done, value } = asking.next(await answer);
    if (done) return value;
    answer = value;
  }
}

function keyOf(key) {
  if (typeof key === 'string' || key instanceof Uint8Array) return key;
  if (typeof key === 'number' || typeof key === 'bigint' || typeof key === 'boolean')
    return String(key);
  throw new errors.InvalidError('a key must be a string, number, bigint, boolean or Uint8Array');
}

module.exports = { Outcome, judge, isThenable, describe, keyOf };
