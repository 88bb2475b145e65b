// SPDX-License-Identifier: MIT
'use strict';
// Builds the addon with the system's compilers: from the library's sources in vendor/ (which the
// package brings along), or, with WEIR_SYSTEM=1 or without them, against the installed libweir.
// Needs a C compiler, for vendor/ also one for C++20, and pkg-config for libuv. Nothing of a C++
// runtime is linked.
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const out = process.env.WEIR_NODE_BUILD || path.join(root, 'build');
const vendor = path.join(root, 'vendor');
const vendored = process.env.WEIR_SYSTEM !== '1' && fs.existsSync(path.join(vendor, 'weir.cc'));
const cc = process.env.CC || 'cc';
const cxx = process.env.CXX || 'c++';

function run(command, ...args) {
  console.log([command, ...args].join(' '));
  execFileSync(command, args, { stdio: 'inherit', cwd: root });
}

function pkgConfig(...args) {
  try {
    return execFileSync('pkg-config', args, { encoding: 'utf8' }).split(/\s+/).filter(Boolean);
  } catch (error) {
    const what = args[args.length - 1];
    const hint = what === 'libuv' ? ' (Debian: libuv1-dev)' : '';
    throw new Error(`weir needs pkg-config and ${what}${hint}: ${error.message}`);
  }
}

const WARNINGS = ['-Wall', '-Wextra', ...(process.env.WEIR_WERROR === '1' ? ['-Werror'] : [])];
const COMMON = ['-O2', '-fPIC', '-fno-plt', '-fvisibility=hidden', '-pthread'];

function compileLibrary() {
  const object = path.join(out, 'weir.o');
  run(
    cxx,
    '-std=c++20',
    ...COMMON,
    ...['-fno-exceptions', '-fno-rtti', '-fno-threadsafe-statics', '-fvisibility-inlines-hidden'],
    ...['-U_GLIBCXX_ASSERTIONS', '-DWEIR_STATIC'],
    ...pkgConfig('--cflags', 'libuv'),
    ...['-c', path.join(vendor, 'weir.cc'), '-o', object],
  );
  return object;
}

function compileAddon(flags) {
  const headers = require('node-api-headers').include_dir;
  const sources = fs.readdirSync(path.join(root, 'src')).filter((name) => name.endsWith('.c'));
  return sources.map((name) => {
    const object = path.join(out, `addon_${name}.o`);
    const source = path.join(root, 'src', name);
    run(
      cc,
      '-std=gnu11',
      ...COMMON,
      ...WARNINGS,
      `-I${headers}`,
      ...flags,
      '-c',
      source,
      '-o',
      object,
    );
    return object;
  });
}

function main() {
  fs.mkdirSync(out, { recursive: true });
  const objects = vendored
    ? [...compileAddon(['-DWEIR_VENDORED', '-DWEIR_STATIC', `-I${vendor}`]), compileLibrary()]
    : compileAddon(pkgConfig('--cflags', 'weir'));
  const libraries = pkgConfig('--libs', vendored ? 'libuv' : 'weir');
  // A worker's end would unload the addon while weir's thread may still be on its way out.
  const addon = path.join(out, 'weir.node');
  run(cc, '-shared', '-o', addon, ...objects, ...libraries, '-Wl,-z,nodelete', '-lm', '-pthread');
}

main();
