#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tree.py: the rules of the source tree that no compiler checks.

Includes point downwards only: base < engine < the patterns; the driver includes the engine, and
nothing includes the driver; a pattern does not include another pattern's private header; uv.h stays
in the driver. What would bring a C++ runtime into the link is not used. Files stay within their
size.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATTERNS = ('policy', 'flow', 'pace', 'cache')
MAY_INCLUDE = {'base': {'base'}, 'engine': {'base', 'engine'}, 'driver': {'base', 'engine', 'driver'}}
BANNED = re.compile(r'std::(vector|function|mutex|string|shared_ptr|unique_ptr|unordered_map|map|nothrow)\b'
                    r'|\b(throw|try|catch|dynamic_cast|virtual|thread_local)\b|<iostream>')
FAMILY = {'backoff': 'retry'} # one chapter of the manual, several files
TOP = {'include', 'src', 'bindings', 'tests', 'examples', 'CMakeLists.txt', 'meson.build', 'meson_options.txt',
       'subprojects', 'README.md', 'LICENSE'}
LINES = 600
WRITTEN = {'layout.c'} # by another script


def without_comments(text):
    text = re.sub(r'//[^\n]*|/\*.*?\*/', lambda match: '\n' * match.group().count('\n'), text, flags=re.S)
    return re.sub(r'"(\\.|[^"\\\n])*"', '""', text)


def family(path):
    name = path.stem.split('_')[0] # limiter.hh and limiter_keyed.cc are one pattern
    return FAMILY.get(name, name)


# What all patterns of a folder are made of, or share; the cache's folder is one pattern.
SHARED = {'pace': {'pacer'}, 'policy': {'budget'}, 'flow': {'siblings'}}
ONE_PATTERN = {'cache'}


def include_problems(path, text):
    layer, *rest = path.relative_to(ROOT / 'src').parts
    for name in re.findall(r'^\s*#\s*include\s*["<]([^">]+)[">]', text, flags=re.M):
        if name == 'uv.h' and layer != 'driver':
            yield f'includes {name} outside the driver'
        target = name.split('/')[0]
        if not (ROOT / 'src' / name).is_file():
            continue
        if layer in PATTERNS:
            same = layer == target and (layer in ONE_PATTERN or
                                        family(pathlib.Path(name)) in {family(path)} | SHARED.get(layer, set()))
            if (target in PATTERNS and not same) or target == 'driver':
                yield f'includes {name}: a pattern composes through the engine'
        elif target not in MAY_INCLUDE.get(layer, {layer}):
            yield f'includes {name}: arrows point downwards'


def problems(path):
    text = path.read_text()
    if text.count('\n') > LINES and path.name not in WRITTEN:
        yield f'{text.count(chr(10))} lines, {LINES} at most'
    if 'SPDX-License-Identifier: MIT' not in '\n'.join(text.splitlines()[:2]):
        yield 'does not begin with its license'
    width = 80 if path.is_relative_to(ROOT / 'include') else 100
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > width:
            yield f'line {number} has {len(line)} columns, {width} at most'
    if path.is_relative_to(ROOT / 'src'):
        yield from include_problems(path, text)
        for number, line in enumerate(without_comments(text).splitlines(), 1):
            if match := BANNED.search(line):
                yield f'line {number} uses {match.group()}'


def main():
    files = subprocess.run(['git', 'ls-files'], cwd=ROOT, capture_output=True, text=True, check=True)
    names = files.stdout.splitlines()
    found = [f'{name}: not an entry of the top level' for name in
             sorted({name.split('/')[0] for name in names if name[0] != '.'} - TOP)]
    sources = [name for name in names if re.search(r'\.(cc|hh|hpp|h|c)$', name) and (ROOT / name).is_file()]
    for name in sources:
        found += [f'{name}: {problem}' for problem in problems(ROOT / name)]
    listed = (ROOT / 'src' / 'sources.txt').read_text().split()
    present = [name[len('src/'):] for name in sources if name.startswith('src/') and name.endswith('.cc')]
    found += [f'src/sources.txt and src/ differ in {name}' for name in sorted(set(listed) ^ set(present))]
    found += [f'src/sources.txt lists {name} twice' for name in set(listed) if listed.count(name) > 1]
    speeds = [line.split() for line in (ROOT / 'src' / 'speed.txt').read_text().splitlines()]
    found += [f'src/speed.txt: {" ".join(speed)}' for speed in speeds
              if len(speed) != 2 or speed[0] not in listed or speed[1] not in ('-O2', '-O3')]
    print('\n'.join(found) or f'{len(sources)} files')
    sys.exit(bool(found))


main()
