# SPDX-License-Identifier: MIT
"""What the Python package costs: rows `name|value|unit|target|met or missed`. bench.py [--quick]"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any, Callable, List

import weir

QUICK = "--quick" in sys.argv
ROUNDS = 3 if QUICK else 15


def row(name: str, value: float, unit: str, target: str = "", met: Any = None) -> None:
    shown = f"{value:,.0f}" if value >= 1000 else f"{value:.2f}" if value < 10 else f"{value:.1f}"
    print(f"{name}|{shown}|{unit}|{target}|{'' if met is None else 'met' if met else 'missed'}")


def as_written(breaker: Any, count: int) -> float:
    began = time.perf_counter_ns()
    for _ in range(count):
        breaker.report(breaker.acquire())
    return (time.perf_counter_ns() - began) / count


def bare_as_written(breaker: Any, count: int) -> float:
    began = time.perf_counter_ns()
    for _ in range(count):
        breaker._bare_report(breaker._bare_acquire())
    return (time.perf_counter_ns() - began) / count


def pair_ns(acquire: Callable[[], Any], report: Callable[[Any], Any], count: int) -> float:
    began = time.perf_counter_ns()
    for _ in range(count):
        report(acquire())
    return (time.perf_counter_ns() - began) / count


def best_of(rounds: int, *measures: Callable[[], float]) -> List[float]:
    """The least of each, taken in turns, so that what else runs here hits all alike."""
    best = [float("inf")] * len(measures)
    for _ in range(rounds):
        for i, measure in enumerate(measures):
            best[i] = min(best[i], measure())
    return best


def decide() -> None:
    breaker: Any = weir.Breaker()
    limiter = weir.Limiter(1_000_000_000, 1)
    cache = weir.Cache()
    cache.put("a key of 16 byte", "value")
    count = 20_000 if QUICK else 100_000
    short = count // 10  # what disturbs the machine for a moment shall leave most rounds alone
    # Bare calls: methods of the same type by the same conventions, an int out, an int in and a bool out, with
    # nothing behind them. Both as a program writes them, and with methods that were looked up beforehand.
    forms = (
        (
            "",
            lambda: bare_as_written(breaker, short),
            lambda: as_written(breaker, short),
        ),
        (
            ", methods looked up before",
            lambda: pair_ns(breaker._bare_acquire, breaker._bare_report, short),
            lambda: pair_ns(breaker.acquire, breaker.report, short),
        ),
    )
    for form, bare_calls, calls in forms:
        bare, call = best_of(10 * ROUNDS, bare_calls, calls)
        met = call <= 1.2 * bare
        row(f"breaker acquire + report, two bare calls{form}", bare, "ns")
        row(f"breaker acquire + report{form}", call, "ns", "<= 1.2 x bare", met)
        row(f"breaker acquire + report / two bare calls{form}", call / bare, "x", "<= 1.2", met)
    many = best_of(
        ROUNDS, lambda: pair_ns(lambda: breaker.acquire_many(64), breaker.report_many, count // 64)
    )
    row("breaker acquire + report, batched by 64, a permit", many[0] / 64, "ns")

    def each(function: Callable[[], Any]) -> float:
        began = time.perf_counter_ns()
        for _ in range(count):
            function()
        return (time.perf_counter_ns() - began) / count

    row("limiter try_acquire", best_of(ROUNDS, lambda: each(limiter.try_acquire))[0], "ns")
    row(
        "cache lookup, hit",
        best_of(ROUNDS, lambda: each(lambda: cache.lookup("a key of 16 byte")))[0],
        "ns",
    )


async def nothing() -> None:
    return None


async def runs_per_second(run: Callable[[], Any], in_flight: int, total: int) -> float:
    async def worker() -> None:
        for _ in range(total // in_flight):
            await run()

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(in_flight)))
    return total // in_flight * in_flight / (time.perf_counter() - began)


async def runs() -> None:
    retry = weir.Retry()
    pipeline = weir.Pipeline(weir.Breaker(), weir.Retry(), weir.Timeout(5))
    loop = asyncio.get_running_loop()
    total = 10_000 if QUICK else 100_000

    async def task() -> None:
        await loop.create_task(nothing())

    async def best(run: Callable[[], Any], in_flight: int) -> float:
        return max([await runs_per_second(run, in_flight, total) for _ in range(2 if QUICK else 5)])

    row("asyncio task made and awaited, 1000 in flight", await best(task, 1000), "/s")
    rate = await best(lambda: retry.run(nothing), 1000)
    row("asyncio retry without failure, 1000 in flight", rate, "/s", ">= 80,000", rate >= 80_000)
    row(
        "asyncio retry without failure, 64 in flight",
        await best(lambda: retry.run(nothing), 64),
        "/s",
    )
    row(
        "asyncio breaker, retry, timeout, 1000 in flight",
        await best(lambda: pipeline.run(nothing), 1000),
        "/s",
    )
    row(
        "asyncio retry, one after the other",
        await runs_per_second(lambda: retry.run(nothing), 1, total // 10),
        "/s",
    )


def blocking() -> None:
    retry, count = weir.Retry(), 1000 if QUICK else 10_000
    began = time.perf_counter()
    for _ in range(count):
        retry.call(int)
    row("blocking retry, one after the other", count / (time.perf_counter() - began), "/s")


decide()
asyncio.run(runs())
blocking()
