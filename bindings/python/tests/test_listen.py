# SPDX-License-Identifier: MIT
"""Listeners: retries, evictions, events and log lines, told in the event loop or on the thread for them."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import threading
import time
import weakref
from typing import Any, Callable, List

import pytest

import weir
from weir import testing


def soon(true: Callable[[], Any]) -> bool:
    for _ in range(1000):
        if true():
            return True
        time.sleep(0.005)
    return False


def test_retries_are_told_with_the_very_exception_and_the_delay() -> None:
    async def main() -> None:
        async with testing.Runtime() as clock:
            heard: List[weir.Retried] = []
            errors = [OSError(1, "a"), OSError(2, "b"), OSError(3, "c")]
            left = list(errors)

            def work() -> None:
                raise left.pop(0)

            retry = weir.Retry(max_attempts=3, base_delay=1, jitter="none", on_retry=heard.append)
            with pytest.raises(OSError):
                await clock.finish(retry.run(work))
            assert [(r.attempt, r.delay, r.error) for r in heard] == [
                (1, 1.0, errors[0]),
                (2, 2.0, errors[1]),
            ]
            assert all(r.error is e for r, e in zip(heard, errors))
            retry.set_options(max_attempts=2, base_delay=3, jitter="none")
            left[:] = errors
            with pytest.raises(OSError):
                await clock.finish(retry.run(work))
            assert heard[-1][:2] == (1, 3.0)
            judged = weir.Retry(
                max_attempts=2, retry_value=lambda v: v == "bad", on_retry=heard.append
            )
            with pytest.raises(weir.Exhausted):
                await clock.finish(judged.run(lambda: "bad"))
            assert heard[-1].value == "bad"

    asyncio.run(main())


def test_evictions_are_told_with_key_value_and_cause() -> None:
    async def main() -> None:
        async with testing.Runtime() as clock:
            heard: List[weir.Eviction] = []
            cache = weir.Cache(max_entries=2, ttl=10, eviction="lru", on_evict=heard.append)
            value = object()
            cache.put("a", value)
            cache.put(b"a", 2)
            cache.put("b", None)
            cache.put("c", 3)
            cache.invalidate("c")
            await clock.advance(11)
            cache.put("d", 4)
            cache.clear()
            await clock.settle()
            assert heard == [
                (b"a", value, "replaced", 1),
                (b"a", 2, "size", 1),
                (b"c", 3, "explicit", 1),
                (b"b", None, "expired", 1),
                (b"d", 4, "cleared", 1),
            ]
            assert heard[0].value is value

    asyncio.run(main())


def test_a_listener_is_called_in_its_loop_and_context() -> None:
    place: contextvars.ContextVar[str] = contextvars.ContextVar("place", default="")
    heard: List[Any] = []

    async def main() -> None:
        place.set("main")
        done = asyncio.Event()

        def hear(what: Any) -> None:
            heard.append((threading.current_thread(), place.get(), what.cause))
            done.set()

        cache = weir.Cache(on_evict=hear)
        place.set("later")
        cache.put("k", 1)
        await asyncio.get_running_loop().run_in_executor(None, cache.invalidate, "k")
        await asyncio.wait_for(done.wait(), 5)

    asyncio.run(main())
    assert heard == [(threading.current_thread(), "main", "explicit")]


def test_without_a_loop_a_listener_is_called_on_a_thread() -> None:
    heard: List[Any] = []
    cache = weir.Cache(on_evict=lambda e: heard.append(threading.current_thread().name))
    lock = threading.Lock()
    with lock:  # whoever writes does not run listeners: this would never end
        held = weir.Cache(on_evict=lambda e: lock.acquire() and lock.release())
        for cache_of in (cache, held):
            cache_of.put("k", 1)
            cache_of.put("k", 2)
            cache_of.clear()
    assert soon(lambda: len(heard) == 2) and set(heard) == {"weir-listen"}


@pytest.mark.parametrize("closes_first", [False, True])
def test_a_closed_loop_hands_its_listeners_to_the_thread(closes_first: bool) -> None:
    heard: List[str] = []
    loop = asyncio.new_event_loop()

    async def make() -> weir.Cache:
        return weir.Cache(on_evict=lambda e: heard.append(threading.current_thread().name))

    cache = loop.run_until_complete(make())
    if closes_first:
        loop.close()
    cache.put("k", 1)
    cache.clear()
    if closes_first:
        assert soon(lambda: heard) and heard == ["weir-listen"]
    else:
        try:
            assert soon(lambda: loop.run_until_complete(asyncio.sleep(0.005)) or heard)
        finally:
            loop.close()
        assert heard == ["MainThread"]


def test_what_a_listener_raises_is_logged_and_the_next_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard: List[Any] = []

    def hear(what: Any) -> None:
        heard.append(what)
        raise ValueError("from the listener")

    cache = weir.Cache(on_evict=hear)
    for key in "abc":
        cache.put(key, 1)
        cache.invalidate(key)
    assert soon(lambda: len(heard) == 3)
    assert soon(lambda: caplog.text.count("from the listener") >= 3)
    for wrong in (3, "name", None.__class__()):
        if wrong is not None:
            with pytest.raises(TypeError):
                weir.Cache(on_evict=wrong)  # type: ignore[arg-type]


def test_a_listener_that_keeps_its_policy_is_garbage_with_it() -> None:
    class Keeper:
        def __init__(self) -> None:
            self.cache = weir.Cache(on_evict=self.hear)
            self.retry = weir.Retry(on_retry=self.hear)
            self.breaker = weir.Breaker(on_state_change=self.hear)

        def hear(self, what: Any) -> None:
            pass

    keeper = Keeper()
    keeper.cache.put("k", 1)
    keeper.cache.clear()
    gone = weakref.ref(keeper)
    del keeper
    gc.collect()
    assert soon(lambda: gc.collect() is not None and gone() is None)


def test_evictions_do_not_grow() -> None:
    from test_leaks import blocks_after

    told = 0

    def hear(what: Any) -> None:
        nonlocal told
        told += 1

    cache, count = weir.Cache(max_entries=10, on_evict=hear), 0

    def work() -> None:
        nonlocal count
        for _ in range(2000):
            cache.put(str(count), object())
            count += 1
        assert soon(lambda: told == count - len(cache))
        weir.default_runtime()._home_queue().drain()

    assert blocks_after(work, 3) < 30_000


def test_events_tell_what_policies_do() -> None:
    async def main() -> None:
        async with testing.Runtime(recorder_entries=100) as clock:
            before = weir.Breaker(failure_threshold=1, name="before")
            before.force("forced_open")
            await clock.settle()
            heard: List[weir.Event] = []
            states: List[weir.Event] = []
            end = clock.on_event(heard.append)
            clock.on_event(states.append, "state_change")
            breaker = weir.Breaker(failure_threshold=1, name="api")
            retry = weir.Retry(max_attempts=2, base_delay=1, jitter="none", name="twice")
            with pytest.raises(ZeroDivisionError):
                await clock.finish(weir.Pipeline(breaker, retry).run(lambda: 1 / 0))
            with pytest.raises(weir.BreakerOpen):
                await clock.finish(breaker.run(lambda: 1))
            await clock.settle()
            assert [event.kind for event in heard] == [
                "retry",
                "gave_up",
                "state_change",
                "refusal",
            ]
            assert heard[0][3:5] == ("retry", "twice")
            assert (heard[0].number, heard[0].delay, heard[1].reason) == (1, 1.0, "attempts")
            changed = heard[2]
            assert states == [changed] and changed.name == "api"
            assert (changed.before, changed.after) == ("closed", "open")
            assert (changed.reason, changed.failures) == ("failures", 1)
            assert heard[3].status == "WEIR_EOPEN" and "'api' is open" in heard[3].text
            assert heard[3].at == clock.now()
            end()
            end()
            breaker.reset()
            await clock.settle()
            assert len(heard) == 4 and len(states) == 2
            with pytest.raises(ValueError, match="events are of"):
                clock.on_event(heard.append, ["nonsense"])
            with pytest.raises(TypeError):
                clock.on_event(None)  # type: ignore[arg-type]
        with pytest.raises(weir.NotSupported):
            testing.Runtime().on_event(heard.append)

    asyncio.run(main())


def test_log_lines_reach_pythons_logging(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "weir")
    runtime = weir.Runtime(name="told", log_level="info")
    runtime.log("as the runtime")
    runtime.log("of a part", "warning", "part")
    runtime.log("not shown", "debug")
    with runtime, weir.Scope(name="import") as scope:
        scope.log("in a scope", "error")
        with pytest.raises(ValueError, match="log level"):
            scope.log("x", "loud")
    assert soon(lambda: len(caplog.records) >= 3)
    assert [(r.levelname, r.getMessage()) for r in caplog.records] == [
        ("INFO", "told: as the runtime"),
        ("WARNING", "part: of a part"),
        ("ERROR", "import: in a scope"),
    ]
    with pytest.raises(ValueError, match="log level"):
        runtime.log("x", "loud")
    with pytest.raises(ValueError, match="log_level"):
        weir.Runtime(log_level="loud")
    assert runtime.close()


def test_threads_of_a_closed_runtime_end() -> None:
    before = set(threading.enumerate())
    runtime = weir.Runtime(recorder_entries=1)
    runtime.on_event(print)
    assert weir.Hedge(1, runtime=runtime).call(lambda: 1) == 1
    begun = set(threading.enumerate()) - before
    assert {"weir-listen", "weir-drain"} <= {thread.name for thread in begun}
    assert runtime.close()
    assert soon(lambda: not any(thread.is_alive() for thread in begun))
