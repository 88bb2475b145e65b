# SPDX-License-Identifier: MIT
"""The helpers of weir for threads without an event loop: ``weir.blocking.retry(f)``, ``parallel(tasks)`` ...

Functions are plain ones. Those of retry and timeout run on the calling thread; where several are going on at once
(race, parallel, hedge), on the threads of a pool.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence

from ._flow import _parallel_options, _policy, _source, _unpacked
from ._operations import (
    Each,
    Parallel,
    Work,
    all_of,
    all_settled_of,
    poll_of,
    race_of,
    sleep_of,
    waterfall_of,
)
from ._policies import Hedge, Retry, Timeout
from ._runtime import Runtime


def retry(function: Callable[..., Any], /, *args: Any, **options: Any) -> Any:
    """Tries until it succeeds. The options are weir.Retry's."""
    return _policy(Retry, options).call(function, *args)


def timeout(seconds: Any, function: Callable[..., Any], /, *args: Any, **options: Any) -> Any:
    """TimedOut if it took longer; a function on the calling thread is not interrupted (see weir.current_attempt)."""
    return _policy(Timeout, {"timeout": seconds, **options}).call(function, *args)


def hedge(function: Callable[..., Any], /, *args: Any, **options: Any) -> Any:
    """Another copy of what is slow. The options are weir.Hedge's."""
    return _policy(Hedge, options).call(function, *args)


def race(
    tasks: Sequence[Work], *, first_settled: bool = False, deadline: Any = None, **options: Any
) -> Any:
    """The first success; AggregateError when all have failed."""
    return race_of(tasks, first_settled=first_settled).call(deadline=deadline, **options)


def all(tasks: Sequence[Work], *, deadline: Any = None, **options: Any) -> List[Any]:
    """All at once: their values in order, or the first failure."""
    values: List[Any] = all_of(tasks).call(deadline=deadline, **options)
    return values


def all_settled(tasks: Sequence[Work], *, deadline: Any = None, **options: Any) -> List[Any]:
    """All at once: their values, and exceptions where they failed, in order."""
    values: List[Any] = all_settled_of(tasks).call(deadline=deadline, **options)
    return values


def waterfall(
    steps: Sequence[Work], value: Any = None, *, deadline: Any = None, **options: Any
) -> Any:
    """One after the other, each called with the value of the one before."""
    return waterfall_of(steps).call(value, deadline=deadline, **options)


def poll(
    function: Work,
    *,
    interval: Any,
    until: Optional[Callable[[Any], Any]] = None,
    max_attempts: Optional[int] = None,
    max_elapsed: Any = None,
    deadline: Any = None,
    runtime: Optional[Runtime] = None,
) -> Any:
    """Calls it again and again until ``until(value)`` is true: that value."""
    work = poll_of(
        function, interval=interval, until=until, max_attempts=max_attempts, max_elapsed=max_elapsed
    )
    return work.call(deadline=deadline, runtime=runtime)


def sleep(seconds: Any, value: Any = None, *, runtime: Optional[Runtime] = None) -> Any:
    """Waits on the runtime's clock; gives ``value``."""
    return sleep_of(seconds, value).call(runtime=runtime)


def parallel(
    tasks: Iterable[Callable[[], Any]],
    *,
    concurrency: Optional[int] = 5,
    item_timeout: Any = None,
    stop_on_error: bool = True,
    policy: Any = None,
    deadline: Any = None,
    runtime: Optional[Runtime] = None,
) -> List[Any]:
    """Runs functions, at most ``concurrency`` at once: their values in order."""
    options: Dict[str, Any] = _parallel_options(
        concurrency, item_timeout, stop_on_error, policy, None, None
    )
    values: List[Any] = Parallel(list(tasks), options).call(deadline=deadline, runtime=runtime)
    return values


def parallel_map(
    function: Callable[[Any], Any],
    items: Iterable[Any],
    *,
    concurrency: Optional[int] = 5,
    item_timeout: Any = None,
    stop_on_error: bool = True,
    policy: Any = None,
    deadline: Any = None,
    runtime: Optional[Runtime] = None,
) -> List[Any]:
    """Calls ``function(item)`` for each, at most ``concurrency`` at once: the results in order."""
    known = items if isinstance(items, Sequence) else None
    options: Dict[str, Any] = _parallel_options(
        concurrency, item_timeout, stop_on_error, policy, None, None
    )
    work = Each(_unpacked(function), known, _source(items) if known is None else None, options)
    values: List[Any] = work.call(deadline=deadline, runtime=runtime)
    return values
