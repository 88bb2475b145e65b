#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""linkage.py DIRECTORY: what libweir.so and libweir.a of a build need and what they leave behind.

The shared library needs libuv and libc and nothing else; the archive names no symbol of a C++
runtime, has no guard variable of a function-local static and no static constructor, so that plain
`cc` links it and dlclose() leaves nothing. (Every .so has an .init_array of its own from crtbegin:
the objects of the archive are what tells.)
"""
import pathlib
import re
import subprocess
import sys

NEEDED = re.compile(r'libuv\.so\.1|libc\.so\.6|libm\.so\.6|ld-linux.*\.so\.\d')
CXX_RUNTIME = re.compile(r'_Z|__cxa_|__gxx_|__gcc_personality|_Unwind_')


def lines(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def shared(library):
    dynamic = lines('readelf', '-dW', library)
    needed = [re.search(r'\[(.*)\]', line).group(1) for line in dynamic if '(NEEDED)' in line]
    yield from (f'needs {name}' for name in needed if not NEEDED.fullmatch(name))
    if not any('SONAME' in line and '[libweir.so.0]' in line for line in dynamic):
        yield 'has another soname than libweir.so.0'
    if any('RPATH' in line or 'RUNPATH' in line for line in dynamic):
        yield 'has a run path'
    for line in lines('readelf', '-W', '--dyn-syms', library):
        if ' UNIQUE ' in line: # would forbid dlclose() to unload
            yield f'has a unique symbol: {line.split()[-1]}'


def archive(library):
    defined = {line.split()[-1] for line in lines('nm', '--defined-only', library) if len(line.split()) == 3}
    for line in lines('nm', '-u', library):
        name = line.split()[-1] if ' U ' in line or ' w ' in line else ''
        if name not in defined and CXX_RUNTIME.match(name):
            yield f'refers to {name}'
    yield from (f'has the guard {name}' for name in sorted(defined) if name.startswith('_ZGV'))
    for line in lines('readelf', '-SW', library):
        if re.search(r'\.(init_array|ctors|fini_array|tbss|tdata)\b', line):
            yield f'has a section that runs or is per thread: {line.split("] ")[1].split()[0]}'


def main():
    directory = pathlib.Path(sys.argv[1])
    problems = [f'libweir.so {problem}' for problem in shared(directory / 'libweir.so')]
    problems += [f'libweir.a {problem}' for problem in archive(directory / 'libweir.a')]
    print('\n'.join(problems) or 'libuv and libc, nothing else')
    sys.exit(bool(problems))


main()
