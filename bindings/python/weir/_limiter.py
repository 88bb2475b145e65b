# SPDX-License-Identifier: MIT
"""The limiter as a policy, as a decide door, and as a context manager that waits its turn."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any, List, Optional

from . import _weir
from ._bridge import PLAIN, AsyncCall, BlockingCall
from ._judge import Classify, check_functions, judges
from ._policies import KINDS, Policy, runtime_or_current
from ._runtime import Runtime


class Limiter(Policy, _weir.Limiter):
    """Bounds how often, how many at once, or both; what is over the limit waits its turn, or is refused (Limited).

    permits, interval  so many in any so many seconds: ``Limiter(100, 60)``; ``burst`` at once (default: permits)
    max_concurrent     so many at once
    algorithm          'token_bucket' (default), 'fixed_window' or 'sliding_window'
    max_queue          runs that may wait; default 1024, None: no bound
    queue_timeout      seconds a run waits at most; None (default): no bound
    queue_order        'fifo' (default) or 'priority'
    max_keys           for limits by key (``limiter.using(key=...)``): keys at most; 0 (default): not keyed
    key_overflow       'deny' (default) or 'evict'
    adaptive           'off' (default), 'aimd' or 'gradient', with adaptive_min, adaptive_max, adaptive_latency,
                       adaptive_backoff and adaptive_tolerance
    early_release      whether the permit of a run that was stopped returns at once, not when its work has ended

    As a policy it is around a run. ``async with limiter:`` and ``with limiter:`` wait for a permit and hold it for the
    block. ``try_acquire()`` decides at once.
    """

    def __init__(
        self,
        permits: Optional[int] = None,
        interval: Any = None,
        *,
        burst: Optional[int] = None,
        max_concurrent: Optional[int] = None,
        algorithm: str = "token_bucket",
        max_queue: Optional[int] = 1024,
        queue_timeout: Any = None,
        queue_order: str = "fifo",
        max_keys: int = 0,
        key_overflow: str = "deny",
        adaptive: str = "off",
        adaptive_min: int = 1,
        adaptive_max: int = 1000,
        adaptive_latency: Any = None,
        adaptive_backoff: float = 0.9,
        adaptive_tolerance: float = 1.5,
        early_release: bool = False,
        classify: Optional[Classify] = None,
        failures: Any = None,
        name: Optional[str] = None,
        runtime: Optional[Runtime] = None,
    ) -> None:
        check_functions("limiter", classify=classify)
        super().__init__(
            runtime_or_current(runtime),
            permits=permits,
            interval=interval,
            burst=burst,
            max_concurrent=max_concurrent,
            algorithm=algorithm,
            max_queue=max_queue,
            queue_timeout=queue_timeout,
            queue_order=queue_order,
            max_keys=max_keys,
            key_overflow=key_overflow,
            adaptive=adaptive,
            adaptive_min=adaptive_min,
            adaptive_max=adaptive_max,
            adaptive_latency=adaptive_latency,
            adaptive_backoff=adaptive_backoff,
            adaptive_tolerance=adaptive_tolerance,
            early_release=int(early_release),
            failures=failures,
            name=name,
        )
        self._judged_by(judges(classify))
        self._held: contextvars.ContextVar[List[Any]] = contextvars.ContextVar("weir.limiter")

    def add_limit(
        self,
        permits: int,
        interval: Any,
        *,
        burst: Optional[int] = None,
        algorithm: str = "token_bucket",
    ) -> "Limiter":
        """One rate more, so that all have to grant: ``Limiter(10, 1).add_limit(1000, 3600)``."""
        self._add_limit(permits=permits, interval=interval, burst=burst, algorithm=algorithm)
        return self

    def set_options(self, **options: Any) -> None:
        """Replaces all numbers, live; what is not named has its default again. What is used stays used."""
        self._set_options(**options)

    def slot(
        self, *, permits: int = 1, key: Any = None, priority: int = 31, deadline: Any = None
    ) -> "Slot":
        """``async with limiter.slot(permits=3):`` as ``async with limiter:``, with options."""
        return Slot(self, (deadline, key, None, permits, priority, None))

    async def __aenter__(self) -> "Limiter":
        slot = self.slot()
        await slot.__aenter__()
        self._held.set([*self._held.get([]), slot])
        return self

    async def __aexit__(self, *exc: Any) -> None:
        *rest, slot = self._held.get([])
        self._held.set(rest)
        await slot.__aexit__(*exc)

    def __enter__(self) -> "Limiter":
        slot = self.slot()
        slot.__enter__()
        self._held.set([*self._held.get([]), slot])
        return self

    def __exit__(self, *exc: Any) -> None:
        *rest, slot = self._held.get([])
        self._held.set(rest)
        slot.__exit__(*exc)


class _SlotCall(AsyncCall):
    """Its attempt is the block: it begins when the permit is there, and its token completes when the block ends."""

    __slots__ = ("token",)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.token = 0

    def start(self, queue: Any, token: int, number: int) -> None:
        self.token = token
        if self.future.done():  # the waiting task was cancelled
            queue.complete(token, None)
        else:
            self.future.set_result(None)

    def resolve(self, value: Any) -> None:
        pass

    def reject(self, exception: BaseException) -> None:
        super().reject(exception)


class _BlockingSlotCall(BlockingCall):
    __slots__ = ("token",)

    def start(self, queue: Any, token: int, number: int) -> None:
        self.token, self.done = token, True

    def resolve(self, value: Any) -> None:
        pass


class Slot:
    """A permit of a limiter, held for a block."""

    __slots__ = ("_limiter", "_rare", "_call", "_queue")

    def __init__(self, limiter: Limiter, rare: Any) -> None:
        self._limiter, self._rare = limiter, rare
        self._call: Any = None
        self._queue: Any = None

    async def __aenter__(self) -> "Slot":
        bridge = self._limiter.runtime._loop_bridge(asyncio.get_running_loop())
        call = _SlotCall(bridge.loop.create_future(), None, (), None, PLAIN)
        bridge.queue.run(call, None, self._limiter, call, *self._rare)
        await bridge.finish_slot(call)
        self._call, self._queue = call, bridge.queue
        return self

    async def __aexit__(self, kind: Any, exception: Any, traceback: Any) -> None:
        self._end(exception)

    def __enter__(self) -> "Slot":
        bridge = self._limiter.runtime._thread_bridge()
        call = _BlockingSlotCall(None, (), None, PLAIN)
        bridge.queue.run(call, None, self._limiter, call, *self._rare)
        bridge.finish(call)
        self._call, self._queue = call, bridge.queue
        return self

    def __exit__(self, kind: Any, exception: Any, traceback: Any) -> None:
        self._end(exception)

    def _end(self, exception: Optional[BaseException]) -> None:
        if exception is None:
            self._queue.complete(self._call.token, None)
        else:
            PLAIN.fail(self._queue, self._call.token, exception)


def bulkhead(
    max_concurrent: int,
    queue_limit: Optional[int] = 0,
    *,
    name: Optional[str] = None,
    runtime: Optional[Runtime] = None,
) -> Limiter:
    """A limiter of concurrency alone: so many at once, a queue before them, the rest is refused."""
    return Limiter(max_concurrent=max_concurrent, max_queue=queue_limit, name=name, runtime=runtime)


KINDS[3] = Limiter
