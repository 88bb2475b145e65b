# SPDX-License-Identifier: MIT
"""Listeners: who hears of state changes, and on which thread.

A runtime's home queue brings them. On a runtime with a thread of its own, a thread "weir-listen" waits for that
queue from the first listener on; on virtual time it is drained as time advances.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import weakref
from typing import Any, Callable, NamedTuple, Optional

from ._errors import OPENED_BY, _word
from ._runtime import Runtime

STATES = ("closed", "open", "half_open", "forced_open", "forced_closed", "metrics_only")
_users = itertools.count(1)


class StateChange(NamedTuple):
    """A breaker went from one state to another. Gaps in ``sequence`` are changes that came too fast to be told."""

    breaker: Any
    before: str
    after: str
    reason: str
    sequence: int


class _BreakerListener:
    def __init__(
        self, breaker: Any, tell: Callable[[Any], Any], loop: Optional[asyncio.AbstractEventLoop]
    ) -> None:
        self.breaker, self.tell, self.loop = weakref.ref(breaker), tell, loop

    def event(self, told: Any) -> None:
        sequence, _, reason, before, after = told
        breaker = self.breaker()
        change = StateChange(
            breaker, _word(STATES, before), _word(STATES, after), _word(OPENED_BY, reason), sequence
        )
        if self.loop is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.tell, change)
        else:
            self.tell(change)


def listen(runtime: Runtime, breaker: Any, tell: Callable[[Any], Any]) -> int:
    """Registers a listener; the number goes into the breaker's options."""
    try:
        loop: Optional[asyncio.AbstractEventLoop] = asyncio.get_running_loop()
    except RuntimeError:
        loop = None
    user = next(_users)
    queue = runtime._home_queue()
    queue.listeners[user] = _BreakerListener(breaker, tell, loop)
    weakref.finalize(breaker, queue.listeners.pop, user, None)
    if not runtime._manual and not getattr(runtime, "_listening", False):
        runtime._listening = True  # type: ignore[attr-defined]
        threading.Thread(target=_hear, args=(queue,), name="weir-listen", daemon=True).start()
    return user


def _hear(queue: Any) -> None:
    while not queue.closed:
        queue.wait(None)
        queue.drain()
