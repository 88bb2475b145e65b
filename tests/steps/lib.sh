# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What the steps share: reporting, running a check, building, running cmocka programs.
set -u
jobs=$(nproc)
logs=$WEIR_BUILD/logs
mkdir -p "$logs"

pass() { echo "pass $1" >> "$WEIR_RESULTS"; }
skip() { echo "skip $1: $2" >> "$WEIR_RESULTS"; echo "skipped $1: $2"; }
fail() { # NAME [LOG]
  echo "fail $1" >> "$WEIR_RESULTS"
  echo "FAILED $1"
  [ -z "${2:-}" ] || tail -n 40 "$2" | sed 's/^/    /'
}

# check NAME COMMAND...: one test, which is a command, or a function of the step, that succeeds. Its
# output is shown on failure. (timeout runs no functions; the step as a whole has a limit too.)
check() {
  local name=$1 log=$logs/${1//[^A-Za-z0-9]/_}.log limit=(timeout -k 5 "${WEIR_TIMEOUT:-300}")
  shift
  [ "$(type -t "$1")" = function ] && limit=()
  if "${limit[@]}" "$@" > "$log" 2>&1 < /dev/null; then
    pass "$name"
  else
    echo "status $?" >> "$log"
    fail "$name" "$log"
    return 1
  fi
}

# is_version_14 TOOL: whether it is the version that the tree was formatted and checked with; another
# one formats and warns otherwise, which says nothing about the change.
is_version_14() {
  "$1" --version | grep -q 'version 14\.' || { skip "$1" "it is not version 14"; return 1; }
}

# Sixteen sources of the library at a time, which takes a third of the time of each by itself; for builds
# of which only the behaviour matters. Releases compile each by itself.
together=(-DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=16)

# cmake_build NAME OPTION...: configures and builds in $WEIR_BUILD/NAME; warnings are errors.
cmake_build() {
  local name=$1
  shift
  check "$name: configure" cmake -G Ninja -S "$WEIR_ROOT" -B "$WEIR_BUILD/$name" -DWEIR_WERROR=ON "$@" &&
    WEIR_TIMEOUT=900 check "$name: build" cmake --build "$WEIR_BUILD/$name" -j "$jobs"
}

# debug_build: the debug build by CMake and GCC, gcc-debug, which several steps use.
debug_build() {
  cmake_build gcc-debug "${together[@]}" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER=gcc -DCMAKE_CXX_COMPILER=g++
}

# asan_build COMPILER: a build with AddressSanitizer and UndefinedBehaviorSanitizer, asan-COMPILER.
# The tests themselves are not optimised: they take longer to compile than to run.
asan_build() {
  cmake_build "asan-$1" "${together[@]}" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER="$1" \
    -DCMAKE_CXX_COMPILER="${1/gcc/g}++" -DCMAKE_CXX_FLAGS=-O1 -DWEIR_SANITIZE=address,undefined
}

# run_cmocka LABEL PROGRAM [ARGUMENT...]: counts each test of a cmocka program by its TAP line.
run_cmocka() {
  local label=$1 program=$2 status name
  name=$(basename "$2")
  local log=$logs/${label//[^A-Za-z0-9]/_}_$name.log
  shift 2
  CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 5 "${WEIR_TIMEOUT:-300}" "$program" "$@" > "$log" 2>&1 < /dev/null
  status=$?
  # The reports of one program are appended in one write, because programs run side by side.
  awk -v label="$label $name" '
    / # SKIP / && /^not ok [0-9]+ # SKIP / { sub(/^.* # SKIP /, ""); print "skip " label " " $0 ": skipped itself"; next }
    / # SKIP / { sub(/^(not )?ok ([0-9]+ )?- /, ""); sub(/ # SKIP /, ": "); print "skip " label " " $0; next }
    /^ok /     { sub(/^ok ([0-9]+ )?(- )?/, ""); print "pass " label " " $0 }
    /^not ok / { sub(/^not ok ([0-9]+ )?(- )?/, ""); print "fail " label " " $0 }' "$log" > "$log.results"
  if [ $status -ne 0 ] && ! grep -q '^fail ' "$log.results"; then
    echo "fail $label $name: ended with status $status" >> "$log.results"
  fi
  grep -q . "$log.results" || echo "fail $label $name: it ran no test" >> "$log.results"
  cat "$log.results" >> "$WEIR_RESULTS"
  if grep -q '^fail ' "$log.results"; then
    grep '^fail ' "$log.results" | sed 's/^fail/FAILED/'
    grep -v '^ok ' "$log" | tail -n 60 | sed 's/^/    /'
  fi
}

# run_all LABEL DIRECTORY [ARGUMENT...]: every test program of a build, as many at once as there are
# cores.
run_all() {
  local label=$1 directory=$2 program
  shift 2
  for program in "$directory"/test_*; do
    [ -x "$program" ] && [ -f "$program" ] || continue
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
    run_cmocka "$label" "$program" "$@" &
  done
  wait
}

# meson_build NAME OPTION...: the same with Meson. CC and CXX say with which compiler.
meson_build() {
  local name=$1 build=$WEIR_BUILD/$1
  shift
  [ -f "$build/build.ninja" ] || rm -rf "$build"
  check "$name: configure" meson setup $([ -d "$build" ] && echo --reconfigure) "$build" "$WEIR_ROOT" -Dwerror=true "$@" &&
    WEIR_TIMEOUT=900 check "$name: build" ninja -C "$build" -j "$jobs"
}

# installed_weir: a release of the library in $WEIR_BUILD/prefix, installed once in a run of the tests
# for the languages' steps, and the environment in which they find it.
installed_weir() {
  local prefix=$WEIR_BUILD/prefix build=$WEIR_BUILD/gcc-release
  export PKG_CONFIG_PATH=$prefix/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
  export LD_LIBRARY_PATH=$prefix/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  export CMAKE_PREFIX_PATH=$prefix
  cmake_build gcc-release -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER=gcc -DCMAKE_CXX_COMPILER=g++ \
    -DWEIR_BUILD_TESTS=OFF -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_INSTALL_LIBDIR=lib &&
     check "install for the languages" cmake --install "$build"
}
