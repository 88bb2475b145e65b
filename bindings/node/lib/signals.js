// SPDX-License-Identifier: MIT
'use strict';
// Users' AbortSignals: one listener for all runs of a signal, so that thousands of runs may share
// one.
const { InvalidError } = require('./errors.js');

const watched = new WeakMap();

// Whether a run with this signal ends before it begins: then `refuse` is told why.
function refuses(signal, refuse) {
  try {
    if (typeof signal.addEventListener !== 'function')
      throw new InvalidError('signal must be an AbortSignal');
    if (!signal.aborted) return false;
    refuse(signal.reason);
  } catch (error) {
    refuse(error);
  }
  return true;
}

function watch(signal, run, runtime) {
  let runs = watched.get(signal);
  if (runs === undefined) {
    runs = new Map();
    runs.listener = () => {
      for (const [one, itsRuntime] of [...runs]) itsRuntime._cancel(one);
    };
    watched.set(signal, runs);
    signal.addEventListener('abort', runs.listener, { once: true });
  }
  runs.set(run, runtime);
}

function forget(signal, run) {
  const runs = watched.get(signal);
  if (runs === undefined) return;
  runs.delete(run);
  if (runs.size > 0) return;
  watched.delete(signal);
  signal.removeEventListener('abort', runs.listener);
}

module.exports = { refuses, watch, forget };
