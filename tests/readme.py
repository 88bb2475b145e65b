#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""readme.py PREFIX WORK: every code block of README.md is compiled, the whole ones are run.
readme.py --block LANGUAGE: prints the blocks of a binding's language, for the step that runs them.

PREFIX is where the library is installed, WORK a directory for the results. By language of the block:

    c       with main(): a program, built by pkg-config, run, must end with 0; the first is app.c
            without: declarations, or statements of a function that has the variables of CONTEXT
    cmake   a CMakeLists.txt; without project(), it follows one that makes the target `app` from app.c
    meson   a meson.build; without project(), it follows one
    sh      lines that begin with cc or ./ are run in order, beside app.c

In the projects weir's sources lie in weir/ and in subprojects/weir/. Blocks of other languages are
text. Prints one line `pass NAME` or `fail NAME` for each block, and why.
"""
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
FLAGS = ['-std=gnu11', '-Wall', '-Wextra', '-Werror']
HEADERS = '#include <errno.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n' \
          '#include <weir/testing.h>\n#include <weir/weir.h>\n'
CONTEXT = '''static void context(weir_runtime *runtime, weir_operation *operation, weir_policy *policy,
                    weir_retry *retry, weir_breaker *breaker, weir_limiter *limiter,
                    weir_timeout *timeout, weir_call *call, weir_token token, weir_value *value) {
  weir_status status = WEIR_OK;
  weir_error *error = NULL;
  (void)runtime; (void)operation; (void)policy; (void)retry; (void)breaker; (void)limiter;
  (void)timeout; (void)call; (void)token; (void)value; (void)status; (void)error;
'''
AT_FILE_SCOPE = re.compile(r'^(#|static |typedef |struct \w+ \{|extern |(void|int|weir_\w+) \*?\w+\([^;]*\) \{)', re.M)


class Failure(Exception):
    pass


def run(command, directory, environment, text=None):
    # Some of the blocks build the whole library.
    result = subprocess.run(command, cwd=directory, env=environment, input=text, timeout=400,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode:
        raise Failure(f'{command}: status {result.returncode}\n{result.stdout}')
    return result.stdout


class Readme:
    def __init__(self, prefix, work):
        self.work = work
        self.app = None
        self.environment = dict(os.environ, PKG_CONFIG_PATH=f'{prefix}/lib/pkgconfig',
                                CMAKE_PREFIX_PATH=prefix, LD_LIBRARY_PATH=f'{prefix}/lib', CC='cc', CXX='c++')
        self.weir = run(['pkg-config', '--cflags', '--libs', 'weir'], work, self.environment).split()

    def c(self, directory, block):
        whole = re.search(r'\bmain\s*\(', block)
        if not whole:
            body = block if AT_FILE_SCOPE.search(block) else CONTEXT + block + '\n}\n'
            # Only a part: what it defines need not be used.
            run(['cc', *FLAGS, '-Wno-unused', '-fsyntax-only', '-x', 'c', '-', *self.weir], directory,
                self.environment, HEADERS + body)
            return
        self.app = self.app or block
        (directory / 'app.c').write_text(block)
        run(['cc', *FLAGS, 'app.c', '-o', 'app', *self.weir, '-luv', '-lm', '-pthread'], directory, self.environment)
        run(['./app'], directory, self.environment)

    def project(self, directory):
        (directory / 'app.c').write_text(self.app or 'int main(void) { return 0; }\n')
        (directory / 'weir').symlink_to(ROOT)
        (directory / 'subprojects').mkdir()
        (directory / 'subprojects' / 'weir').symlink_to(ROOT)

    def cmake(self, directory, block):
        self.project(directory)
        if 'project(' not in block:
            block = 'cmake_minimum_required(VERSION 3.21)\nproject(app LANGUAGES C)\nadd_executable(app app.c)\n' + block
        (directory / 'CMakeLists.txt').write_text(block)
        run(['cmake', '-G', 'Ninja', '-S', '.', '-B', 'build', '-DCMAKE_UNITY_BUILD=ON'], directory, self.environment)
        run(['cmake', '--build', 'build'], directory, self.environment)
        run(['build/app'], directory, self.environment)

    def meson(self, directory, block):
        self.project(directory)
        if 'project(' not in block.replace('subproject(', ''):
            block = "project('app', 'c')\n" + block
        (directory / 'meson.build').write_text(block)
        run(['meson', 'setup', 'build'], directory, self.environment)
        run(['ninja', '-C', 'build'], directory, self.environment)
        run(['build/app'], directory, self.environment)

    def sh(self, directory, block):
        self.project(directory)
        for line in block.replace('\\\n', ' ').splitlines():
            if re.match(r'(\$ )?(cc|\./\w+$)', line):
                run(['bash', '-c', line.removeprefix('$ ')], directory, self.environment)


def print_blocks(language):
    text = (ROOT / 'README.md').read_text()
    blocks = re.findall(rf'^```{re.escape(language)}\n(.*?)^```$', text, flags=re.M | re.S)
    print('\n'.join(blocks), end='')
    sys.exit(not blocks)


def main():
    if sys.argv[1] == '--block':
        print_blocks(sys.argv[2])
    prefix, work = sys.argv[1], pathlib.Path(sys.argv[2])
    readme = Readme(prefix, work)
    text = (ROOT / 'README.md').read_text()
    for match in re.finditer(r'^```(c|cmake|meson|sh)\n(.*?)^```$', text, flags=re.M | re.S):
        language, block = match.groups()
        line = text[:match.start()].count('\n') + 1
        directory = work / f'{line}-{language}'
        directory.mkdir()
        try:
            getattr(readme, language)(directory, block)
            print(f'pass README.md:{line} {language}')
        except (Failure, subprocess.TimeoutExpired) as failure:
            print(f'{failure}\nfail README.md:{line} {language}')


main()
