# SPDX-License-Identifier: MIT
"""Nothing grows: a million decide calls, 100,000 runs, and storms of cancels and closes."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import resource
import threading
import tracemalloc
from typing import Any

import pytest

import weir
from weir import _weir

LONG = 10 if os.environ.get("WEIR_LONG") else 1


def quick(coroutine: Any) -> Any:
    """Without asyncio's debug mode, which keeps a stack for each task."""
    return asyncio.run(coroutine, debug=False)


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def blocks_after(work: Any, rounds: int) -> int:
    """How many bytes Python's allocators hold more after `rounds` than after the first."""
    work()
    gc.collect()
    tracemalloc.start()
    try:
        work()
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(rounds):
            work()
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


def test_a_million_decide_calls_do_not_grow() -> None:
    breaker, limiter = weir.Breaker(), weir.Limiter(max_concurrent=10)
    cache = weir.Cache(max_entries=100)
    cache.put("key", object())

    def work(count: int = 10_000) -> None:
        for _ in range(count):
            breaker.report(breaker.acquire())
            limiter.release(limiter.try_acquire() or 0)
            cache.lookup("key")

    work(50_000)
    before = resident()
    work(250_000 * LONG)
    assert resident() - before < 4 << 20
    assert blocks_after(work, 3) < 20_000


def test_refusals_do_not_grow() -> None:
    breaker = weir.Breaker(failure_threshold=1)
    breaker.report(breaker.acquire(), weir.FAILURE)

    def work() -> None:
        for _ in range(2000):
            with pytest.raises(weir.BreakerOpen):
                breaker.acquire()

    assert blocks_after(work, 3) < 20_000


async def answer(value: Any) -> Any:
    return value


def test_a_hundred_thousand_runs_do_not_grow() -> None:
    with weir.Runtime() as runtime:
        policy = weir.Pipeline(weir.Breaker(), weir.Retry(), weir.Timeout(5))

        async def several(count: int) -> None:
            for _ in range(count // 500):
                await asyncio.gather(*(policy.run(answer, object()) for _ in range(500)))

        quick(several(10_000))
        gc.collect()
        before = resident()
        quick(several(100_000 * LONG))
        gc.collect()
        assert resident() - before < 8 << 20
        assert runtime.stats().live_calls == 0 and runtime.stats().orphans == 0
    assert runtime.close()
    for queue in runtime._queues():
        assert queue.out == 0 and not queue.attempts and not queue.calls


def test_failing_runs_do_not_grow() -> None:
    policy = weir.Retry(max_attempts=2, base_delay=0)

    async def fails() -> None:
        raise ValueError(object())

    async def main() -> None:
        for _ in range(20):
            await asyncio.gather(*(policy.run(fails) for _ in range(20)), return_exceptions=True)

    assert blocks_after(lambda: quick(main()), 3) < 100_000


def test_one_shot_operations_do_not_grow() -> None:
    async def main() -> None:
        for _ in range(50):
            await weir.race([lambda: 1, lambda: 2])
            await weir.waterfall([lambda x: x, lambda x: x], 1)
            await weir.parallel([lambda: 1] * 3, on_progress=lambda *told: None)

    assert blocks_after(lambda: quick(main()), 3) < 100_000
    runtime = weir.default_runtime()
    assert all(len(queue.sites) < 10 for queue in runtime._queues())


def test_a_storm_of_cancels() -> None:
    chance = random.Random(1)

    async def work() -> None:
        await asyncio.sleep(chance.random() * 0.01)
        if chance.random() < 0.3:
            raise OSError

    async def main() -> None:
        policy = weir.Pipeline(
            weir.Limiter(max_concurrent=50, max_queue=None),
            weir.Retry(max_attempts=3, base_delay=0.001),
            weir.Timeout(0.008),
        )
        tasks = [asyncio.ensure_future(policy.run(work)) for _ in range(1000)]
        for task in tasks:
            if chance.random() < 0.5:
                asyncio.get_running_loop().call_later(chance.random() * 0.1, task.cancel)
        await asyncio.gather(*tasks, return_exceptions=True)

    for _ in range(2 * LONG):
        quick(main())
    assert settles(weir.default_runtime())


def settles(runtime: weir.Runtime) -> bool:
    """Orphans end a moment after the last task did; their loops are closed, so the next one drains."""

    async def idle() -> None:
        await weir.sleep(0.001, runtime=runtime)

    for _ in range(200):
        stats = runtime.stats()
        if stats.live_calls == 0 and stats.orphans == 0:
            return True
        asyncio.run(idle())
    return False


def test_a_storm_of_closes() -> None:
    async def main(runtime: weir.Runtime) -> None:
        policy = weir.Retry(max_attempts=3, base_delay=0.001, runtime=runtime)
        tasks = [asyncio.ensure_future(policy.run(asyncio.sleep, 0.01)) for _ in range(100)]
        await asyncio.sleep(0.005)
        runtime._close()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(r is None or isinstance(r, weir.Closed) for r in results)

    for _ in range(10 * LONG):
        runtime = weir.Runtime(close_grace=0.1)
        quick(main(runtime))
        runtime.close(1)
    del runtime
    gc.collect()
    assert _weir.bury() == 0


def test_closed_runtimes_leave_no_thread() -> None:
    def threads() -> int:
        with open("/proc/self/status") as file:
            return int(next(line for line in file if line.startswith("Threads:")).split()[1])

    before = threads()
    for _ in range(50):
        runtime = weir.Runtime()
        assert weir.Retry(runtime=runtime).call(lambda: 1) == 1
        assert runtime.close()
    assert threads() <= before


def test_threads_leave_their_queues_to_others() -> None:
    with weir.Runtime() as runtime:
        retry = weir.Retry()
        for _ in range(20):
            threads = [threading.Thread(target=retry.call, args=(lambda: 1,)) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        gc.collect()
        assert len(runtime._free) <= 16
    assert runtime.close()


def test_a_loop_forgets_runtimes_that_were_closed() -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    async def main() -> None:
        for round in range(25):
            if round == 5:
                gc.collect()
                before = descriptors()
            async with weir.testing.Runtime() as clock:
                assert await clock.finish(weir.retry(answer, round)) == round
            runtime = weir.Runtime()
            assert await weir.Retry(runtime=runtime).run(answer, round) == round
            await asyncio.get_running_loop().run_in_executor(None, runtime.close)
            del runtime, clock
        for _ in range(100):
            await asyncio.sleep(0.01)
            gc.collect()
            if descriptors() <= before:
                return
        assert descriptors() <= before

    quick(main())
