#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""headers.py CC CXX: each public header stands alone, and in both languages.

Each is compiled as the only include of a program, as C11 and as C++17, with every warning an error;
structs may have no hole (a hole's bytes are not the caller's to set); each INIT macro initialises its
struct; the functions of weir/api.h have the types of the real ones.
"""
import re
import subprocess
import sys

import public

FLAGS = ['-Wall', '-Wextra', '-Wpedantic', '-Wpadded', '-Wstrict-prototypes', '-Werror']


def compile_errors(compiler, text, flags):
    command = [*compiler, *flags, '-I', public.ROOT / 'include', '-fsyntax-only', '-']
    result = subprocess.run(command, input=text, capture_output=True, text=True)
    return result.stderr if result.returncode else ''


def guard_problem(path):
    guard = f'WEIR_{path.stem.upper()}_H'
    text = path.read_text()
    if not re.match(r'/\* SPDX-License-Identifier: MIT \*/\n#ifndef ' + guard + r'\n#define ' + guard + r'\n', text):
        return f'{path.name}: does not begin with the license and the guard {guard}'
    if not re.search(r'\n#endif[^\n]*\n$', text):
        return f'{path.name}: does not end with its guard'
    return ''


def uses():
    """A program that initialises every struct and takes every function through the X-macro."""
    yield '#include <weir/api.h>\nint main(void) {'
    for number, (macro, struct) in enumerate(public.initializers()):
        yield f'  {struct} s{number} = {macro};\n  (void)s{number};'
    yield '#define TAKE(result, name, parameters) { result(*f) parameters = name; (void)f; }'
    yield '  WEIR_FUNCTIONS(TAKE)\n  return 0;\n}\n'


def main():
    c, cxx = sys.argv[1:]
    languages = ([c, '-xc', '-std=c11'], [cxx, '-xc++', '-std=c++17'])
    problems = []
    for path in [*public.headers(), public.INCLUDE / public.GENERATED]:
        problems.append(guard_problem(path))
        for compiler in languages:
            flags = [flag for flag in FLAGS if flag != '-Wstrict-prototypes' or '-xc' in compiler]
            problems.append(compile_errors(compiler, f'#include <weir/{path.name}>\n', flags))
    for compiler in languages:
        problems.append(compile_errors(compiler, '\n'.join(uses()), ['-Wall', '-Wextra', '-Werror']))
    problems = list(filter(None, problems))
    print('\n'.join(problems) or 'all headers stand alone')
    sys.exit(bool(problems))


main()
