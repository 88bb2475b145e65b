# SPDX-License-Identifier: MIT
"""Each family once or twice through the package's own forms; the rules themselves are the table's."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any, AsyncIterator, List

import pytest

import weir
from weir import operations, testing


def run(coroutine: Any) -> Any:
    return asyncio.run(coroutine)


def test_parallel_takes_functions_coroutines_and_generators() -> None:
    async def work(x: int) -> int:
        await asyncio.sleep(0.001)
        return x * x

    async def numbers() -> AsyncIterator[int]:
        for x in range(5):
            yield x

    async def main() -> None:
        assert await weir.parallel([lambda: work(2), lambda: 3], concurrency=2) == [4, 3]
        assert await weir.parallel([work(1), work(2)]) == [1, 4]
        assert await weir.parallel(lambda x=x: work(x) for x in range(20)) == [
            x * x for x in range(20)
        ]
        assert await weir.parallel_map(work, numbers()) == [0, 1, 4, 9, 16]
        assert await weir.parallel_map(lambda x: x, iter([None, 1, None])) == [None, 1, None]
        assert await weir.parallel([], concurrency=3) == []

    run(main())


def test_parallel_stops_at_the_first_error_and_tells_the_others() -> None:
    async def main() -> None:
        error, stopped = ValueError(), []

        async def hangs() -> None:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                stopped.append(1)
                raise

        async def fails() -> None:
            await asyncio.sleep(0.01)
            raise error

        with pytest.raises(ValueError) as caught:
            await weir.parallel([hangs, fails, hangs], concurrency=3)
        assert caught.value is error
        await asyncio.sleep(0.05)
        assert stopped == [1, 1]

    run(main())


def test_a_hedge_starts_a_copy_and_cancels_the_loser() -> None:
    async def main() -> None:
        async with testing.Runtime() as clock:
            starts = 0

            async def work() -> int:
                nonlocal starts
                starts += 1
                mine = starts
                await weir.sleep(10 if mine == 1 else 1)
                return mine

            hedge = weir.Hedge(0.5)
            assert await clock.finish(hedge.run(work)) == 2
            assert hedge.stats().won_by_hedge == 1

    run(main())


def test_a_blocking_hedge_runs_on_pool_threads() -> None:
    calls: List[int] = []
    over = threading.Event()

    def work() -> str:
        calls.append(1)
        if len(calls) > 1:
            return "copy"
        over.wait(60)
        return "first"

    assert weir.Hedge(0.05).call(work) == "copy"
    over.set()


def test_fallbacks_answer_with_values_and_functions() -> None:
    async def main() -> None:
        error = ValueError()

        async def fails() -> None:
            raise error

        assert await weir.Fallback(value=[]).run(fails) == []
        assert await weir.fallback(lambda e: e)(fails)() is error
        assert (
            await weir.Pipeline(weir.Fallback(lambda e: e), weir.Retry(max_attempts=1)).run(fails)
            is error
        )
        other = KeyError()

        def worse(e: Any) -> None:
            raise other

        with pytest.raises(KeyError) as caught:
            await weir.Fallback(worse).run(fails)
        assert caught.value is other and caught.value.__cause__ is error

    run(main())


def test_chaos_injects_what_it_is_told() -> None:
    async def main() -> None:
        error = OSError(5, "chaos")
        chaos = weir.Chaos(failure_rate=1.0, failure=error)
        with pytest.raises(OSError) as caught:
            await chaos.run(lambda: 1)
        assert caught.value is error
        chaos.enable(False)
        assert await chaos.run(lambda: 1) == 1
        assert chaos.stats().failed == 1

    run(main())


def test_caches_load_once_and_decide_at_once() -> None:
    async def main() -> None:
        cache = weir.Cache(ttl=60)
        loads = 0

        async def load(key: str) -> str:
            nonlocal loads
            loads += 1
            await asyncio.sleep(0.01)
            return key * 2

        assert await asyncio.gather(*(cache.get("k", load, "k") for _ in range(10))) == ["kk"] * 10
        assert loads == 1 and cache["k"] == "kk" and "k" in cache and len(cache) == 1
        cache.put("other", None, ttl=5)
        assert cache.lookup("other", "missing") is None
        assert cache.put_if_absent("other", 3) is None
        assert sorted(entry.key for entry in cache.entries()) == [b"k", b"other"]
        del cache["k"]
        with pytest.raises(KeyError):
            cache["k"]
        assert await cache.get_many(["a", b"b"], lambda keys: [k.decode() for k in keys]) == [
            "a",
            "b",
        ]
        failed = await cache.get_many(["x", "y"], lambda keys: [None, ValueError("y")])
        assert isinstance(failed[0], weir.NotFound) and isinstance(failed[1], ValueError)

    run(main())


def test_cached_values_are_given_back_when_they_leave() -> None:
    class Thing:
        pass

    import gc
    import weakref

    cache = weir.Cache(max_entries=10)
    seen = []
    for number in range(100):
        thing = Thing()
        seen.append(weakref.ref(thing))
        cache.put(str(number), thing)
    del thing
    cache.clear()
    cache.put("last", 1)
    gc.collect()
    assert [ref for ref in seen if ref() is not None] == []


def test_weights_and_lifetimes_of_entries() -> None:
    async def main() -> None:
        async with testing.Runtime() as clock:
            cache = weir.Cache(
                max_weight=10, weigh=len, lifetime=lambda v: 1 if v == "short" else ...
            )
            cache.put("a", "short")
            assert await cache.get("b", lambda: "long") == "long"
            assert cache["a"] == "short" and cache["b"] == "long" and cache.stats().weight == 9
            with pytest.raises(weir.Full):
                cache.put("c", "x" * 11)
            await clock.advance(2)
            assert "a" not in cache and cache["b"] == "long"

    run(main())


def test_cache_decorators_key_by_arguments() -> None:
    calls: List[Any] = []

    @weir.cache(ttl=300)
    async def profile(user: int, *, full: bool = False) -> str:
        calls.append((user, full))
        return f"{user}{full}"

    @weir.memoize
    def square(x: int) -> int:
        calls.append(x)
        return x * x

    async def main() -> None:
        assert await profile(1) == await profile(1) == "1False"
        assert await profile(1, full=True) == "1True"
        assert profile.invalidate(1)
        await profile(1)

    run(main())
    assert calls == [(1, False), (1, True), (1, False)]
    assert [square(3), square(3)] == [9, 9] and calls[-1] == 3 and len(calls) == 4
    with pytest.raises(TypeError, match="key="):
        weir.key_of(object())
    assert weir.key_of(1) != weir.key_of("1") != weir.key_of(b"1") and weir.key_of(
        1
    ) != weir.key_of(True)


def test_a_lifetime_that_is_over_keeps_nothing() -> None:
    for lifetime, kept in ((-0.001, False), (-5, False), (0, False), (5, True), (None, True)):
        cache = weir.Cache(lifetime=lambda value, lifetime=lifetime: lifetime)
        cache.put("a", 1)
        assert ("a" in cache) == kept


def test_a_cache_wants_a_key() -> None:
    cache = weir.Cache()
    for key in (None, 1, ("a", 1)):
        for use in (cache.lookup, cache.invalidate, lambda key: cache.put(key, 1)):
            with pytest.raises(TypeError, match="a key must be str or bytes"):
                use(key)  # type: ignore[operator]
    cache.put(bytearray(b"a"), 1)
    cache.put("", 2)
    assert cache.lookup("a") == 1 and cache.lookup("") == 2


def test_single_flight_shares_and_keeps_nothing() -> None:
    async def main() -> None:
        flight, runs = weir.Flight(), 0

        async def work() -> int:
            nonlocal runs
            runs += 1
            await asyncio.sleep(0.01)
            return runs

        assert await asyncio.gather(*(flight.run("k", work) for _ in range(5))) == [1] * 5
        assert await flight.run("k", work) == 2

    run(main())


def test_throttle_shares_and_flush_runs_now() -> None:
    async def main() -> None:
        async with testing.Runtime() as clock:
            runs: List[str] = []

            @weir.throttle(1.0)
            async def save(text: str) -> str:
                runs.append(text)
                return text

            assert await save("a") == "a"
            later = asyncio.ensure_future(save("b")), asyncio.ensure_future(save("c"))
            await clock.advance(1)
            assert [await task for task in later] == ["c", "c"] and runs == ["a", "c"]
            last = asyncio.ensure_future(save("d"))
            await clock.settle()
            assert save.pending == 1
            save.flush()
            await clock.settle()
            assert await last == "d"

    run(main())


async def free(limiter: weir.Limiter) -> bool:
    """Permits come back on weir's thread, soon after the block has ended."""
    for _ in range(500):
        if limiter.stats().concurrent == 0:
            return True
        await asyncio.sleep(0.002)
    return False


def test_limiters_wait_in_turn_and_by_key() -> None:
    async def main() -> None:
        limiter = weir.Limiter(max_concurrent=1)
        order: List[int] = []

        async def use(number: int) -> None:
            async with limiter:
                order.append(number)
                await asyncio.sleep(0.001)

        await asyncio.gather(*(use(number) for number in range(20)))
        assert order == list(range(20)) and await free(limiter)
        waiting = asyncio.ensure_future(use(1))
        async with limiter:
            gives_up = asyncio.ensure_future(use(99))
            await asyncio.sleep(0.01)
            gives_up.cancel()
            with pytest.raises(asyncio.CancelledError):
                await gives_up
        await waiting
        assert await free(limiter)
        keyed = weir.Limiter(1, 60, max_keys=100, max_queue=0)
        assert keyed.try_acquire(1, "ada") == 0 and keyed.try_acquire(1, "bob") == 0
        assert keyed.try_acquire(1, "ada") is None
        with pytest.raises(weir.Limited):
            await keyed.using(key="ada").run(lambda: 1)

    run(main())
    limiter = weir.Limiter(10, 1).add_limit(3, 60)
    assert [limiter.try_acquire() for _ in range(4)] == [0, 0, 0, None]


def test_scopes_cancel_close_and_end() -> None:
    async def main() -> None:
        events: List[str] = []
        with pytest.raises(RuntimeError, match="block"):
            async with weir.Scope(name="s") as scope:
                await scope.open(lambda: "db", lambda value: events.append(f"close {value}"))
                task = scope.start(asyncio.sleep, 60)
                await asyncio.sleep(0.02)
                raise RuntimeError("block")
        with pytest.raises(weir.Cancelled):
            await task
        assert events == ["close db"] and scope.stats().state == "ended"
        with pytest.raises(weir.Closed):
            await scope.run(lambda: 1)

    run(main())
    with weir.Scope() as scope:
        scope["x"] = b"bytes"
        assert scope.call(lambda: weir.current_attempt().scope["x"]) == b"bytes"  # type: ignore[union-attr]


def test_pools_keep_errors_when_told() -> None:
    async def main() -> None:
        async with weir.Pool(2, stop_on_error=False) as pool:
            pool.add(lambda: 1)
            pool.add(lambda: 1 / 0)
        assert pool.results[0] == 1 and isinstance(pool.results[1], ZeroDivisionError)
        with pytest.raises(weir.Closed):
            pool.add(lambda: 1)

    run(main())


def test_operations_compose_and_tell_outcomes() -> None:
    async def main() -> None:
        async with testing.Runtime() as clock:
            tries = 0

            async def flaky(value: Any) -> int:
                nonlocal tries
                tries += 1
                if tries < 3:
                    raise ConnectionError
                return tries + value

            both = operations.waterfall([lambda x: x + 1, operations.operation(flaky)])
            work = both.wrap(weir.Retry(max_attempts=5))
            outcome = await clock.finish(work.outcome(10))
            assert (outcome.channel, outcome.value) == ("value", 14)
            slow = operations.race([operations.sleep(5, "late"), operations.sleep(1, "soon")])
            assert await clock.finish(slow.run()) == "soon"

    run(main())


def until_cancelled() -> None:
    attempt = weir.current_attempt()
    while attempt is not None and not attempt.cancelled:
        time.sleep(0.001)


def test_blocking_helpers() -> None:
    from weir import blocking

    assert blocking.retry(lambda: 1) == 1
    over = threading.Event()
    assert blocking.race([lambda: over.wait(60), lambda: 2]) == 2
    over.set()
    assert blocking.parallel([lambda: 1, lambda: 2]) == [1, 2]
    assert blocking.parallel_map(lambda x: x + 1, range(100), concurrency=10) == list(range(1, 101))
    assert blocking.waterfall([lambda x: x + 1, str], 1) == "2"
    assert blocking.all_settled([lambda: 1, lambda: 1 / 0])[0] == 1
    assert blocking.poll(iter([1, 2, 3]).__next__, interval=0.001, until=lambda x: x == 3) == 3
    assert blocking.sleep(0.001, "x") == "x"
    with pytest.raises(weir.TimedOut):
        blocking.timeout(0.02, until_cancelled)


def test_the_retry_decide_door_and_budgets() -> None:
    budget = weir.Budget(ratio=0.0, min_per_second=0.1, window=10)
    assert budget.try_withdraw() and not budget.try_withdraw()
    with pytest.raises(weir.Limited):
        budget.withdraw()
    tries = weir.Retry(max_attempts=2, base_delay=1, jitter="none").begin()
    assert tries.next(weir.FAILURE) == (1.0, "")
    assert tries.next(weir.FAILURE) == (None, "attempts")


def test_paced_functions_change_their_durations_and_have_labels() -> None:
    async def main() -> None:
        async with testing.Runtime(metrics=True) as clock:
            runs: List[str] = []

            @weir.debounce(1.0, name="save")
            async def save(text: str) -> None:
                runs.append(text)

            save.set_label("document", "notes")
            save.set_options(wait=3.0, max_wait=5)
            first = asyncio.ensure_future(save("a"))
            await clock.advance(2)
            assert runs == []
            await clock.advance(1)
            assert runs == ["a"] and first.done()
            save.set_options(wait=0.5)
            second = asyncio.ensure_future(save("b"))
            await clock.advance(0.5)
            assert runs == ["a", "b"] and second.done()
            assert 'document="notes"' in clock.metrics()
            with pytest.raises(TypeError, match="can be changed"):
                save.set_options(interval=1)
            with pytest.raises(weir.Invalid):
                save.set_options(wait=-1)
            with pytest.raises(weir.Exists):
                save.set_label("document", "again")
            both = operations.race([lambda: 1, lambda: 2], name="pair")
            both.set_label("region", "eu")
            assert await clock.finish(both.run()) == 1
            assert 'region="eu"' in clock.metrics()

    asyncio.run(main())
