// SPDX-License-Identifier: MIT
'use strict';
// The addon. It is built when the package is installed (scripts/build.js).
try {
  module.exports = require('../build/weir.node');
} catch (error) {
  if (error.code !== 'MODULE_NOT_FOUND') throw error;
  throw new Error(
    'the addon of weir was not built when it was installed: allow npm its install script, then `npm rebuild weir`',
    { cause: error },
  );
}
