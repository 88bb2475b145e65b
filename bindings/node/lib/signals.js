// SPDX-License-Identifier: MIT
'use strict';
// Users' AbortSignals: one listener for all runs of a signal, so that thousands of runs may share
// one.
const watched = new WeakMap();

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

module.exports = { watch, forget };
