#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""layout.py [--update]: writes tests/abi/layout.c, or tells whether it is what would be written.

layout.c holds the size of every public struct and the offset of every field as plain numbers. It is
committed, so a change of layout is a compile error and then a diff that somebody reads: before 1.0
it may be a decision, after 1.0 only lines may be added.
"""
import os
import subprocess
import sys
import tempfile

import public

LAYOUT = public.ROOT / 'tests' / 'abi' / 'layout.c'

HEAD = '''/* SPDX-License-Identifier: MIT */
/* Where every field of every public struct lies, on 64-bit machines. Written by layout.py --update;
 * a line that changes is a change of the ABI. */

#include <stddef.h>

#include <weir/testing.h>
#include <weir/weir.h>

'''


def measured(structs):
    """The file's assertions, with the numbers that this compiler gives."""
    lines = []
    for name, fields in structs:
        lines.append(f'printf("_Static_assert(sizeof({name}) == %zu, \\"{name}\\");\\n", sizeof({name}));')
        for field in fields:
            lines.append(f'printf("_Static_assert(offsetof({name}, {field}) == %zu, '
                         f'\\"{name}.{field}\\");\\n", offsetof({name}, {field}));')
    program = HEAD + '#include <stdio.h>\nint main(void) {\n' + '\n'.join(lines) + '\nreturn 0; }\n'
    with tempfile.TemporaryDirectory() as work:
        binary = os.path.join(work, 'layout')
        subprocess.run(['cc', '-I', public.ROOT / 'include', '-x', 'c', '-', '-o', binary],
                       input=program, text=True, check=True)
        return subprocess.run([binary], capture_output=True, text=True, check=True).stdout


def formatted(text):
    return subprocess.run(['clang-format', f'--assume-filename={LAYOUT}'], input=text, text=True,
                          capture_output=True, check=True).stdout


def main():
    structs = public.structs()
    expected = formatted(HEAD + measured(structs) + '\nint main(void) { return 0; }\n')
    if sys.argv[1:] == ['--update']:
        LAYOUT.write_text(expected)
    elif not LAYOUT.exists() or LAYOUT.read_text() != expected:
        sys.exit('the layout of a public struct is not the one in tests/abi/layout.c; '
                 'if that is meant: tests/abi/layout.py --update')
    print(f'{len(structs)} structs, {sum(len(fields) for _, fields in structs)} fields')


main()
