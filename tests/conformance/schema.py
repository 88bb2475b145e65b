# SPDX-License-Identifier: MIT
"""As much of JSON Schema as schema.json uses, so that checking the table needs no package.

Where a value may be one of several objects (anyOf), the one is chosen by its `type` or `do`, so that
what is wrong is said about that one.
"""
import re

TYPES = {
    'object': lambda value: isinstance(value, dict),
    'array': lambda value: isinstance(value, list),
    'string': lambda value: isinstance(value, str),
    'integer': lambda value: isinstance(value, int) and not isinstance(value, bool),
    'number': lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    'boolean': lambda value: isinstance(value, bool),
    'null': lambda value: value is None,
}
KNOWN = {'$ref', 'type', 'enum', 'const', 'pattern', 'minimum', 'items', 'minItems', 'required', 'properties',
         'additionalProperties', 'anyOf', 'description'}


class Schema:
    def __init__(self, root):
        self.root = root

    def problems(self, value, schema=None, where='$'):
        schema = self.root if schema is None else schema
        if '$ref' in schema:
            yield from self.problems(value, self.root['$defs'][schema['$ref'].split('/')[-1]], where)
        if 'anyOf' in schema:
            yield from self.any_of(value, schema['anyOf'], where)
        types = schema.get('type', [])
        types = [types] if isinstance(types, str) else types
        if types and not any(TYPES[name](value) for name in types):
            yield f'{where}: {value!r} is not a {" or ".join(types)}'
            return
        if 'enum' in schema and value not in schema['enum']:
            yield f'{where}: {value!r} is none of {schema["enum"]}'
        if 'const' in schema and value != schema['const']:
            yield f'{where}: {value!r} is not {schema["const"]!r}'
        if 'minimum' in schema and TYPES['number'](value) and value < schema['minimum']:
            yield f'{where}: {value} is below {schema["minimum"]}'
        if 'pattern' in schema and isinstance(value, str) and not re.search(schema['pattern'], value):
            yield f'{where}: {value!r} does not match {schema["pattern"]}'
        if isinstance(value, list):
            yield from self.array(value, schema, where)
        if isinstance(value, dict):
            yield from self.object(value, schema, where)

    def array(self, value, schema, where):
        if len(value) < schema.get('minItems', 0):
            yield f'{where}: {schema["minItems"]} at least'
        for number, item in enumerate(value):
            if 'items' in schema:
                yield from self.problems(item, schema['items'], f'{where}[{number}]')

    def object(self, value, schema, where):
        properties, more = schema.get('properties', {}), schema.get('additionalProperties', True)
        for name in schema.get('required', []):
            if name not in value:
                yield f'{where}: {name} is missing'
        for name, item in value.items():
            if name in properties:
                yield from self.problems(item, properties[name], f'{where}.{name}')
            elif more is False:
                yield f'{where}: {name} is unknown'
            elif isinstance(more, dict):
                yield from self.problems(item, more, f'{where}.{name}')

    def any_of(self, value, schemas, where):
        chosen = [schema for schema in schemas if self.is_meant(value, schema)]
        found = [list(self.problems(value, schema, where)) for schema in chosen or schemas]
        if all(found):
            yield from min(found, key=len)

    @staticmethod
    def is_meant(value, schema):
        for name in ('do', 'type'):
            field = schema.get('properties', {}).get(name)
            if field and isinstance(value, dict) and name in value:
                return value[name] in field.get('enum', [field.get('const')])
        return False

    def unknown_words(self, schema=None, where='$'):
        """What the schema says that this does not check."""
        schema = self.root['$defs']['scenario'] if schema is None else schema
        for name, part in self.root['$defs'].items():
            yield from self.walk(part, name)

    def walk(self, schema, where):
        for word in schema.keys() - KNOWN:
            yield f'{where}: {word}'
        for name, part in schema.get('properties', {}).items():
            yield from self.walk(part, f'{where}.{name}')
        for part in schema.get('anyOf', []):
            yield from self.walk(part, where)
        for word in ('items', 'additionalProperties'):
            if isinstance(schema.get(word), dict):
                yield from self.walk(schema[word], f'{where}.{word}')
