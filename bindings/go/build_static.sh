#!/bin/sh
# SPDX-License-Identifier: MIT
# build_static.sh [SOURCE [DIRECTORY]]: builds libweir.a from weir's sources (default: this tree's) and puts it, with the
# headers, into DIRECTORY (default: lib/ of this package), where the build tag weir_static looks for it:
#
#   sh build_static.sh && go build -tags weir_static ./...
#
# For a package in the module cache, which is not to be written to, name a DIRECTORY and say where it is:
#
#   export CGO_CFLAGS=-IDIRECTORY/include CGO_LDFLAGS=-LDIRECTORY
#
# Needs CMake, a C++20 compiler and libuv; the program that comes of it needs libuv and libc alone.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
source=${1:-$here/../..}
directory=${2:-$here/lib}
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
cmake -S "$source" -B "$build" -DCMAKE_BUILD_TYPE=Release -DWEIR_BUILD_TESTS=OFF > "$build/log" 2>&1 &&
  cmake --build "$build" -j "$(nproc)" >> "$build/log" 2>&1 &&
  cmake --install "$build" --prefix "$build/prefix" >> "$build/log" 2>&1 || { cat "$build/log"; exit 1; }
mkdir -p "$directory"
cp "$(find "$build/prefix" -name libweir.a)" "$directory/"
rm -rf "$directory/include"
cp -r "$build/prefix/include" "$directory/include"
echo "$directory/libweir.a"
