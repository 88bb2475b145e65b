# SPDX-License-Identifier: MIT
"""Which kind of binding: an extension module or cffi in API mode, measured on the hot calls.

    kinds.py            needs cffi, a C compiler and the installed weir (pkg-config); prints ns a call

Measured on CPython 3.11.7 and cffi 2.1.1, on two processors that were busy with other things, least of 15:

                                        extension   cffi
    a bare call                             36       83
    breaker acquire + report, together      88      537
    a run, from submission to settlement  2255     4379

The last row drains 256 records at a time: a START, a SETTLED and a RELEASED for each run. cffi
needs a handle for each object and a lookup for each record, which the extension does not: there a
value's number is the object's address.
"""

from __future__ import annotations

import importlib.util
import pathlib
import subprocess
import tempfile
import time
from typing import Any, Callable

import weir
from weir import _weir

CDEF = """
typedef struct weir_runtime weir_runtime; typedef struct weir_breaker weir_breaker;
typedef struct weir_completions weir_completions; typedef struct weir_value weir_value;
typedef struct weir_operation weir_operation; typedef struct weir_call weir_call;
typedef struct { uint64_t user, object, detail; int32_t status; uint16_t number; uint8_t kind, channel; } weir_record;
int32_t weir_breaker_acquire(weir_breaker *, uint64_t *, void *);
int32_t weir_breaker_report(weir_breaker *, uint64_t, uint32_t, int64_t);
uint32_t weir_version(void);
size_t weir_completions_drain(weir_completions *, weir_record *, size_t, size_t);
int32_t weir_value_new_host(weir_completions *, uint64_t, weir_value **);
void weir_value_unref(weir_value *);
int32_t weir_complete(weir_runtime *, uint64_t, weir_value *);
void weir_call_unref(weir_call *);
uint64_t weir_testing_run_until_idle(weir_runtime *);
weir_runtime *probe_runtime(void);
weir_breaker *probe_breaker(weir_runtime *);
weir_completions *probe_queue(weir_runtime *);
weir_operation *probe_operation(weir_completions *);
int probe_run(weir_operation *, weir_completions *, weir_value *, uint64_t);
"""
GLUE = """
#include <weir/testing.h>
#include <weir/weir.h>
static weir_runtime *probe_runtime(void) { weir_runtime *r = 0; weir_testing_runtime_new(1, &r); return r; }
static weir_breaker *probe_breaker(weir_runtime *r) { weir_breaker *b = 0; weir_breaker_new(r, 0, &b, 0); return b; }
static weir_completions *probe_queue(weir_runtime *r) {
  weir_completions *q = 0; weir_completions_new(r, 0, &q, 0); return q; }
static weir_operation *probe_operation(weir_completions *q) {
  weir_operation *o = 0; weir_operation_new_queued(q, 0, &o, 0); return o; }
static int probe_run(weir_operation *o, weir_completions *q, weir_value *v, uint64_t user) {
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.queue = q; options.user = user; options.input = v;
  return weir_run(o, &options, 0, 0, 0, 0, 0); }
"""


def build(directory: str) -> Any:
    import cffi

    flags = subprocess.check_output(["pkg-config", "--cflags", "--libs", "weir"], text=True).split()
    builder = cffi.FFI()
    builder.cdef(CDEF)
    links = [flag for flag in flags if flag.startswith(("-L", "-l"))]
    places = [f"-Wl,-rpath,{flag[2:]}" for flag in links if flag.startswith("-L")]
    builder.set_source(
        "probe",
        GLUE,
        extra_compile_args=["-O2", *set(flags) - set(links)],
        extra_link_args=links + places,
    )
    path = pathlib.Path(builder.compile(tmpdir=directory))
    spec = importlib.util.spec_from_file_location("probe", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def least(work: Callable[[], None], count: int) -> float:
    best = float("inf")
    for _ in range(15):
        began = time.perf_counter_ns()
        work()
        best = min(best, (time.perf_counter_ns() - began) / count)
    return best


COUNT = 20_000


class Item:
    """What runs and records are about in both."""

    def start(self, queue: Any, token: int, number: int) -> None:
        queue.complete(token, None)


class Call(_weir.Call, Item):  # type: ignore[misc]
    def resolve(self, value: Any) -> None:
        pass


def extension() -> None:
    runtime = weir.testing.Runtime()
    breaker: Any = weir.Breaker(runtime=runtime)
    queue = weir._bridge.Queue(runtime)

    def bare() -> None:
        for _ in range(COUNT):
            breaker._bare_acquire()

    def pair() -> None:
        for _ in range(COUNT):
            breaker.report(breaker.acquire(), 1)

    def trip() -> None:
        for _ in range(COUNT // 256):
            for _ in range(256):
                call = Call()
                queue.run(call, None, None, call)
            runtime._run_until_idle()
            queue.drain()
            runtime._run_until_idle()
            queue.drain()

    print(
        f"extension: bare {least(bare, COUNT):.0f}, pair {least(pair, COUNT):.0f}, run {least(trip, COUNT):.0f}"
    )


def by_cffi(probe: Any) -> None:
    ffi, lib = probe.ffi, probe.lib
    runtime = lib.probe_runtime()
    breaker, queue = lib.probe_breaker(runtime), lib.probe_queue(runtime)
    operation, permit = lib.probe_operation(queue), ffi.new("uint64_t *")
    records, value = ffi.new("weir_record[256]"), ffi.new("weir_value **")
    size, objects = ffi.sizeof("weir_record"), {}

    def bare() -> None:
        for _ in range(COUNT):
            lib.weir_version()

    def pair() -> None:
        for _ in range(COUNT):
            lib.weir_breaker_acquire(breaker, permit, ffi.NULL)
            lib.weir_breaker_report(breaker, permit[0], 1, 0)

    def drain() -> None:
        count = 256
        while count == 256:
            count = lib.weir_completions_drain(queue, records, size, 256)
            for i in range(count):
                record = records[i]
                if record.kind == 1:
                    lib.weir_value_unref(ffi.cast("weir_value *", record.detail))
                    lib.weir_complete(runtime, record.object, ffi.NULL)
                elif record.kind == 4:
                    del objects[record.object]

    def trip() -> None:
        for _ in range(COUNT // 256):
            for number in range(256):
                objects[number] = Item()
                lib.weir_value_new_host(queue, number, value)
                lib.probe_run(operation, queue, value[0], number)
                lib.weir_value_unref(value[0])
            lib.weir_testing_run_until_idle(runtime)
            drain()
            lib.weir_testing_run_until_idle(runtime)
            drain()

    print(
        f"cffi:      bare {least(bare, COUNT):.0f}, pair {least(pair, COUNT):.0f}, run {least(trip, COUNT):.0f}"
    )


if __name__ == "__main__":
    extension()
    with tempfile.TemporaryDirectory() as directory:
        by_cffi(build(directory))
