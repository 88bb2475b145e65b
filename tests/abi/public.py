# SPDX-License-Identifier: MIT
"""The public headers, read as data: which functions, which structs with which fields.

The headers keep to one shape (one WEIR_API declaration ends with one semicolon, structs are
`typedef struct weir_x { ... } weir_x;` without nested ones), so that a few regular expressions read
them; what does not fit that shape is an error here and not silently left out.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = ROOT / 'include' / 'weir'
GENERATED = 'api.h'


def headers():
    return sorted(path for path in INCLUDE.glob('*.h') if path.name != GENERATED)


def without_comments(text):
    return re.sub(r'/\*.*?\*/|//[^\n]*', ' ', text, flags=re.S)


def squeeze(text):
    return re.sub(r'\( ', '(', re.sub(r'\s+', ' ', text)).strip()


def functions():
    """(result, name, parameters) of each exported function, in the order of the headers."""
    found = []
    for path in headers():
        text = re.sub(r'^\s*#(\\\n|.)*$', '', without_comments(path.read_text()), flags=re.M)
        for declaration in re.findall(r'\bWEIR_API\b([^;]*);', text):
            match = re.fullmatch(r'\s*(.*?)(\bweir_\w+)\s*(\(.*\))\s*', declaration, flags=re.S)
            if not match:
                sys.exit(f'{path.name}: cannot read the declaration {squeeze(declaration)}')
            found.append(tuple(squeeze(part) for part in match.groups()))
    return found


def structs():
    """(name, [field, ...]) of each struct whose fields are public."""
    found = []
    for path in headers():
        text = without_comments(path.read_text())
        for name, body, alias in re.findall(r'\bstruct (\w+) \{(.*?)\}\s*(\w*);', text, flags=re.S):
            if name != alias:
                sys.exit(f'{path.name}: struct {name} is not `typedef struct x {{ }} x`')
            fields = []
            for field in filter(None, map(squeeze, body.split(';'))):
                match = re.fullmatch(r'.*?(\w+)(\[\w+\])*', field)
                if not match or '(' in field:
                    sys.exit(f'{path.name}: cannot read the field `{field}` of {name}')
                fields.append(match.group(1))
            found.append((name, fields))
    return found


def initializers():
    """The WEIR_..._INIT macros with the struct that each is for."""
    names = {name for name, _ in structs()}
    found = []
    for path in headers():
        for macro in re.findall(r'#define (WEIR_\w+_INIT)\b', path.read_text()):
            struct = macro[:-len('_INIT')].lower()
            if struct not in names:
                sys.exit(f'{path.name}: {macro} belongs to no struct')
            found.append((macro, struct))
    return found
