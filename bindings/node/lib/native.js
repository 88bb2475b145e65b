// SPDX-License-Identifier: MIT
'use strict';
// The addon. It is built when the package is installed (scripts/build.js).
module.exports = require('../build/weir.node');
