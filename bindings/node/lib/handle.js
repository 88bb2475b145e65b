// SPDX-License-Identifier: MIT
'use strict';
const native = require('./native.js');
const { make, InvalidError } = require('./errors.js');

// Gives back what nobody closed. Runs that are going on keep what they need.
const registry = new FinalizationRegistry((handles) => {
  for (const handle of handles) native.release(handle);
});

// A listener's number is free when nothing can tell it anything any more.
const silent = new FinalizationRegistry(({ runtime, listener }) => {
  runtime.deref()?._listeners.remove(listener);
});

/** Something native: closed by close(), by `using`, or when it is collected. */
class Handle {
  constructor(runtime, handle, more = []) {
    this._runtime = runtime;
    this._handle = handle;
    this._more = more; // handles that come and go with it
    this._listener = 0; // its number, if a listener of the user's is told of it
    registry.register(this, [handle, ...more], this);
  }

  // What is told of it, if something is: `told` as of listen().
  _tells({ listener, fn }) {
    if (listener === undefined) return;
    this._told = fn;
    if (this._listener !== 0) return; // another function under the same number
    this._listener = listener;
    silent.register(this, { runtime: new WeakRef(this._runtime), listener });
  }

  _open() {
    if (this._handle === 0) throw make(-15, `the ${this.constructor.name} is closed`);
    return this._handle;
  }

  /** Gives it back now. Runs in flight go on; further use throws a ClosedError. */
  close() {
    if (this._handle === 0) return;
    this._runtime._flush(); // commands that name it
    registry.unregister(this);
    native.release(this._handle);
    for (const handle of this._more) native.release(handle);
    if (this._listener !== 0) this._runtime._listeners.silence(this._listener);
    this._handle = 0;
  }
}

if (Symbol.dispose !== undefined) Handle.prototype[Symbol.dispose] = Handle.prototype.close;

/**
 * A number under which `fn` hears. `told` keeps it, later its handle does; `made` gives that handle,
 * and if there is none to be, the number is free again.
 */
function listen(runtime, fn, told) {
  if (typeof fn !== 'function') throw new InvalidError('a listener must be a function');
  told.fn = fn;
  told.listener = runtime._listeners.put(new WeakRef(fn));
  return told.listener;
}

function made(runtime, told, make) {
  try {
    return make();
  } catch (error) {
    if (told.listener !== undefined) runtime._listeners.remove(told.listener);
    throw error;
  }
}

module.exports = { Handle, listen, made };
