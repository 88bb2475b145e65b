# SPDX-License-Identifier: MIT
"""Virtual time for tests: a runtime whose clock goes where the test says.

    async with weir.testing.Runtime() as runtime:      # policies made in here belong to it
        task = asyncio.ensure_future(weir.retry(flaky, base_delay=60))
        await runtime.advance(60)                      # a minute later, in microseconds
        assert await task == "at last"

Between two timers every asyncio task runs until it waits for something else, so a test goes the same way each time.
Blocking calls on such a runtime move the clock themselves, from timer to timer, until they are done.
"""

from __future__ import annotations

import asyncio
from typing import Any, Awaitable, List, NamedTuple, Optional, TypeVar

from ._bridge import as_seconds
from ._runtime import Runtime as _Runtime

T = TypeVar("T")
_FOREVER = 2**63 - 1


class AuditEntry(NamedTuple):
    """What is in flight: a 'call' that has not settled, or an 'orphan' that was told to stop and goes on."""

    kind: str
    attempts: int
    age: float
    name: str
    waits_for: str


class Runtime(_Runtime):
    """A runtime on virtual time; options as weir.Runtime's, and ``seed`` makes it go the same way each time."""

    _driver = "manual"

    def __init__(self, *, seed: int = 1, **options: Any) -> None:
        super().__init__(seed=seed, **options)
        self._process(1_000_000_000)

    async def __aenter__(self) -> "Runtime":
        self.__enter__()
        return self

    async def __aexit__(self, *exc: Any) -> None:
        self.__exit__(*exc)
        self._close()
        await self.settle()
        self._loop_bridge(asyncio.get_running_loop()).retire()

    async def settle(self) -> None:
        """Lets everything happen that is due now, and every task run until it waits."""
        loop = asyncio.get_running_loop()
        bridge = self._loop_bridge(loop)
        ready: Optional[List[Any]] = getattr(loop, "_ready", None)
        quiet = 0
        while quiet < 3:
            busy = bridge.pump()
            for queue in (self._home, self._ears):
                busy += queue.drain() if queue is not None else 0
            blocking = getattr(self._threads, "bridge", None)
            busy += blocking.pump() if blocking is not None else 0
            await asyncio.sleep(0)
            quiet = 0 if busy or ready else quiet + 1

    async def advance(self, seconds: Any) -> None:
        """Moves the clock forward, stopping at each timer on the way."""
        await self.advance_ns(round(as_seconds(seconds) * 1e9))

    async def advance_ns(self, ns: int) -> None:
        """As advance(), in nanoseconds."""
        await self.settle()
        until = self.now_ns() + ns
        while True:
            deadline = self._next_deadline()
            if deadline > until:
                break
            self._process(max(deadline, self.now_ns()))
            await self.settle()
        self._process(until)
        await self.settle()

    async def finish(self, work: Awaitable[T]) -> T:
        """Moves the clock from timer to timer until ``work`` is done: its result."""
        task = asyncio.ensure_future(work)
        await self.settle()
        while not task.done():
            deadline = self._next_deadline()
            if deadline == _FOREVER:
                task.cancel()
                await self.settle()
                raise RuntimeError("nothing that is due on this virtual clock would ever end this")
            self._process(max(deadline, self.now_ns()))
            await self.settle()
        return task.result()

    def audit(self) -> List[AuditEntry]:
        """What is in flight, and what it waits for."""
        return [AuditEntry(*entry) for entry in self._audit()]

    def close(self, timeout: Optional[float] = None) -> bool:
        """Ends the runtime: what is in flight settles as Closed. Says whether nothing of it goes on."""
        self._close()
        for _ in range(3):
            self._run_until_idle()
            for queue in [bridge.queue for bridge in self._loops.values()] + self._queues():
                queue.flush()
                queue.drain()
        return bool(self.stats().orphans == 0)
