// SPDX-License-Identifier: MIT
'use strict';
// What gives a promise never throws: whoever awaits it, or catches, finds all errors in one place.

/** The same function, which rejects where `fn` throws. */
function rejecting(fn) {
  function same(...args) {
    try {
      return fn.apply(this, args);
    } catch (error) {
      return Promise.reject(error);
    }
  }
  Object.defineProperty(same, 'name', { value: fn.name });
  return Object.defineProperty(same, 'length', { value: fn.length });
}

/** The same of the methods of these names. */
function methodsReject({ prototype }, ...names) {
  for (const name of names) {
    const { value, ...rest } = Object.getOwnPropertyDescriptor(prototype, name);
    Object.defineProperty(prototype, name, { ...rest, value: rejecting(value) });
  }
}

module.exports = { rejecting, methodsReject };
