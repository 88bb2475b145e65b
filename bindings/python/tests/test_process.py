# SPDX-License-Identifier: MIT
"""Processes: fork, exit with work pending, subinterpreters, and the capsule for other extensions."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import subprocess
import sys
import textwrap
from typing import Any

import pytest

import weir


def script(text: str, timeout: float = 30.0) -> "subprocess.CompletedProcess[str]":
    """Runs a program as users do, in development mode; neither hang nor crash passes."""
    return subprocess.run(
        [sys.executable, "-X", "dev", "-c", textwrap.dedent(text)],
        capture_output=True, text=True, timeout=timeout, cwd="/",
    )  # fmt: skip


def ends_well(text: str) -> str:
    result = script(text)
    assert result.returncode == 0, result.stderr
    return result.stdout


def in_child(work: Any) -> int:
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            code = work()
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    return os.WEXITSTATUS(status)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_gets_a_clear_error_and_a_default_runtime_of_its_own() -> None:
    before = weir.Retry(name="before")
    assert before.call(lambda: 1) == 1

    def work() -> int:
        try:
            before.call(lambda: 1)
        except weir.ForkedError as error:
            if "Make policies and runtimes anew" not in str(error):
                return 2
        else:
            return 1
        if weir.Retry().call(lambda: 5) != 5:
            return 3
        import asyncio

        async def answer() -> int:
            return 6

        return 0 if asyncio.run(weir.retry(answer)) == 6 else 4

    assert in_child(work) == 0
    assert before.call(lambda: 2) == 2


def square(x: int) -> int:
    return weir.blocking.retry(lambda: x * x)  # type: ignore[no-any-return]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_multiprocessing_by_fork_works() -> None:
    assert square(2) == 4
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(square, range(8)) == [x * x for x in range(8)]


def test_exit_with_attempts_pending() -> None:
    ends_well("""
        import asyncio, weir
        async def main():
            for _ in range(50):
                asyncio.ensure_future(weir.Retry().run(asyncio.sleep, 60))
            await asyncio.sleep(0.05)
        asyncio.run(main())
    """)


def test_exit_without_closing_the_loop() -> None:
    result = script("""
        import asyncio, weir
        loop = asyncio.new_event_loop()
        policy = weir.Pipeline(weir.Breaker(), weir.Retry(), weir.Timeout(5))
        tasks = [loop.create_task(policy.run(asyncio.sleep, 60)) for _ in range(20)]
        loop.run_until_complete(asyncio.sleep(0.05))
        print("end", flush=True)
    """)
    assert result.returncode == 0 and "end" in result.stdout, result.stderr


def test_exit_while_threads_wait() -> None:
    ends_well("""
        import threading, time, weir
        def wait():
            weir.blocking.sleep(60)
        for _ in range(4):
            threading.Thread(target=wait, daemon=True).start()
        limiter = weir.Limiter(max_concurrent=1)
        permit = limiter.try_acquire()
        threading.Thread(target=lambda: limiter.call(print), daemon=True).start()
        time.sleep(0.1)
    """)


def test_exit_with_listeners_caches_and_timers() -> None:
    ends_well("""
        import asyncio, weir
        breaker = weir.Breaker(on_state_change=print)
        cache = weir.Cache(ttl=60)
        for number in range(1000):
            cache.put(str(number), object())
        async def main():
            await cache.get("x", asyncio.sleep, 0, 1)
        asyncio.run(main())
    """)


def test_exit_and_fork_while_listeners_are_told() -> None:
    told = ends_well("""
        import os, threading, time, weir
        heard = []
        runtime = weir.Runtime(recorder_entries=10, log_level="info")
        runtime.on_event(heard.append)
        cache = weir.Cache(max_entries=5, on_evict=heard.append)
        def churn():
            for number in range(1_000_000):
                cache.put(str(number), object())
        for _ in range(3):
            threading.Thread(target=churn, daemon=True).start()
        while len(heard) < 100:
            time.sleep(0.01)
        pid = os.fork()
        if pid == 0:
            runtime.log("in the child")
            mine, before = weir.Cache(max_entries=5, on_evict=heard.append), len(heard)
            for number in range(20):
                mine.put(str(number), object())
            while len(heard) < before + 15:
                time.sleep(0.01)
            os._exit(0)
        print(os.waitpid(pid, 0)[1])
    """)
    assert told == "0\n"


def test_interrupts_reach_a_thread_that_waits() -> None:
    result = script("""
        import os, signal, threading, weir
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        limiter = weir.Limiter(1, 3600)
        limiter.try_acquire()
        try:
            limiter.call(lambda: 1)
        except KeyboardInterrupt:
            print("interrupted")
    """)
    assert result.stdout == "interrupted\n", result.stderr


def test_a_loop_closed_under_its_runs_gives_everything_back() -> None:
    ends_well("""
        import asyncio, gc, weir
        policy = weir.Limiter(max_concurrent=3)
        class Marker: alive = 0
        async def hang(marker):
            await asyncio.sleep(60)
        for _ in range(20):
            loop = asyncio.new_event_loop()
            for _ in range(5):
                loop.create_task(policy.run(hang, Marker()))
            loop.run_until_complete(asyncio.sleep(0.005))
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0.005))
            loop.close()
        async def last():
            return await policy.run(asyncio.sleep, 0, "done")
        assert asyncio.run(asyncio.wait_for(last(), 5)) == "done"
    """)


def test_subinterpreters_are_refused() -> None:
    text = """
        import sys
        try:
            import _xxsubinterpreters as interpreters
        except ImportError:
            try:
                import _interpreters as interpreters
            except ImportError:
                sys.exit(0)
        one = interpreters.create()
        try:
            failed = interpreters.run_string(one, "import weir")
        except Exception as error:
            failed = error
        assert failed is not None and "interpreter" in str(getattr(failed, "formatted", failed)), failed
        interpreters.destroy(one)
    """
    ends_well(text)


def test_the_capsule_lends_the_runtime() -> None:
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    valid = ctypes.pythonapi.PyCapsule_IsValid
    valid.argtypes = [ctypes.py_object, ctypes.c_char_p]
    runtime = weir.Runtime()
    capsule = runtime.capsule()
    assert valid(capsule, b"weir.runtime") == 1
    assert get(capsule, b"weir.runtime") == get(runtime.capsule(), b"weir.runtime")
    assert runtime.close()
