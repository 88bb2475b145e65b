#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""table.py DIRECTORY LIBRARY: the benchmarks' rows, as JSON in DIRECTORY, against their targets.

A row's time is the least of its repetitions, with the median behind it: what else the machine does
can only add. Targets are nanoseconds on a machine whose baselines are in SET_ON; so each is also
given as a multiple of its row's baseline there.
"""
import json
import pathlib
import re
import statistics
import sys

SET_ON = {'monotonic clock': 44, 'coarse clock': 10, 'compare-and-swap': 17, 'fetch-add': 10,
          'contended counter': 85, 'line handed over': None, 'mutex pair': 24, 'malloc+free': 20}

# What Google Benchmark appends to a name to say how it was run.
SUFFIX = re.compile(r'/((min_time|repeats|iterations):[^/]*|manual_time)')

# Path, row, target in ns (None: for comparison).
TIMES = [
    ('breaker acquire + report, closed, consecutive', 'bench_breaker:consecutive', 25),
    ('breaker acquire + report, time window', 'bench_breaker:time_window', 70),
    ('— with slow calls, given the elapsed time', 'bench_breaker:time_window_slow_calls', 70),
    ('— with slow calls, with the caller\'s two clock reads',
     'bench_breaker:time_window_slow_calls_two_clock_reads', 115),
    ('breaker reject, open', 'bench_breaker:reject', 30),
    ('— with the rejection filled in', 'bench_breaker:reject_with_rejection', None),
    ('limiter deny, given now', 'bench_limiter:deny_now', 10),
    ('limiter allow, token bucket, given now', 'bench_limiter:allow_now/token_bucket', 25),
    ('— with a clock read', 'bench_limiter:allow_clock', 75),
    ('limiter allow, fixed window, given now', 'bench_limiter:allow_now/fixed_window', None),
    ('limiter allow, sliding window, given now', 'bench_limiter:allow_now/sliding_window', None),
    ('limiter acquire + release, concurrency', 'bench_limiter:concurrency', None),
    ('keyed limiter, 1 M keys, given now', 'bench_limiter:keyed_now', 80),
    ('— with a clock read', 'bench_limiter:keyed_clock', 180),
    ('cache hit, 16-byte key, ref and unref, given now', 'bench_cache:hit/now', 65),
    ('— with a clock read', 'bench_cache:hit/clock', 65),
    ('cache lookup_copy, 16 bytes, given now', 'bench_cache:hit_copy/now', 45),
    ('— with a clock read', 'bench_cache:hit_copy/clock', 45),
    ('cache miss, given now', 'bench_cache:miss', None),
    ('cache put of a new key, evicting, adaptive, given now', 'bench_cache:put_evicting/adaptive', 150),
    ('— with a clock read', 'bench_cache:put_evicting/adaptive_clock', None),
    ('— s3-fifo', 'bench_cache:put_evicting/s3_fifo', 150),
    ('— lru', 'bench_cache:put_evicting/lru', 150),
    ('cache put over an entry', 'bench_cache:put_over', None),
    ('run without policy', 'bench_run:batch/none/64', None),
    ('run through retry, no failure', 'bench_run:batch/retry/64', 120),
    ('— one in flight at a time', 'bench_run:chain/retry', 120),
    ('— 1024 in flight', 'bench_run:batch/retry/1024', None),
    ('— one for each round of the loop', 'bench_run:alone/retry', None),
    ('run through chaos that is switched off', 'bench_run:batch/chaos_off/64', None),
    ('run through timeout → retry → breaker', 'bench_run:batch/timeout_retry_breaker/64', 200),
    ('— one in flight at a time', 'bench_run:chain/timeout_retry_breaker', 200),
    ('— 1024 in flight', 'bench_run:batch/timeout_retry_breaker/1024', None),
    ('run through limiter → timeout → retry → breaker → timeout', 'bench_run:batch/five/64', 300),
    ('— one in flight at a time', 'bench_run:chain/five', 300),
    ('— 1000 in flight', 'bench_run:batch/five/1000', None),
    ('— one for each round of the loop', 'bench_run:alone/five', None),
    ('a round of the uv loop that does nothing', 'bench_run:round_of_loop', None),
    ('debounce touch while armed, given now', 'bench_pace:debounce_touch_at', 15),
    ('throttle touch while armed, given now', 'bench_pace:throttle_touch_at', 15),
    ('debounce touch while armed, with a clock read', 'bench_pace:debounce_touch', 70),
    ('throttle touch while armed, with a clock read', 'bench_pace:throttle_touch', 70),
    ('flight run, the only one of its key, inline', 'bench_load:flight_alone', None),
    ('flight run that waits for another\'s work', 'bench_load:flight_shared', None),
    ('cache get, hit', 'bench_load:get_hit', None),
    ('cache get, miss, inline loader, the cache full', 'bench_load:get_miss', 400),
    ('cache get that waits for another\'s load', 'bench_load:get_shared', 120),
    ('cache get of many, hit, a key', 'bench_load:get_many_hit', None),
    ('parallel of 1 M inline items, 10 at once, an item', 'bench_flow:stream/listened', 150),
    ('— results collected', 'bench_flow:stream/collected', None),
    ('race of 3 inline operations', 'bench_flow:of_three/race', 400),
    ('all of 3 inline operations', 'bench_flow:of_three/all', None),
    ('waterfall of 3 inline operations', 'bench_flow:of_three/waterfall', None),
    ('completions drain, a record', 'bench_completions:drain', None),
    ('run to a drained record, value given back', 'bench_completions:run_to_record', None),
]


class Row:
    """All repetitions of one benchmark. Multiples are of `baselines`, which are those printed: the
    least that any of the programs measured."""

    def __init__(self, entries, baselines):
        clocked = entries[0]['name'].endswith('manual_time')
        times = [entry['real_time' if clocked else 'cpu_time'] for entry in entries]
        self.least, self.median = min(times), statistics.median(times)
        self.entries = entries
        self.baseline = entries[0]['label'].removeprefix('x ')
        self.baseline_ns = baselines[self.baseline]
        self.mallocs = statistics.median(entry['mallocs'] for entry in entries)

    def times_baseline(self, nanoseconds=None):
        least = self.least if nanoseconds is None else nanoseconds
        return f'{least / self.baseline_ns:.1f} × {self.baseline}'

    def counter(self, name):
        return statistics.median(entry[name] for entry in self.entries)


class Rows(dict):
    """By program and name. Not every program must have run; but one that has, has all its rows."""

    def get(self, name):
        program = name.partition(':')[0] + ':'
        if name not in self and any(known.startswith(program) for known in self):
            sys.exit(f'no row {name}')
        return super().get(name)


def read(directory):
    repetitions, baselines, context = {}, {}, {}
    for path in sorted(directory.glob('*.json')):
        document = json.loads(path.read_text())
        context = document['context']
        for name in SET_ON:
            found = float(context[f'baseline: {name}'])
            baselines[name] = min(found, baselines.get(name, found))
        for entry in document['benchmarks']:
            if entry['run_type'] == 'iteration':
                name = SUFFIX.sub('', entry['name'])
                repetitions.setdefault(f'{path.stem}:{name}', []).append(entry)
    rows = Rows((name, Row(entries, baselines)) for name, entries in repetitions.items())
    return rows, baselines, context


def nanoseconds(value):
    return f'{value:.1f}' if value < 10 else f'{value:.0f}'


def count(value):
    return '0' if value < 0.0005 else f'{value:.3g}'


def yes(met):
    return 'yes' if met else 'no'


def time_line(path, row, target):
    measured = f'{nanoseconds(row.least)} ns ({nanoseconds(row.median)})'
    if target is None:
        return path, measured, row.times_baseline(), count(row.mallocs), '', ''
    return (path, measured, row.times_baseline(), count(row.mallocs),
            f'≤ {target} ns = {target / SET_ON[row.baseline]:.1f} ×', yes(row.least <= target))


def two_threads(rows):
    for what, name, by_name, target in (
            ('2 threads on one breaker ÷ 2 threads with a breaker each',
             'bench_breaker:two_threads/one_breaker', 'bench_breaker:two_threads/a_breaker_each', 0.8),
            ('2 threads that copy out of one cache ÷ 2 threads with a cache each',
             'bench_cache:two_threads_hit/copies_1000', 'bench_cache:two_threads_hit/copies_apart_1000',
             0.8),
            ('2 threads that look up in one cache ÷ 2 threads with a cache each',
             'bench_cache:two_threads_hit/lookups_1000', 'bench_cache:two_threads_hit/apart_1000', None),
            ('— ÷ 2 threads that only ref and unref the same values',
             'bench_cache:two_threads_hit/lookups_1000', 'bench_cache:two_threads_hit/refs_1000', 0.8),
            ('— all of one key', 'bench_cache:two_threads_hit/lookups_1',
             'bench_cache:two_threads_hit/refs_1', 0.8)):
        row, by = rows.get(name), rows.get(by_name)
        if row and by:
            ratio, median = by.least / row.least, by.median / row.median
            yield (what, f'{ratio:.2f} ({median:.2f}); {nanoseconds(row.least)} ns', row.times_baseline(),
                   '', '' if target is None else f'≥ {target}', '' if target is None else yes(ratio >= target))
    for entries in (1000, 16384):
        one = rows.get(f'bench_cache:skewed/one_thread_{entries}')
        two = rows.get(f'bench_cache:skewed/two_threads_{entries}')
        if one and two:
            ratio, median = 2 * one.least / two.least, 2 * one.median / two.median
            yield (f'skewed keys, 90 % lookups, {entries} entries: what 2 threads do ÷ what 1 does',
                   f'{ratio:.2f} ({median:.2f}); {nanoseconds(two.least)} ns', two.times_baseline(), '',
                   '≥ 1.6', yes(ratio >= 1.6))
        apart = rows.get(f'bench_cache:skewed/apart_{entries}')
        if one and apart:
            ratio, median = 2 * one.least / apart.least, 2 * one.median / apart.median
            yield ('— the same with a cache each: what the machine can do',
                   f'{ratio:.2f} ({median:.2f}); {nanoseconds(apart.least)} ns', apart.times_baseline(),
                   '', '', '')


def differences(rows):
    for timed, untimed, what, target in (
            ('bench_timer:run/timeout/1000000', 'bench_timer:run/none/1000000',
             'timer armed and disarmed, 1 M pending: run with a timeout − run without', 100),
            ('bench_timer:replace/sleeping/1000', 'bench_timer:replace/forever/1000',
             'timer moved, one of 1000: sleep replaced − sleep without a timer replaced', None),
            ('bench_timer:replace/sleeping/1000000', 'bench_timer:replace/forever/1000000',
             'timer moved, one of 1 M at random, cold: the same', 100),
            ('bench_run:batch/hedge/64', 'bench_run:batch/none/64',
             'hedge not fired, after 100 ms: run with − run without', 80),
            ('bench_run:batch/hedge_soon/64', 'bench_run:batch/none/64', '— after 10 ms', 80),
            ('bench_run:batch/hedge_measuring/64', 'bench_run:batch/none/64',
             '— at a measured quantile', 80),
            ('bench_run:batch/fallback/64', 'bench_run:batch/none/64',
             'fallback not used: run with − run without', None),
            ('bench_observe:five_policies/listener', 'bench_observe:five_policies/nobody',
             'listener with nothing to hear: run through five policies with − without', 3),
            ('bench_observe:five_policies/recorder', 'bench_observe:five_policies/nobody',
             '— flight recorder with nothing to keep', 3),
            ('bench_observe:five_policies/labels', 'bench_observe:five_policies/nobody',
             '— metrics with labels, read by nobody', 3),
            ('bench_observe:five_policies/histograms', 'bench_observe:five_policies/nobody',
             '— metrics with histograms: in use', None)):
        timed, untimed = rows.get(timed), rows.get(untimed)
        if not timed or not untimed:
            continue
        cost, median = timed.least - untimed.least, timed.median - untimed.median
        set_on = '' if target is None else f'≤ {target} ns = {target / SET_ON[timed.baseline]:.1f} ×'
        yield (what, f'{nanoseconds(timed.least)} − {nanoseconds(untimed.least)} = '
               f'{nanoseconds(cost)} ns ({nanoseconds(median)})',
               timed.times_baseline(cost), count(timed.mallocs), set_on,
               '' if target is None else yes(cost <= target))


def threads(rows):
    for name, what in (('attached', 'an attached loop'), ('own_thread', 'a thread of weir\'s own')):
        row = rows.get(f'bench_threads:{name}/retry')
        if row:
            rate = 1000 / row.least
            yield (f'run through retry from another thread to settlement, {what} '
                   f'({row.counter("in_flight"):.0f} in flight)',
                   f'{rate:.1f} M/s ({1000 / row.median:.1f})', row.times_baseline(),
                   count(row.mallocs), f'≥ 2.5 M/s = {400 / SET_ON[row.baseline]:.1f} ×',
                   yes(rate >= 2.5))


def sizes(rows, library):
    size = library.stat().st_size
    yield 'libweir.so stripped', f'{size / 1000:.0f} KB', '', '', '≤ 300 KB', yes(size <= 300_000)
    if breaker := rows.get('bench_size:idle_breaker'):
        size = breaker.counter('bytes')
        yield 'idle breaker', f'{size:.0f} B', '', count(breaker.mallocs), '≤ 512 B', yes(size <= 512)
    if limiter := rows.get('bench_size:keyed_limiter'):
        size = limiter.counter('bytes_a_key')
        yield 'keyed limiter, a key', f'{size:.1f} B', '', '', '16–24 B', yes(16 <= round(size, 1) <= 24)

    for kind in ('adaptive', 's3_fifo', 'lru'):
        if row := rows.get(f'bench_cache_large:entries/{kind}'):
            entries, size = row.counter('entries'), row.counter('bytes')
            churned = row.counter('bytes_churned')
            yield (f'cache, {entries:.0f} entries, {kind}: an entry beside key and value, filled, churned',
                   f'{size:.1f}, {churned:.1f} B', '', '', '≤ 120 B', yes(max(size, churned) <= 120))


def tails(rows):
    for name, what in (('alone', 'no one else'), ('beside_a_writer', 'a writer at full speed')):
        if row := rows.get(f'bench_cache_large:tail/{name}'):
            numbers = ', '.join(f'{row.counter(p):.0f}' for p in ('p50', 'p99', 'p99.9', 'p99.99'))
            yield (f'cache lookup_copy beside {what}, 100 000 entries: p50, p99, p99.9, p99.99',
                   f'{numbers} ns', '', '', '', '')


TITLES = {'cpp': 'C++', 'rust': 'Rust', 'go': 'Go', 'python': 'Python', 'node': 'Node'}


def rate(value, unit):
    """`399484.1`, `a second` as `399 k/s`; what is no rate as it is."""
    if unit.split(' ')[0] not in ('a', '/s', 'runs/s') or unit.startswith('a permit'):
        return f'{value} {unit}'
    number = float(re.sub(r'[^0-9.]', '', value))
    return f'{number / 1e6:.2f} M/s' if number >= 1e6 else f'{number / 1e3:.0f} k/s'


def languages(folder):
    """Rows that the bindings' benchmarks printed, as `name|value|unit|target|met or missed`."""
    for file in sorted(folder.glob('*.rows')):
        title = TITLES[file.stem]
        for line in file.read_text().splitlines():
            name, value, unit, target, met = (part.strip() for part in line.split('|'))
            target = target.replace('<=', '≤').replace('>=', '≥').replace(' x ', ' × ')
            target = re.sub(r'(\d+)[ ,]?000\b( a second)?', r'\1 k/s', target)
            verdict = {'met': 'yes', 'missed': 'no', '': ''}[met] if target else ''
            yield f'{title}: {name.removeprefix(title + ": ")}', rate(value, unit), '', '', target, verdict


def main():
    rows, baselines, context = read(pathlib.Path(sys.argv[1]))
    repetitions = min((len(row.entries) for name, row in rows.items() if 'cache_large' not in name),
                      default=0)
    load = max((context.get('load_avg') or [0])[:1])
    print(f'Measured on {context.get("num_cpus")} processors at {context.get("mhz_per_cpu")} MHz, load '
          f'average {load:.0f}: the least of at least {repetitions} repetitions, the median in parentheses. '
          'Times are processor time on one pinned processor; by the clock where there are two '
          'threads, and for the drain. Mallocs are the whole process\'s, per operation. Targets are '
          'nanoseconds; behind each is the multiple of the row\'s baseline that it was on the machine '
          'where they were set. Rows with two threads follow how long a line takes from one processor to '
          'the other, the least of which is below: on a virtual machine it may be six times that minutes '
          'later. A lookup ÷ ref and unref was to cost little more than references that two threads '
          'contend for, 85 ns each.\n')
    print('| baseline | here | where the targets were set |\n|---|---|---|')
    for name, set_on in SET_ON.items():
        if name in baselines:
            print(f'| {name} | {baselines[name]:.1f} ns | {"not known" if set_on is None else f"{set_on} ns"} |')
    lines = [time_line(path, row, target) for path, name, target in TIMES if (row := rows.get(name))]
    for more in (two_threads(rows), tails(rows), differences(rows), threads(rows),
                 sizes(rows, pathlib.Path(sys.argv[2])), languages(pathlib.Path(sys.argv[1]))):
        lines.extend(more)
    print('\n| path | measured | × baseline | mallocs | target | met? |\n|---|---|---|---|---|---|')
    for line in lines:
        print('| ' + ' | '.join(line) + ' |')


main()
