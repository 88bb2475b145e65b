#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check.py: the conformance table is well formed, and large enough.

check.py                  validates every file against schema.json, checks what a schema cannot say
                          (names, references, times, how many of what), and prints the counts
check.py --mutants FILE   writes a table to FILE in which each scenario is one of ours with one
                          expectation wrong; a runner must fail each
"""
import collections
import copy
import json
import pathlib
import sys

from schema import Schema

HERE = pathlib.Path(__file__).resolve().parent
PATTERNS = {
    'retry', 'budget', 'breaker', 'rate', 'concurrency', 'keyed', 'bulkhead', 'timeout', 'pipeline', 'sleep',
    'debounce', 'throttle', 'cache', 'memoize', 'flight', 'hedge', 'fallback', 'chaos', 'race', 'any', 'all',
    'all_settled', 'parallel', 'pool', 'waterfall', 'poll', 'scope', 'core', 'registry'}
LEAST, LEAST_OF_EACH, LEAST_OVERLAPPING, LEAST_STOPPED = 150, 5, 60, 40
SECTIONS = ('policies', 'operations', 'caches', 'flights', 'scopes')
# Fields that name something else of the scenario.
REFERENCES = ('policy', 'operation', 'cache', 'flight', 'scope', 'pool', 'budget', 'loader', 'open', 'close',
              'parent', 'of')
STOPPING_STEPS = {'cancel', 'cancel_scope', 'cancel_pacer', 'close'}
STOPPED = {'cancelled', 'timed_out', 'closed'}


def read():
    for path in sorted(HERE.glob('*.json')):
        if path.name != 'schema.json':
            yield path.name, json.loads(path.read_text())




def names_in(node):
    if isinstance(node, dict):
        for field, item in node.items():
            if field in REFERENCES and isinstance(item, str):
                yield item
            elif field in ('operations', 'policies') and isinstance(item, list):
                yield from item
            elif field != 'attempts':
                yield from names_in(item)
    elif isinstance(node, list):
        for item in node:
            yield from names_in(item)


def scenario_problems(scenario):
    defined = [name for section in SECTIONS for name in scenario.get(section, {})]
    found = [step['as'] for step in scenario['script'] if 'as' in step]
    for name in {name for name in defined if defined.count(name) > 1}:
        yield f'{name} is defined twice'
    parts = [scenario.get(section, {}) for section in SECTIONS] + [scenario['script']]
    used = set(names_in([list(part.values()) if isinstance(part, dict) else part for part in parts]))
    for name in sorted(used - set(defined) - set(found)):
        yield f'{name} is used and not defined'
    runs = [step['run'] for step in scenario['script'] if step['do'] == 'run']
    for name in {name for name in runs if runs.count(name) > 1}:
        yield f'two runs are {name}'
    for entry in scenario['expect']:
        if entry['run'] not in runs:
            yield f'{entry["run"]} is expected and never run'
    yield from time_problems(scenario)
    for part in ('starts', 'inputs', 'stops'):
        for name in scenario.get(part, {}):
            if scenario['operations'].get(name, {}).get('type') != 'leaf':
                yield f'{part}: {name} is no leaf'


def time_problems(scenario):
    steps = [step['at'] for step in scenario['script']]
    settled = [entry['at_ms'] for entry in scenario['expect']]
    if steps != sorted(steps):
        yield 'the steps are not in the order of their times'
    if settled != sorted(settled):
        yield 'the settlements are not in the order of their times'
    if max(steps + settled) > scenario['end_ms']:
        yield 'it ends too early'
    if scenario['end_ms'] > 600000:
        yield 'it is too long'


def overlaps(scenario):
    """Whether two runs are in flight at once."""
    ends = {entry['run']: entry['at_ms'] for entry in scenario['expect']}
    spans = [(step['at'], ends.get(step['run'], scenario['end_ms'])) for step in scenario['script']
             if step['do'] == 'run' and step.get('expect', 'ok') == 'ok']
    return any(a[0] < b[1] and b[0] < a[1] for number, a in enumerate(spans) for b in spans[:number])


def stops(scenario):
    """Whether something is cancelled, times out or is closed."""
    statuses = [entry['status'] for entry in scenario['expect']]
    statuses += [status for entry in scenario['expect'] for status in entry.get('statuses', [])]
    return any(step['do'] in STOPPING_STEPS for step in scenario['script']) or bool(STOPPED & set(statuses))


def check():
    schema = Schema(json.loads((HERE / 'schema.json').read_text()))
    found = [f'schema.json: {word} is not checked' for word in schema.unknown_words()]
    each, names, counts = collections.Counter(), set(), collections.Counter()
    for file, table in read():
        problems = list(schema.problems(table))
        found += [f'{file}: {problem}' for problem in problems]
        for scenario in [] if problems else table['scenarios']:
            found += [f'{file}: {scenario["name"]}: {problem}' for problem in scenario_problems(scenario)]
            if scenario['name'] in names:
                found.append(f'{file}: {scenario["name"]} is there twice')
            names.add(scenario['name'])
            each[table['pattern']] += 1
            counts['overlapping'] += overlaps(scenario)
            counts['stopped'] += stops(scenario)
    found += [f'{pattern}: {each[pattern]} scenarios, {LEAST_OF_EACH} at least'
              for pattern in sorted(PATTERNS) if each[pattern] < LEAST_OF_EACH]
    found += [f'{pattern} is no pattern' for pattern in sorted(each.keys() - PATTERNS)]
    for what, count, least in (('scenarios', len(names), LEAST), ('with runs that overlap', counts['overlapping'],
                               LEAST_OVERLAPPING), ('with cancel, timeout or close', counts['stopped'], LEAST_STOPPED)):
        if count < least:
            found.append(f'{count} {what}, {least} at least')
    print(', '.join(f'{pattern} {count}' for pattern, count in sorted(each.items())))
    print(f'{len(names)} scenarios, {counts["overlapping"]} overlapping, {counts["stopped"]} stopped')
    print('\n'.join(found))
    return bool(found)


def other(value):
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    return 'something else'


def settlement_mutants(scenario):
    for number, entry in enumerate(scenario['expect']):
        for field in ('at_ms', 'status', 'value', 'attempts', 'stop_reason', 'retry_after_ms', 'message'):
            if field in entry:
                wrong = copy.deepcopy(scenario)
                wrong['expect'][number][field] = 'not_supported' if field == 'status' else other(entry[field])
                yield f'settlement-{number}-{field}', wrong
        if 'error' in entry:
            wrong = copy.deepcopy(scenario)
            wrong['expect'][number]['error']['code'] += 1
            yield f'settlement-{number}-code', wrong
        if entry.get('causes'):
            wrong = copy.deepcopy(scenario)
            wrong['expect'][number]['causes'].pop()
            yield f'settlement-{number}-cause', wrong
        wrong = copy.deepcopy(scenario)
        del wrong['expect'][number]
        yield f'settlement-{number}-left-out', wrong
    for number, (one, two) in enumerate(zip(scenario['expect'], scenario['expect'][1:])):
        if one['at_ms'] != two['at_ms']:
            wrong = copy.deepcopy(scenario)
            wrong['expect'][number:number + 2] = [two, one]
            yield f'settlement-{number}-order', wrong


def step_mutants(scenario):
    answers = ('ok', 'invalid', 'open', 'closed')
    for number, step in enumerate(scenario['script']):
        for field in ('retry_after_ms', 'wait_ms', 'delay_ms', 'calls', 'orphans'):
            if isinstance(step.get(field), int):
                wrong = copy.deepcopy(scenario)
                wrong['script'][number][field] += 1
                yield f'step-{number}-{field}', wrong
        if 'expect' not in step or step['do'] == 'run':
            continue
        wrong = copy.deepcopy(scenario)
        if isinstance(step['expect'], dict):
            name = next(iter(step['expect']))
            wrong['script'][number]['expect'][name] += 1
        elif isinstance(step['expect'], int):
            wrong['script'][number]['expect'] += 1
        else:
            wrong['script'][number]['expect'] = next(word for word in answers if word != step['expect'])
        yield f'step-{number}-expect', wrong


def leaf_mutants(scenario):
    for part in ('starts', 'stops', 'inputs'):
        for name, seen in scenario.get(part, {}).items():
            wrong = copy.deepcopy(scenario)
            wrong[part][name] = seen[:-1] if seen else [0]
            yield f'{part}-{name}-count', wrong
            if seen:
                wrong = copy.deepcopy(scenario)
                wrong[part][name][-1] = other(seen[-1])
                yield f'{part}-{name}-last', wrong


def left_mutants(scenario):
    for field in ('calls', 'orphans'):
        wrong = copy.deepcopy(scenario)
        left = wrong.setdefault('left', {})
        left[field] = left.get(field, 0) + 1
        yield f'left-{field}', wrong


def write_mutants(path):
    made = []
    for _, table in read():
        for scenario in table['scenarios']:
            for maker in (settlement_mutants, step_mutants, leaf_mutants, left_mutants):
                for what, wrong in maker(scenario):
                    wrong['name'] = f'{scenario["name"]}-{what}'
                    made.append(wrong)
    table = {'format': 1, 'pattern': 'core', 'scenarios': made}
    pathlib.Path(path).write_text(json.dumps(table, indent=1))
    print(f'{len(made)} wrong scenarios')
    return False


if __name__ == '__main__':
    if len(sys.argv) == 3 and sys.argv[1] == '--mutants':
        sys.exit(write_mutants(sys.argv[2]))
    sys.exit(check())
