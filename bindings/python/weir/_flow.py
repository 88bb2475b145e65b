# SPDX-License-Identifier: MIT
"""The helpers that users know: ``await retry(f)``, ``parallel(tasks)``, ``race([...])``, ``poll``, ``waterfall``.

Without a function, ``retry(...)``, ``timeout(...)`` and their like give a policy: ``@retry(max_attempts=5)``.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import (
    Any,
    AsyncIterable,
    Callable,
    Dict,
    Iterable,
    List,
    Optional,
    Sequence,
    Tuple,
    TypeVar,
    Union,
)

from ._judge import check_functions
from ._operations import (
    Each,
    Operation,
    Parallel,
    Work,
    all_of,
    all_settled_of,
    any_of,
    poll_of,
    race_of,
    sleep_of,
    waterfall_of,
)
from ._policies import Fallback, Hedge, Policy, Retry, Timeout, policies_of
from ._runtime import Runtime, current_runtime

T = TypeVar("T")
_users = itertools.count(1 << 32)


def _policy(kind: Any, options: Dict[str, Any]) -> Any:
    """A policy for a single call. One of the same numbers is made once, and kept with its runtime."""
    runtime = options.pop("runtime", None) or current_runtime()
    made = runtime._made
    try:
        key = (kind, tuple(sorted(options.items())))
        found = made.get(key)
    except TypeError:  # something that has no hash or order
        return kind(runtime=runtime, **options)
    if found is None:
        if len(made) >= 256:
            made.clear()
        found = made[key] = kind(runtime=runtime, **options)
    return found


def retry(function: Any = None, /, *args: Any, **options: Any) -> Any:
    """``await retry(function, max_attempts=5, backoff='exponential')``: tries until it succeeds.

    Without a function: the policy, which decorates. The options are Retry's. When it gives up, what the last try
    raised is raised.
    """
    if function is None:
        return Retry(**options)
    return _policy(Retry, options).run(function, *args)


def timeout(seconds: Any, function: Any = None, /, *args: Any, **options: Any) -> Any:
    """``await timeout(5, function)``, or ``@timeout(5)``: TimedOut after so many seconds."""
    if function is None:
        return Timeout(seconds, **options)
    return _policy(Timeout, {"timeout": seconds, **options}).run(function, *args)


def hedge(function: Any = None, /, *args: Any, **options: Any) -> Any:
    """``await hedge(function, delay=0.1)``, or ``@hedge(delay=0.1)``: another copy of what is slow."""
    if function is None:
        return Hedge(**options)
    return _policy(Hedge, options).run(function, *args)


def fallback(answer: Any = None, /, **options: Any) -> Fallback:
    """``@fallback(lambda error: [])`` or ``@fallback(value=None)``: answers in the place of what fails."""
    return Fallback(answer, **options)


async def race(
    tasks: Sequence[Work],
    *,
    first_settled: bool = False,
    deadline: Any = None,
    name: Optional[str] = None,
    runtime: Optional[Runtime] = None,
) -> Any:
    """The first success; the others are cancelled. AggregateError when all have failed, TimedOut at the deadline.

    tasks          functions of no argument, operations or awaitables
    first_settled  the first that ends in any way, not the first success
    """
    return await race_of(tasks, first_settled=first_settled, name=name).run(
        deadline=deadline, runtime=runtime
    )


async def any(
    tasks: Sequence[Work],
    *,
    deadline: Any = None,
    name: Optional[str] = None,
    runtime: Optional[Runtime] = None,
) -> Any:
    """The first success of several: race() by its other name."""
    return await any_of(tasks, name=name).run(deadline=deadline, runtime=runtime)


async def all(
    tasks: Sequence[Work],
    *,
    deadline: Any = None,
    name: Optional[str] = None,
    runtime: Optional[Runtime] = None,
) -> List[Any]:
    """All at once: their values in order; the first failure is raised and the others are cancelled."""
    values: List[Any] = await all_of(tasks, name=name).run(deadline=deadline, runtime=runtime)
    return values


async def all_settled(
    tasks: Sequence[Work],
    *,
    deadline: Any = None,
    name: Optional[str] = None,
    runtime: Optional[Runtime] = None,
) -> List[Any]:
    """All at once: their values, and exceptions where they failed, in order."""
    values: List[Any] = await all_settled_of(tasks, name=name).run(
        deadline=deadline, runtime=runtime
    )
    return values


async def waterfall(
    steps: Sequence[Work],
    value: Any = None,
    *,
    deadline: Any = None,
    name: Optional[str] = None,
    runtime: Optional[Runtime] = None,
) -> Any:
    """One after the other, each called with the value of the one before; the first with ``value``."""
    return await waterfall_of(steps, name=name).run(value, deadline=deadline, runtime=runtime)


async def poll(
    function: Work,
    *,
    interval: Any,
    until: Optional[Callable[[Any], Any]] = None,
    max_attempts: Optional[int] = None,
    max_elapsed: Any = None,
    deadline: Any = None,
    name: Optional[str] = None,
    runtime: Optional[Runtime] = None,
) -> Any:
    """Calls it again ``interval`` seconds after it ended, until ``until(value)`` is true: that value.

    What it raises is tolerated. When no further try is allowed: the last exception, or Exhausted with the last value.
    """
    work = poll_of(
        function,
        interval=interval,
        until=until,
        max_attempts=max_attempts,
        max_elapsed=max_elapsed,
        name=name,
    )
    return await work.run(deadline=deadline, runtime=runtime)


async def sleep(seconds: Any, value: Any = None, *, runtime: Optional[Runtime] = None) -> Any:
    """Waits on the runtime's clock, which may be virtual; gives ``value``."""
    return await sleep_of(seconds, value).run(runtime=runtime)


# --- parallel -----------------------------------------------------------------------------------------------------

Progress = Callable[[int, Optional[int]], Any]


class _Collector:
    """Hears of each item's end: tells progress and keeps the results, which are no list then."""

    def __init__(self, tell: Progress, total: Optional[int]) -> None:
        check_functions("parallel", on_progress=tell)
        self.tell, self.total = tell, total
        self.results: Dict[int, Any] = {}
        self.user = next(_users)

    def item(self, told: Tuple[int, bool, Any, int]) -> None:
        index, _, result, _ = told
        self.results[index] = result
        self.tell(len(self.results), self.total)

    def values(self) -> List[Any]:
        return [self.results[index] for index in sorted(self.results)]


async def _collect(
    work: Operation, collector: Optional[_Collector], deadline: Any, runtime: Any
) -> List[Any]:
    values: List[Any]
    if collector is None:
        values = await work.run(deadline=deadline, runtime=runtime)
        return values
    chosen = runtime or work.runtime or current_runtime()
    listeners = chosen._loop_bridge(asyncio.get_running_loop()).queue.listeners
    listeners[collector.user] = collector
    try:
        await work.run(deadline=deadline, runtime=chosen)
        return collector.values()
    finally:
        del listeners[collector.user]


def _parallel_options(
    concurrency: Optional[int],
    item_timeout: Any,
    stop_on_error: bool,
    policy: Any,
    name: Optional[str],
    collector: Optional[_Collector],
) -> Dict[str, Any]:
    options: Dict[str, Any] = {
        "concurrency": concurrency,
        "item_timeout": item_timeout,
        "name": name,
    }
    options["stop_on_error"] = int(stop_on_error)
    if policy is not None:
        options["policy"] = policies_of(policy)
    if collector is not None:
        options["user"] = collector.user
    return options


async def parallel(
    tasks: "Union[Iterable[Work], AsyncIterable[Work]]",
    *,
    concurrency: Optional[int] = 5,
    item_timeout: Any = None,
    stop_on_error: bool = True,
    policy: Optional[Policy] = None,
    on_progress: Optional[Progress] = None,
    deadline: Any = None,
    name: Optional[str] = None,
    runtime: Optional[Runtime] = None,
) -> List[Any]:
    """Runs functions of no argument, at most ``concurrency`` at once: their values in order.

    tasks          a sequence; another iterable, also an asynchronous one, is asked for the next when there is room
    concurrency    at once; None: all
    item_timeout   seconds for each, its policy's waits included
    stop_on_error  the first failure is raised and stops the others (default); else the list has exceptions, too
    policy         around each
    on_progress    called with how many have ended, and of how many (None: nobody knows yet)
    """
    total = len(tasks) if isinstance(tasks, Sequence) else None
    collector = _Collector(on_progress, total) if on_progress is not None else None
    options = _parallel_options(concurrency, item_timeout, stop_on_error, policy, name, collector)
    if isinstance(tasks, Sequence):
        return await _collect(Parallel(tasks, options), collector, deadline, runtime)
    return await _collect(
        Each(_call_it, None, _source(tasks), options), collector, deadline, runtime
    )


async def parallel_map(
    function: Callable[[Any], Any],
    items: "Union[Iterable[Any], AsyncIterable[Any]]",
    *,
    concurrency: Optional[int] = 5,
    item_timeout: Any = None,
    stop_on_error: bool = True,
    policy: Optional[Policy] = None,
    on_progress: Optional[Progress] = None,
    deadline: Any = None,
    name: Optional[str] = None,
    runtime: Optional[Runtime] = None,
) -> List[Any]:
    """Calls ``function(item)`` for each, at most ``concurrency`` at once; otherwise as parallel()."""
    known = items if isinstance(items, Sequence) else None
    collector = (
        _Collector(on_progress, None if known is None else len(known))
        if on_progress is not None
        else None
    )
    options = _parallel_options(concurrency, item_timeout, stop_on_error, policy, name, collector)
    work = Each(_unpacked(function), known, _source(items) if known is None else None, options)
    return await _collect(work, collector, deadline, runtime)


async def _call_it(item: "_Item") -> Any:
    task = item.value
    if isinstance(task, Operation):
        return await task.run()
    result = task() if callable(task) else task
    return await result if hasattr(type(result), "__await__") else result


class _Item:
    """An item that may be None, on its way through a source, whose end is None."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def _unpacked(function: Any) -> Any:
    """Gives an operation as it is, a function so that it takes items of a source, too."""
    if isinstance(function, Operation):
        return function
    check_functions("parallel_map", function=function)
    return lambda item: function(item.value if type(item) is _Item else item)


def _source(items: Any) -> Callable[[], Any]:
    """A function that gives the next item each time, and at the end None."""
    if hasattr(items, "__aiter__"):
        following = items.__aiter__().__anext__

        async def ask() -> Any:
            try:
                return _Item(await following())
            except StopAsyncIteration:
                return None

        return ask
    iterator = iter(items)

    def give() -> Any:
        for item in iterator:
            return _Item(item)
        return None

    return give


__all__ = [
    "all",
    "all_settled",
    "any",
    "fallback",
    "hedge",
    "parallel",
    "parallel_map",
    "poll",
    "race",
    "retry",
    "sleep",
    "timeout",
    "waterfall",
]
