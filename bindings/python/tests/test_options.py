# SPDX-License-Identifier: MIT
"""Bad options and arguments: told at once, by the names, units and words of this package."""

from __future__ import annotations

import asyncio
import datetime
from typing import Any, Callable, Dict

import pytest

import weir
from weir import blocking, operations


def paced(make: Any, **options: Any) -> Any:
    return make(**options)(print)


FUNCTIONS: Dict[str, Callable[[], Any]] = {
    "cache.weigh": lambda: weir.Cache(weigh=3),  # type: ignore[arg-type]
    "cache.lifetime": lambda: weir.Cache(lifetime=3),  # type: ignore[arg-type]
    "cache.on_evict": lambda: weir.Cache(on_evict=3),  # type: ignore[arg-type]
    "cache.key": lambda: weir.memoize(key=3),
    "debounce.key": lambda: paced(weir.debounce, key=3),
    "throttle.key": lambda: paced(weir.throttle, key=3),
    "retry.should_retry": lambda: weir.Retry(should_retry=3),  # type: ignore[arg-type]
    "retry.retry_value": lambda: weir.Retry(retry_value=3),  # type: ignore[arg-type]
    "retry.on_retry": lambda: weir.Retry(on_retry=3),  # type: ignore[arg-type]
    "retry.classify": lambda: weir.Retry(classify=3),  # type: ignore[arg-type]
    "hedge.classify": lambda: weir.Hedge(1, classify=3),  # type: ignore[arg-type]
    "fallback.function": lambda: weir.Fallback(3),
    "fallback.classify": lambda: weir.Fallback(value=3, classify=3),  # type: ignore[arg-type]
    "breaker.classify": lambda: weir.Breaker(classify=3),  # type: ignore[arg-type]
    "breaker.on_state_change": lambda: weir.Breaker(on_state_change=3),  # type: ignore[arg-type]
    "limiter.classify": lambda: weir.Limiter(1, 1, classify=3),  # type: ignore[arg-type]
    "pool.on_progress": lambda: weir.Pool(on_progress=3),  # type: ignore[arg-type]
    "poll.until": lambda: operations.poll(print, interval=1, until=3),  # type: ignore[arg-type]
    "operation.function": lambda: operations.operation(3),  # type: ignore[arg-type]
    "operation.classify": lambda: operations.operation(print, classify=3),  # type: ignore[arg-type]
    "parallel.on_progress": lambda: asyncio.run(weir.parallel([print], on_progress=3)),  # type: ignore[arg-type]
    "parallel_map.function": lambda: blocking.parallel_map(3, [1]),  # type: ignore[arg-type]
    "scope.close": lambda: weir.Scope().open_now(print, 3),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("option", FUNCTIONS)
def test_what_must_be_a_function_is_looked_at_when_it_is_given(option: str) -> None:
    with pytest.raises(
        TypeError, match=rf"^{option} must be a function( or exception types)?, not 3$"
    ):
        FUNCTIONS[option]()


def test_exception_types_are_looked_at_as_well() -> None:
    for bad in (int, (OSError, 3), (OSError, int)):
        with pytest.raises(
            TypeError, match="retry.should_retry must be a function or exception types"
        ):
            weir.Retry(should_retry=bad)  # type: ignore[arg-type]
    weir.Retry(should_retry=(OSError, KeyError)), weir.Retry(should_retry=OSError)
    for decorate in (weir.debounce(1), weir.retry(), weir.cache(), weir.Flight()):
        with pytest.raises(TypeError, match="what is decorated must be a function, not 3"):
            decorate(3)


MESSAGES: Dict[str, Callable[[], Any]] = {
    "cache.ttl must be at least 0, or None for forever (got -1)": lambda: weir.Cache(ttl=-1),
    "cache.ttl must be at least 0, or None for forever (got -1.5)": lambda: weir.Cache(
        ttl=datetime.timedelta(seconds=-1.5)
    ),
    "cache.idle must be at least 0, or None for off (got less than 0)": lambda: weir.Cache(
        idle=-0.0005
    ),
    "cache.refresh must not exceed ttl (got 400 and 300)": lambda: weir.Cache(refresh=400),
    "cache.max_entries must be at least 0, or None for unlimited (got -2)": lambda: weir.Cache(
        max_entries=-2
    ),
    "cache.shards cannot be -1": lambda: weir.Cache(shards=-1),
    "cache.ttl cannot be nan": lambda: weir.Cache(ttl=float("nan")),
    "debounce.max_wait must be at least wait, or None for forever (got 0.5)": lambda: paced(
        weir.debounce, wait=1, max_wait=0.5
    ),
    "throttle.interval must be at least 0, or None for forever (got -1)": lambda: paced(
        weir.throttle, interval=-1
    ),
    "timeout.timeout is required: at least 0, or None for forever (got -1)": lambda: weir.Timeout(
        -1
    ),
    "hedge.delay is required without a quantile: at least 0": lambda: weir.Hedge(),
    "budget.window must be at least 0.01 (got 0.001)": lambda: weir.Budget(window=0.001),
    "limiter.permits and interval must be given together (got 5 and None)": lambda: weir.Limiter(
        5, None
    ),
    "limiter.interval must be at least 0.001 (got 0)": lambda: weir.Limiter(1, 0),
    "breaker.max_reset_timeout must be at least reset_timeout (got 1 and 2.5)": lambda: (
        weir.Breaker(reset_timeout=2.5, max_reset_timeout=1)
    ),
    "chaos.phases[1].until must be above from, or None for forever (got 1 and 2)": lambda: (
        weir.Chaos(phases=[(0, 1, "failure", 0.5), (2, 1, "failure", 0.5)])
    ),
    "run.deadline must be at least 0, or None for forever (got -1)": lambda: (
        weir.Retry().using(deadline=-1).call(print)
    ),
    "sleep.seconds must be at least 0, or None for forever (got -1)": lambda: blocking.sleep(-1),
    "retry.multiplier must be from 1 to 1000 (got 0.1)": lambda: weir.Retry(multiplier=0.1),
    "retry.max_attempts must be at least 1, or None for unlimited (got 0)": lambda: weir.Retry(
        max_attempts=0
    ),
    "ttl must be at least 0, or None (got -1)": lambda: weir.Cache().put("k", 1, ttl=-1),
    "elapsed must be at least 0, or None (got -0.001)": lambda: weir.Breaker().report(1, 1, -0.001),
}


@pytest.mark.parametrize("message", MESSAGES)
def test_messages_have_the_names_and_units_of_this_package(message: str) -> None:
    with pytest.raises(ValueError) as caught:
        MESSAGES[message]()
    assert str(caught.value) == message


def test_a_live_change_is_told_of_in_the_same_words() -> None:
    budget = weir.Budget(window=10)
    with pytest.raises(weir.Invalid, match=r"^budget.window cannot change \(is 10, got 20.5\)$"):
        budget.set_options(window=20.5)


def test_a_key_that_is_too_long_says_so() -> None:
    cache, fresh = weir.Cache(), weir.Cache(refresh=1)
    key = "k" * (1 << 24)
    cache.put(key[1:], 1)
    assert cache.lookup(key[1:]) == 1

    def load(*_: Any) -> Any:
        raise AssertionError("it is not loaded")

    uses: Any = (
        lambda: cache.put(key, 1),
        lambda: cache.put_if_absent(key, 1),
        lambda: cache.lookup(key),
        lambda: cache.touch(key, 1),
        lambda: cache.invalidate(key),
        lambda: cache.call(key, load),
        lambda: fresh.call(key.encode(), load),
        lambda: asyncio.run(fresh.get(key, load)),
        lambda: asyncio.run(cache.get_many(["a", key], load)),
    )
    for use in uses:
        with pytest.raises(
            weir.Invalid,
            match=r"^a key of a cache must be at most 16777215 bytes \(got 16777216\)$",
        ):
            use()
