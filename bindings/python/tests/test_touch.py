# SPDX-License-Identifier: MIT
"""Calls of paced functions that nobody waits for: what they hand over, where they run, and who is told what."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import time
from typing import Any, Callable, List

import pytest

import weir
from weir import testing


def run(main: Any) -> Any:
    return asyncio.run(main)


def until(done: Callable[[], Any]) -> None:
    """Waits for another thread."""
    for _ in range(5000):
        if done():
            return
        time.sleep(0.001)
    raise AssertionError("it did not happen")


def said(caplog: Any) -> List[Any]:
    """What the exceptions say that were logged."""
    return [str(record.exc_info[1]) for record in caplog.records if record.name == "weir"]


@pytest.mark.parametrize("superseded", ["cancel", "share"])
def test_touches_run_once_with_the_latest_and_say_nothing(caplog: Any, superseded: str) -> None:
    async def main() -> None:
        complaints: List[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(told))
        async with testing.Runtime() as clock:
            runs: List[Any] = []

            @weir.debounce(1.0, superseded=superseded)
            async def save(text: str, *, force: bool = False) -> None:
                runs.append((text, force))

            for text in ("a", "ab", "abc"):
                save.touch(text, force=text == "abc")
                await clock.advance(0.5)
            assert runs == [] and save.pending == 3
            await clock.advance(1)
            assert runs == [("abc", True)] and save._touches == {}
            save.touch("forgotten")
            save.cancel()
            save.touch("now")
            save.flush()
            await clock.settle()
            assert runs[1:] == [("now", False)]
        gc.collect()
        assert complaints == []

    run(main())
    assert said(caplog) == []


def test_a_touch_and_a_call_are_of_one_stream() -> None:
    async def main() -> None:
        async with testing.Runtime() as clock:
            runs: List[str] = []

            @weir.debounce(1.0, superseded="share")
            async def save(text: str) -> str:
                runs.append(text)
                return text

            call = asyncio.ensure_future(save("called"))
            await asyncio.sleep(0)
            save.touch("touched")
            await clock.advance(1)
            assert await call == "touched" and runs == ["touched"]

    run(main())


def test_a_touch_that_a_call_replaced_or_that_was_forgotten_says_nothing(caplog: Any) -> None:
    async def main() -> None:
        async with testing.Runtime() as clock:
            runs: List[str] = []

            @weir.debounce(1.0)
            async def save(text: str) -> None:
                runs.append(text)

            save.touch("replaced")
            await clock.finish(save("called"))
            save.touch("forgotten")
            save.cancel()
            await clock.advance(5)
            assert runs == ["called"]

    run(main())
    assert said(caplog) == []


@pytest.mark.parametrize("superseded", ["cancel", "share"])
def test_what_a_run_raises_is_logged_once(caplog: Any, superseded: str) -> None:
    async def main() -> None:
        async with testing.Runtime() as clock:

            @weir.debounce(1.0, superseded=superseded)
            async def save(text: str) -> None:
                raise OSError(f"no room for {text}")

            for text in ("a", "b", "c"):
                save.touch(text)
            await clock.advance(1)
            assert said(caplog) == ["no room for c"]
            save.touch("d")
            await clock.advance(1)

    run(main())
    assert said(caplog) == ["no room for c", "no room for d"]
    records = [record for record in caplog.records if record.name == "weir"]
    assert all(record.levelno == logging.ERROR for record in records)
    assert "save" in records[0].getMessage()


def test_what_a_policy_refuses_is_logged_once(caplog: Any) -> None:
    async def main() -> None:
        async with testing.Runtime() as clock:
            breaker = weir.Breaker(name="disk")
            breaker.isolate()

            @weir.debounce(1.0, superseded="share", policy=breaker)
            async def save(text: str) -> None:
                raise AssertionError("it is refused")

            for text in ("a", "b", "c"):
                save.touch(text)
            await clock.advance(1)

    run(main())
    assert len(said(caplog)) == 1 and "disk" in said(caplog)[0]


def test_a_failing_run_is_logged_while_the_next_touch_waits(caplog: Any) -> None:
    async def main() -> None:
        async with testing.Runtime() as clock:

            @weir.throttle(1.0)
            async def save(text: str) -> None:
                await weir.sleep(0.5)
                raise OSError(text)

            save.touch("a")
            await clock.advance(0.1)
            save.touch("b")
            await clock.advance(5)

    run(main())
    assert said(caplog) == ["a", "b"]


def test_keys_are_paced_apart_and_bad_use_is_raised_at_once(caplog: Any) -> None:
    async def main() -> None:
        async with testing.Runtime() as clock:
            runs: List[Any] = []

            @weir.debounce(1.0, key=lambda name, _: name)
            async def save(name: Any, text: str) -> None:
                runs.append((name, text))

            @weir.throttle(1.0)
            async def draw(*, width: int) -> None:
                runs.append(width)

            for wrong in ({}, {"width": 1, "height": 2}):
                with pytest.raises(TypeError, match="argument"):
                    draw.touch(**wrong)
            save.touch("x", "1")
            save.touch(b"x", "2")
            save.touch(bytearray(b"y"), "3")
            for bad, what in (((), "name"), ((1, "x"), "a key must be str or bytes")):
                with pytest.raises(TypeError, match=what):
                    save.touch(*bad)
            await clock.advance(1)
            assert runs == [(b"x", "2"), (bytearray(b"y"), "3")]
        with pytest.raises(weir.Closed):
            save.touch("x", "4")
        assert save._touches == {}

    run(main())
    assert said(caplog) == []


def test_a_plain_function_is_touched_from_one_thread_and_from_a_loop() -> None:
    with weir.Runtime() as runtime:
        runs: List[Any] = []

        @weir.debounce(0.05)
        def save(text: str) -> None:
            runs.append((text, threading.current_thread()))

        begun = time.monotonic()
        for text in ("a", "ab", "abc"):
            save.touch(text)
        assert time.monotonic() - begun < 0.05 or runs  # it does not wait
        until(lambda: runs)
        assert [text for text, _ in runs][-1] == "abc"
        assert threading.current_thread() not in [thread for _, thread in runs]

        async def main() -> None:
            save.touch("from a loop")
            save.flush()
            while runs[-1][0] != "from a loop":
                await asyncio.sleep(0.001)

        run(main())
        runtime.close()


def test_a_plain_function_is_touched_on_virtual_time() -> None:
    async def main() -> None:
        async with testing.Runtime() as clock:
            runs: List[str] = []

            @weir.debounce(1.0)
            def save(text: str) -> None:
                runs.append(text)

            save.touch("a")
            save.touch("b")
            await clock.advance(0.9)
            assert runs == []
            await clock.advance(0.1)
            assert runs == ["b"]

    run(main())


def test_threads_touch_an_async_function_in_the_loop_it_was_made_in() -> None:
    async def main() -> None:
        home = threading.current_thread()
        runs: List[Any] = []
        ran = asyncio.Event()

        @weir.debounce(0.02, max_wait=5)
        async def reload(path: str) -> None:
            runs.append((path, threading.current_thread()))
            if path == "last":
                ran.set()

        def watch(number: int) -> None:
            for turn in range(100):
                reload.touch(f"{number}.{turn}")

        watchers = [threading.Thread(target=watch, args=(number,)) for number in range(4)]
        for watcher in watchers:
            watcher.start()
        while any(watcher.is_alive() for watcher in watchers):
            await asyncio.sleep(0.001)
        await asyncio.to_thread(reload.touch, "last")
        await asyncio.wait_for(ran.wait(), 20)
        assert {thread for _, thread in runs} == {home} and len(runs) < 20
        assert len(reload.stats()) == 1 and reload.stats()[0].calls == 401
        ran.clear()

        async def elsewhere() -> None:
            await reload("elsewhere")
            await asyncio.to_thread(reload.touch, "last")

        await asyncio.to_thread(asyncio.run, elsewhere())
        await asyncio.wait_for(ran.wait(), 20)
        assert runs[-1] == ("last", home) and runs[-2][1] is not home

    run(main())


def test_threads_touch_an_async_function_in_the_one_loop_that_called_it() -> None:
    runs: List[str] = []

    @weir.debounce(0.0)
    async def save(text: str) -> None:
        runs.append(text)

    with pytest.raises(RuntimeError, match="no event loop has called this function.*threadsafe"):
        save.touch("nowhere")

    async def call(text: str) -> None:
        await save(text)

    async def main() -> None:
        await save("a")
        await asyncio.get_running_loop().run_in_executor(None, save.touch, "b")
        while runs[-1] != "b":
            await asyncio.sleep(0.001)

    run(main())
    with pytest.raises(RuntimeError, match="no event loop has called this function"):
        save.touch("it is closed")
    run(main())
    two = [asyncio.new_event_loop(), asyncio.new_event_loop()]
    for number, loop in enumerate(two):
        loop.run_until_complete(call(str(number)))
    with pytest.raises(RuntimeError, match="2 event loops have called this function"):
        save.touch("which?")
    for loop in two:
        loop.close()


@pytest.mark.parametrize("pause", [0.0, 0.1])
def test_what_the_end_of_its_loop_leaves_undone_is_logged(caplog: Any, pause: float) -> None:
    runs: List[str] = []

    @weir.debounce(0.05, key=lambda text: text)
    async def save(text: str) -> None:
        runs.append(text)

    async def first() -> None:
        save.touch("too late")

    async def second() -> None:
        for _ in range(100):
            if not said(caplog):
                await save("in time")

    run(first())
    time.sleep(pause)
    run(second())
    assert "too late" not in runs and len(said(caplog)) == 1 and "gone" in said(caplog)[0]


def test_a_touch_outlives_the_scope_and_the_deadline_around_it(caplog: Any) -> None:
    async def main() -> None:
        async with testing.Runtime() as clock:
            runs: List[str] = []

            @weir.debounce(5.0)
            async def save(text: str) -> None:
                await weir.sleep(1)
                runs.append(text)

            async def edit() -> None:
                save.touch("a")

            async with weir.Scope(deadline=2):
                save.touch("in the block")
                await clock.finish(weir.timeout(1, edit))
            await clock.advance(6)
            assert runs == ["a"]

    run(main())
    assert said(caplog) == []


def test_methods_are_touched_of_their_object() -> None:
    async def main() -> None:
        async with testing.Runtime() as clock:

            class Document:
                def __init__(self, name: str) -> None:
                    self.name, self.saved = name, ""

                @weir.debounce(1.0, key=lambda self, text: self.name)
                async def save(self, text: str) -> None:
                    self.saved = text

            one, other = Document("one"), Document("other")
            one.save.touch("a")
            one.save.touch("b")
            other.save.touch(text="c")
            await clock.advance(0.5)
            other.save.flush("other")
            await clock.settle()
            assert (one.saved, other.saved) == ("", "c")
            await clock.advance(0.5)
            assert one.saved == "b"
            one.save.touch("d")
            one.save.cancel("one")
            await clock.finish(one.save.run("e"))
            assert one.saved == "e" and one.save.paced is Document.save

    run(main())


def test_touches_leave_nothing() -> None:
    async def main() -> int:
        runtime = weir.Runtime()

        class Text:
            live = 0

            def __init__(self) -> None:
                Text.live += 1

            def __del__(self) -> None:
                Text.live -= 1

        @weir.debounce(0.001, superseded="share", runtime=runtime)
        async def save(text: Text) -> None:
            pass

        for _ in range(2000):
            save.touch(Text())
            if _ % 100 == 0:
                await asyncio.sleep(0)
        await save(Text())
        assert save._touches == {}
        await asyncio.to_thread(runtime.close)
        await asyncio.sleep(0.01)
        gc.collect()
        return Text.live

    assert run(main()) == 0
