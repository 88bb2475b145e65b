#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# package.sh: writes vendor/weir.cc and vendor/weir.h, the library as one file, for `cargo package`.
set -eu
cd "$(dirname "$0")"
../../../src/amalgamate.py vendor
