#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""symbols.py [--update | LIBRARY]: the headers, src/weir.symbols, weir/api.h and the library agree.

src/weir.symbols is committed, so that a new or lost symbol shows in a diff. Both it and weir/api.h
are written by --update from the headers and compared without it. With a library its dynamic symbols
must be exactly these, each in a version node.
"""
import collections
import re
import subprocess
import sys
import textwrap

import public

SYMBOLS = public.ROOT / 'src' / 'weir.symbols'
API = public.INCLUDE / public.GENERATED

HEAD = '''/* SPDX-License-Identifier: MIT */
#ifndef WEIR_API_H
#define WEIR_API_H

/*
 * Every function of weir once, for programs that load the library with dlopen()
 * and want a table of pointers. X gets the result, the name and the parameters:
 *
 *   #define MEMBER(result, name, parameters) result(*name) parameters;
 *   struct { WEIR_FUNCTIONS(MEMBER) } weir;
 *
 *   #define LOAD(result, name, parameters) \\
 *     *(void **)&weir.name = dlsym(library, #name);
 *   WEIR_FUNCTIONS(LOAD)
 *
 * Written by tests/abi/symbols.py from the other headers; do not edit.
 */

#include <weir/testing.h>
#include <weir/weir.h>

/* clang-format off */
'''


def api_text(functions):
    lines = ['#define WEIR_FUNCTIONS(X)']
    for result, name, parameters in functions:
        lines += textwrap.wrap(f'X({result}, {name}, {parameters})', 78, initial_indent='  ',
                               subsequent_indent='    ')
    return HEAD + ' \\\n'.join(lines) + '\n\n#endif\n'


def exported(library):
    output = subprocess.run(['nm', '-D', '--defined-only', '--with-symbol-versions', library],
                            capture_output=True, text=True, check=True).stdout
    return [line.split()[2] for line in output.splitlines() if ' A ' not in line]


def differences(what, expected, actual):
    for name in sorted(set(expected) - set(actual)):
        yield f'{what} lacks {name}'
    for name in sorted(set(actual) - set(expected)):
        yield f'{what} has {name}, which no header declares'


def main():
    functions = public.functions()
    names = [name for _, name, _ in functions]
    if sys.argv[1:] == ['--update']:
        SYMBOLS.write_text(''.join(f'{name}\n' for name in sorted(names)))
        API.write_text(api_text(functions))
        return

    problems = [f'{name} is declared twice' for name, n in collections.Counter(names).items() if n > 1]
    problems += differences('src/weir.symbols', names, SYMBOLS.read_text().split())
    if not API.exists() or API.read_text() != api_text(functions):
        problems.append('weir/api.h is not what tests/abi/symbols.py --update writes')
    for library in sys.argv[1:]:
        symbols = exported(library)
        problems += differences(library, names, [re.sub('@.*', '', symbol) for symbol in symbols])
        problems += [f'{symbol} has no version' for symbol in symbols if '@@WEIR_' not in symbol]
    print('\n'.join(problems) or f'{len(names)} functions')
    sys.exit(bool(problems))


main()
