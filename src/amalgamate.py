#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""amalgamate.py DIRECTORY: writes the library as two files, weir.cc and weir.h, to copy into a project.

weir.h is all public headers, weir.cc all private headers and sources of sources.txt, each file at its
first include. It is compiled as C++20, with the flags that CMakeLists.txt uses, against libuv; a C
program then links it with the C driver. The sources become one translation unit, so names of static
functions and of anonymous namespaces have to be unique among them.
"""
import pathlib
import re
import sys

SRC = pathlib.Path(__file__).resolve().parent
INCLUDE = SRC.parent / 'include'
INCLUDES = re.compile(r'\s*#\s*include\s*(["<])([^">]+)[">]')
LICENSE = re.compile(r'\s*(//|/\*) SPDX-License-Identifier: MIT( \*/)?\s*')


class Bundle:
    """The text of files with their includes put in place, each once."""

    def __init__(self):
        self.seen = set()
        self.lines = []

    def add(self, path):
        if path in self.seen:
            return
        self.seen.add(path)
        self.lines.append(f'\n/* {path.relative_to(SRC.parent)} */\n')
        for line in path.read_text().splitlines():
            self.add_line(path, line)

    def add_line(self, path, line):
        include = INCLUDES.match(line)
        inside = include and self.find(path, include.group(2))
        if inside:
            self.add(inside)
        elif line.strip() != '#pragma once' and not LICENSE.fullmatch(line):
            self.lines.append(line)

    def find(self, path, name):
        for directory in (path.parent, SRC, INCLUDE):
            if (directory / name).is_file():
                return (directory / name).resolve()
        return None

    def text(self):
        return re.sub(r'\n{3,}', '\n\n', '\n'.join(self.lines)) + '\n'


def title(text):
    license_text = (SRC.parent / 'LICENSE').read_text()
    comment = ''.join(f' * {line}'.rstrip() + '\n' for line in license_text.splitlines())
    return f'/* SPDX-License-Identifier: MIT */\n/*\n * {text}\n *\n{comment} */\n'


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith('-'):
        sys.exit(__doc__)
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)

    header = Bundle()
    for path in [INCLUDE / 'weir' / 'weir.h', *sorted((INCLUDE / 'weir').glob('*.h'))]:
        header.add(path)
    (out / 'weir.h').write_text(title('weir, all public headers in one. Use with weir.cc.')
                                + header.text())

    source = Bundle()
    source.seen = set(header.seen) # they are in weir.h
    for name in (SRC / 'sources.txt').read_text().split():
        source.add(SRC / name)
    (out / 'weir.cc').write_text(title('weir, the library in one file. Use with weir.h.')
                                 + '\n#include "weir.h"\n' + source.text())


main()
