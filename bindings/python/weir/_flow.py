# SPDX-License-Identifier: MIT
"""The helpers that users know: ``await retry(f)``, ``parallel(tasks)``, ``race([...])``, ``poll``, ``waterfall``.

Without a function, ``retry(...)``, ``timeout(...)`` and their like give a policy: ``@retry(max_attempts=5)``.
"""

from __future__ import annotations

import functools
from typing import (
    Any, AsyncIterable, Awaitable, Callable, Dict, Iterable, List, Optional, Sequence, Tuple, TypeVar, Union,
)  # fmt: skip

from ._judge import ShouldRetry
from ._operations import (
    Each, Operation, Parallel, Work, all_of, all_settled_of, any_of, as_operation, poll_of, race_of, sleep_of,
    waterfall_of,
)  # fmt: skip
from ._policies import Fallback, Hedge, Policy, Retry, Timeout
from ._runtime import Runtime, current_runtime

T = TypeVar("T")
_made: "Dict[Any, Policy]" = {}


def _policy(kind: Any, options: Dict[str, Any]) -> Any:
    """A policy for a single call. One of the same numbers is made once for each runtime, while it is used."""
    runtime = options.pop("runtime", None) or current_runtime()
    try:
        key = (kind, runtime, tuple(sorted(options.items())))
        found = _made.get(key)
    except TypeError:  # something that has no hash or order
        return kind(runtime=runtime, **options)
    if found is None or found.runtime.closed:
        if len(_made) >= 256:
            _made.clear()
        found = _made[key] = kind(runtime=runtime, **options)
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
    tasks: Sequence[Work], *, first_settled: bool = False, deadline: Any = None, name: Optional[str] = None,
    runtime: Optional[Runtime] = None,
) -> Any:  # fmt: skip
    """The first success; the others are cancelled. AggregateError when all have failed, TimedOut at the deadline.

    tasks          functions of no argument, operations or awaitables
    first_settled  the first that ends in any way, not the first success
    """
    return await race_of(tasks, first_settled=first_settled, name=name).run(deadline=deadline, runtime=runtime)


async def any(
    tasks: Sequence[Work], *, deadline: Any = None, name: Optional[str] = None, runtime: Optional[Runtime] = None
) -> Any:
    """The first success of several: race() by its other name."""
    return await any_of(tasks, name=name).run(deadline=deadline, runtime=runtime)


async def all(
    tasks: Sequence[Work], *, deadline: Any = None, name: Optional[str] = None, runtime: Optional[Runtime] = None
) -> List[Any]:
    """All at once: their values in order; the first failure is raised and the others are cancelled."""
    values: List[Any] = await all_of(tasks, name=name).run(deadline=deadline, runtime=runtime)
    return values


async def all_settled(
    tasks: Sequence[Work], *, deadline: Any = None, name: Optional[str] = None, runtime: Optional[Runtime] = None
) -> List[Any]:
    """All at once: their values, and exceptions where they failed, in order."""
    values: List[Any] = await all_settled_of(tasks, name=name).run(deadline=deadline, runtime=runtime)
    return values


async def waterfall(
    steps: Sequence[Work], value: Any = None, *, deadline: Any = None, name: Optional[str] = None,
    runtime: Optional[Runtime] = None,
) -> Any:  # fmt: skip
    """One after the other, each called with the value of the one before; the first with ``value``."""
    return await waterfall_of(steps, name=name).run(value, deadline=deadline, runtime=runtime)


async def poll(
    function: Work, *, interval: Any, until: Optional[Callable[[Any], Any]] = None,
    max_attempts: Optional[int] = None, max_elapsed: Any = None, deadline: Any = None, name: Optional[str] = None,
    runtime: Optional[Runtime] = None,
) -> Any:  # fmt: skip
    """Calls it again ``interval`` seconds after it ended, until ``until(value)`` is true: that value.

    What it raises is tolerated. When no further try is allowed: the last exception, or Exhausted with the last value.
    """
    work = poll_of(
        function, interval=interval, until=until, max_attempts=max_attempts, max_elapsed=max_elapsed, name=name
    )
    return await work.run(deadline=deadline, runtime=runtime)


async def sleep(seconds: Any, value: Any = None, *, runtime: Optional[Runtime] = None) -> Any:
    """Waits on the runtime's clock, which may be virtual; gives ``value``."""
    return await sleep_of(seconds, value).run(runtime=runtime)


# --- parallel -----------------------------------------------------------------------------------------------------

Progress = Callable[[int, Optional[int]], Any]


class _Counter:
    """Wraps a parallel's work to tell progress: how many have ended, of how many."""

    def __init__(self, tell: Progress, total: Optional[int]) -> None:
        self.tell, self.total, self.done = tell, total, 0

    def item(self, told: Any) -> None:
        self.done += 1
        self.tell(self.done, self.total)


def _parallel_options(
    concurrency: Optional[int], item_timeout: Any, stop_on_error: bool, policy: Any, name: Optional[str]
) -> Dict[str, Any]:
    options: Dict[str, Any] = {"concurrency": concurrency, "item_timeout": item_timeout, "name": name}
    options["stop_on_error"] = int(stop_on_error)
    if policy is not None:
        options["policy"] = policy
    return options


def _told(work: Any, progress: Optional[_Counter]) -> Any:
    if progress is None or isinstance(work, Operation):
        return work
    return _Told(work, progress)


class _Told:
    def __init__(self, function: Callable[..., Any], progress: _Counter) -> None:
        self.function, self.progress = function, progress

    async def __call__(self, *args: Any) -> Any:
        try:
            result = self.function(*args) if callable(self.function) else self.function
            return await result if hasattr(type(result), "__await__") else result
        finally:
            self.progress.item(None)


async def parallel(
    tasks: "Union[Iterable[Work], AsyncIterable[Work]]", *, concurrency: Optional[int] = 5,
    item_timeout: Any = None, stop_on_error: bool = True, policy: Optional[Policy] = None,
    on_progress: Optional[Progress] = None, deadline: Any = None, name: Optional[str] = None,
    runtime: Optional[Runtime] = None,
) -> List[Any]:  # fmt: skip
    """Runs functions of no argument, at most ``concurrency`` at once: their values in order.

    tasks          a sequence; another iterable, also an asynchronous one, is asked for the next when there is room
    concurrency    at once; None: all
    item_timeout   seconds for each, its policy's waits included
    stop_on_error  the first failure is raised and stops the others (default); else the list has exceptions, too
    policy         around each
    on_progress    called with how many have ended, and of how many (None: nobody knows yet)
    """
    options = _parallel_options(concurrency, item_timeout, stop_on_error, policy, name)
    if isinstance(tasks, Sequence):
        counter = _Counter(on_progress, len(tasks)) if on_progress is not None else None
        work: Operation = Parallel([_told(task, counter) for task in tasks], options)
    else:
        counter = _Counter(on_progress, None) if on_progress is not None else None
        work = Each(_told(_call_it, counter), None, _source(tasks), options)
    values: List[Any] = await work.run(deadline=deadline, runtime=runtime)
    return values


async def parallel_map(
    function: Callable[[Any], Any], items: "Union[Iterable[Any], AsyncIterable[Any]]", *,
    concurrency: Optional[int] = 5, item_timeout: Any = None, stop_on_error: bool = True,
    policy: Optional[Policy] = None, on_progress: Optional[Progress] = None, deadline: Any = None,
    name: Optional[str] = None, runtime: Optional[Runtime] = None,
) -> List[Any]:  # fmt: skip
    """Calls ``function(item)`` for each, at most ``concurrency`` at once; otherwise as parallel()."""
    options = _parallel_options(concurrency, item_timeout, stop_on_error, policy, name)
    known = isinstance(items, Sequence)
    counter = None
    if on_progress is not None:
        counter = _Counter(on_progress, len(items) if isinstance(items, Sequence) else None)
    work = Each(_told(function, counter), items if known else None, None if known else _source(items), options)  # type: ignore[arg-type]
    values: List[Any] = await work.run(deadline=deadline, runtime=runtime)
    return values


async def _call_it(task: Any) -> Any:
    result = task() if callable(task) else task
    if isinstance(result, Operation):
        return await result.run()
    return await result if hasattr(type(result), "__await__") else result


class _Item:
    """An item that may be None, on its way through a source, whose end is None."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def _source(items: Any) -> Callable[[], Any]:
    """A function that gives the next item each time, and at the end None."""
    if hasattr(items, "__anext__") or hasattr(items, "__aiter__"):
        anext_ = items.__aiter__().__anext__

        async def ask() -> Any:
            try:
                return await anext_()
            except StopAsyncIteration:
                return None

        return ask
    iterator = iter(items)
    return functools.partial(next, iterator, None)


__all__ = [
    "all", "all_settled", "any", "fallback", "hedge", "parallel", "parallel_map", "poll", "race", "retry", "sleep",
    "timeout", "waterfall",
]  # fmt: skip
