// SPDX-License-Identifier: MIT
'use strict';
// Before packing: the library as one source and one header, into vendor/.
const { execFileSync } = require('node:child_process');
const path = require('node:path');

const root = path.join(__dirname, '..');
const script = path.join(root, '../../src/amalgamate.py');
execFileSync('python3', [script, path.join(root, 'vendor')], { stdio: 'inherit' });
