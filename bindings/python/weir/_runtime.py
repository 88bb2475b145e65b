# SPDX-License-Identifier: MIT
"""Runtimes, the default one, and what happens to them when a process forks or ends."""

from __future__ import annotations

import contextvars
import os
import threading
import weakref
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, List, Optional

from . import _weir
from ._bridge import LoopBridge, PoolBridge, Queue, ThreadBridge

if TYPE_CHECKING:
    import asyncio

    from ._listen import Event
    from ._policies import Policy

_lock = threading.RLock()
_default: Optional["Runtime"] = None
_all: "weakref.WeakSet[Runtime]" = weakref.WeakSet()
_current: "contextvars.ContextVar[Optional[Runtime]]" = contextvars.ContextVar(
    "weir.runtime", default=None
)


LOG_LEVELS = ("off", "error", "warning", "info", "debug")


def log_level(word: str) -> int:
    """The library's number of a level."""
    if word not in LOG_LEVELS:
        raise ValueError(f"a log level is one of {list(LOG_LEVELS)} (got {word!r})")
    return LOG_LEVELS.index(word)


class Runtime(_weir.Runtime):
    """The engine that policies and runs belong to: a clock, timers and a thread of weir's own.

    Most programs never make one: ``default_runtime()`` is made on first use. Any number of event loops and threads
    share a runtime. Close the ones you make: ``close()``; the default one lasts as long as the process.

    name              for metrics and logs
    seed              of jitter and hashing; 0: from the system
    max_in_flight     unsettled calls at most; None: no bound
    close_grace       seconds that attempts may go on after closing before they count as leaked
    recorder_entries  decisions that ``recorder()`` keeps, and of which ``on_event()`` tells; default 0: off
    log_level         'error', 'warning', 'info' or 'debug': lines up to it go to ``logging.getLogger('weir')``, by way
                      of the recorder, which has 256 entries then if you do not say; default 'off'
    metrics           whether ``metrics()`` has histograms of latency and waiting, too
    """

    _driver = "thread"

    def __init__(
        self,
        *,
        name: str = "weir",
        seed: int = 0,
        max_in_flight: Optional[int] = None,
        close_grace: Optional[float] = 5.0,
        recorder_entries: int = 0,
        log_level: str = "off",
        metrics: bool = False,
    ) -> None:
        super().__init__(
            driver=self._driver,
            name=name,
            seed=seed,
            max_in_flight=max_in_flight,
            close_grace=close_grace,
            recorder_entries=recorder_entries or (0 if log_level == "off" else 256),
            log_level=log_level,
            metrics=int(metrics),
        )
        self._pid = os.getpid()
        self._loops: Dict[asyncio.AbstractEventLoop, LoopBridge] = {}
        self._threads = threading.local()
        self._free: List[Queue] = []
        self._pool: Optional[PoolBridge] = None
        self._home: Optional[Queue] = None
        self._ears: Optional[Queue] = None
        self._listening = False
        self._recorder: Any = None
        self._made: Dict[Any, Any] = {}  # the policies of weir.retry() and its like
        self._tokens: List[contextvars.Token[Optional[Runtime]]] = []
        _all.add(self)
        if log_level != "off":
            from ._listen import to_logging

            to_logging(self)

    # --- where records arrive ---------------------------------------------------------------------

    def _take_queue(self) -> Queue:
        with _lock:
            return self._free.pop() if self._free else Queue(self)

    def _give_queue(self, queue: Queue) -> None:
        """A loop or thread has ended; the next one takes its queue over, with what still comes back to it."""
        queue.drain()
        with _lock:
            self._free.append(queue)

    def _home_queue(self) -> Queue:
        """Where values made outside of any run are released to."""
        if self._home is None:
            with _lock:
                if self._home is None:
                    self._home = Queue(self)
        return self._home

    def _drained_home(self) -> Queue:
        """Home, without what came back since it was last asked for: as often as values go out."""
        home = self._home_queue()
        home.drain()
        return home

    def _ears_queue(self) -> Queue:
        """Where listeners hear. Not home, which whoever writes to a cache drains: a listener does not run there."""
        if self._ears is None:
            with _lock:
                if self._ears is None:
                    self._ears = Queue(self)
        return self._ears

    def _loop_bridge(self, loop: "asyncio.AbstractEventLoop") -> LoopBridge:
        bridge = self._loops.get(loop)
        if bridge is None:
            with _lock:
                for other in [other for other in self._loops if other.is_closed()]:
                    self._loops.pop(other).end()
                bridge = self._loops[loop] = LoopBridge(self, loop)
        return bridge

    def _thread_bridge(self) -> ThreadBridge:
        bridge: Optional[ThreadBridge] = getattr(self._threads, "bridge", None)
        if bridge is None:
            bridge = self._threads.bridge = ThreadBridge(self)
        return bridge

    def _pool_bridge(self) -> "PoolBridge | ThreadBridge":
        if self._manual:
            return self._thread_bridge()
        if self._pool is None:
            with _lock:
                if self._pool is None:
                    self._pool = PoolBridge(self)
        return self._pool

    # --- what users call --------------------------------------------------------------------------

    def find(self, name: str) -> "Policy":
        """The policy that is registered under ``name``, by whatever language; raises NotFound."""
        from ._policies import KINDS

        found: Policy = self._find(name, KINDS)
        return found

    def on_event(
        self, tell: "Callable[[Event], Any]", kinds: "Optional[Iterable[str]]" = None
    ) -> "Callable[[], None]":
        """From now on tells what the policies do: ``tell(event)`` for each Event, or for those of some ``kinds`` only,
        such as 'retry', 'refusal' or ('state_change', 'gave_up'). The option ``recorder_entries`` must be at least 1.
        Gives a function that ends it.

        Called in the event loop that runs here, or if there is none on a thread "weir-listen".
        """
        from ._listen import _Listener, on_event

        return on_event(self, _Listener(tell), kinds)

    def log(self, message: str, level: str = "info", subject: Optional[str] = None) -> None:
        """Logs a line where the runtime logs, if its ``log_level`` lets ``level`` pass. ``subject`` names the part
        that speaks; None: the runtime's name.
        """
        _weir.log(self, log_level(level), subject, message)

    def now(self) -> float:
        """The runtime's monotonic time in seconds."""
        return self.now_ns() / 1e9

    def close(self, timeout: Optional[float] = None) -> bool:
        """Ends the runtime: what is in flight settles as Closed, new runs are refused. Waits until attempts have
        ended, or at most ``timeout`` seconds; says whether all had. Call it from a thread that no attempt needs.
        """
        done = self._close_wait(timeout)
        # These have threads that read them, and end when they read that it is closed.
        served = (self._ears, getattr(self._pool, "queue", None))
        for queue in self._queues():
            if queue not in served:
                queue.drain()
        for loop, bridge in list(self._loops.items()):
            try:
                loop.call_soon_threadsafe(bridge.retire)
            except RuntimeError:  # it is closed
                pass
        self._threads = threading.local()
        self._made.clear()
        _weir.bury()
        return done

    def _queues(self) -> List[Queue]:
        with _lock:
            queues = list(self._free) + [self._home, self._ears, getattr(self._pool, "queue", None)]
        bridge = getattr(self._threads, "bridge", None)
        queues.append(getattr(bridge, "queue", None))
        return [queue for queue in queues if queue is not None]

    def __enter__(self) -> "Runtime":
        """Makes this the runtime of policies that name none, here and in what is called from here."""
        self._tokens.append(_current.set(self))
        return self

    def __exit__(self, *exc: Any) -> None:
        _current.reset(self._tokens.pop())

    def __repr__(self) -> str:
        return f"<weir.{type(self).__name__} {'closed' if self.closed else 'open'}>"


def default_runtime() -> Runtime:
    """The process's own runtime, made on first use; a forked child makes another."""
    global _default
    if _default is None or _default._pid != os.getpid():
        with _lock:
            if _default is None or _default._pid != os.getpid():
                _default = Runtime()
    return _default


def current_runtime() -> Runtime:
    """The runtime that ``with runtime:`` named, else the default one."""
    return _current.get() or default_runtime()


_forgotten: List[Any] = []


def _after_fork() -> None:
    """In the child: the parent's runtimes answer ForkedError; their queues and bridges are never used again."""
    global _default, _lock
    _lock = threading.RLock()
    _forgotten.append(_default)
    _default = None
    _current.set(None)


os.register_at_fork(after_in_child=_after_fork)
