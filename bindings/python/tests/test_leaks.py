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
import weakref
from typing import Any, List

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


def grows(work: Any, windows: int) -> int:
    """How many bytes the process grows in each of so many windows of work, at least. While pools fill and heaps
    settle it grows now and then; what leaks grows every time.
    """
    least, before = 1 << 62, resident()
    for _ in range(windows):
        work()
        gc.collect()
        after = resident()
        least, before = min(least, after - before), after
        if least <= 0:
            break
    return least


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
    assert grows(lambda: work(25_000 * LONG), 10) < 64 << 10
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
        assert grows(lambda: quick(several(10_000 * LONG)), 10) < 256 << 10
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


def noted(runtime: weir.Runtime) -> int:
    """How much a runtime's queues hold by number: sites, listeners, attempts, calls, values."""
    queues = [bridge.queue for bridge in runtime._loops.values()] + runtime._queues()
    return sum(
        len(queue.sites) + len(queue.listeners) + len(queue.attempts) + len(queue.calls) + queue.out
        for queue in queues
    )


async def refuses() -> None:
    raise OSError("no")


# What is made, used and dropped, without being closed.
async def caches_and_flights() -> None:
    cache = weir.Cache(on_evict=lambda evicted: None)
    await cache.get("key", answer, 1)
    cache.put("other", object())
    await weir.Flight().run("key", answer, 1)


async def fallbacks() -> None:
    policy = weir.Pipeline(weir.Breaker(), weir.Fallback(lambda error: 1))
    assert await policy.run(refuses) == 1
    assert await weir.Fallback(value=object()).run(refuses) is not None


async def pools() -> None:
    weir.Pool(2, on_progress=lambda *told: None).add(answer, 1)
    with pytest.raises(weir.Invalid):
        weir.Pool(-7, on_progress=lambda *told: None)
    with pytest.raises(OSError):
        async with weir.Pool(2, on_progress=lambda *told: None) as pool:
            pool.add(refuses)


async def scopes() -> None:
    async with weir.Scope() as scope:
        scope.set("key", object())
        await scope.open(lambda: 1, lambda opened: None)
        with pytest.raises(OSError):
            await scope.open(refuses, lambda opened: None)
    with pytest.raises(weir.Closed):
        await scope.open(answer, lambda opened: None)


async def judged() -> None:
    await SHARED.run(1, policy=weir.Retry(classify=lambda *told: None))
    await SHARED.wrap(weir.Retry(classify=lambda *told: None)).run(1)


async def refused() -> None:
    for make in (
        lambda: weir.Chaos(failure=OSError(), failure_rate=7),
        lambda: weir.Breaker(failure_threshold=0, on_state_change=print),
        lambda: weir.Cache(max_entries=-7, on_evict=print),
    ):
        with pytest.raises(weir.Invalid):
            make()


SHARED = weir.operation(answer)


@pytest.mark.parametrize(
    "made",
    [caches_and_flights, fallbacks, pools, scopes, judged, refused],
    ids=lambda it: it.__name__,
)
def test_what_is_dropped_leaves_nothing_behind(made: Any) -> None:
    async def counts() -> int:
        for _ in range(20):
            await made()
        for _ in range(3):
            gc.collect()
            await weir.sleep(0.001)
        with weir.current_runtime() as runtime:
            weir.Fallback(value=1)  # home takes back what came
            return noted(runtime)

    async def main() -> List[int]:
        return [await counts() for _ in range(5)]

    with weir.Runtime() as runtime:
        windows = quick(main())
        grown = [after - before for before, after in zip(windows, windows[1:])]
        assert min(grown) <= 0, f"numbers that 20 rounds add, at least: {min(grown)}"
    assert runtime.close()


def test_an_operation_outlives_its_runtimes() -> None:
    async def main(runtime: weir.Runtime) -> None:
        assert await SHARED.run(1, runtime=runtime) == 1

    for _ in range(5):
        runtime = weir.Runtime()
        quick(main(runtime))
        assert runtime.close()
    gone = weakref.ref(runtime)
    with weir.Runtime() as another:
        quick(main(another))
        del runtime
        gc.collect()
        assert gone() is None
        assert len(SHARED._compiled) <= 2
    assert another.close()


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
