# SPDX-License-Identifier: MIT
"""Listeners: who hears of state changes, retries, evictions and all that the flight recorder keeps, and where.

A queue of the runtime's own brings them. On a runtime with a thread of its own, a thread "weir-listen" waits for that
queue from the first listener on; on virtual time it is drained as time advances. A listener is called in the event
loop that ran where it was named, in a copy of the context of that place; if there was none, or it is closed, on that
thread. What a listener raises is logged, and the next one has its turn.
"""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import logging
import threading
import weakref
from typing import Any, Callable, Iterable, List, NamedTuple, Optional, Sequence

from . import _runtime, _weir
from ._errors import OPENED_BY, POLICIES, REASONS, STOPS, _word
from ._runtime import LOG_LEVELS, Runtime

STATES = ("closed", "open", "half_open", "forced_open", "forced_closed", "metrics_only")
CAUSES = ("", "expired", "size", "replaced", "explicit", "cleared")
KINDS_OF_EVENTS = (
    "",
    "state_change",
    "retry",
    "refusal",
    "eviction",
    "hedge",
    "fallback",
    "waiting",
    "granted",
    "timeout",
    "gave_up",
    "load",
    "paced",
    "hedge_won",
    "chaos",
    "log",
)
INJECTED = ("", "latency", "failure", "outcome", "hang")
_REASONS = {1: OPENED_BY, 3: REASONS, 10: STOPS, 14: INJECTED, 15: LOG_LEVELS}
_users = itertools.count(1)
_logger = logging.getLogger("weir")


class StateChange(NamedTuple):
    """A breaker went from one state to another. Gaps in ``sequence`` are changes that came too fast to be told."""

    breaker: Any
    before: str
    after: str
    reason: str
    sequence: int


class Retried(NamedTuple):
    """Attempt number ``attempt`` has failed with ``error``, or with a ``value`` that was judged a failure; the next
    begins in ``delay`` seconds.
    """

    attempt: int
    delay: float
    error: Optional[BaseException]
    value: Any


class Eviction(NamedTuple):
    """An entry left a cache. ``cause`` is 'expired', 'size', 'replaced', 'explicit' or 'cleared'."""

    key: bytes
    value: Any
    cause: str
    weight: int


class Event(NamedTuple):
    """What happened in a runtime. ``kind`` says what, and with it which of the others mean something:

    state_change  a breaker: before, after, reason, calls, failures, slow_calls
    retry         a retry is about to wait: number (which attempt failed), delay
    refusal       a policy refused: status, reason, delay (when to try again), text
    eviction      a cache or limiter gave entries up to stay within its bounds: number
    hedge         a hedge starts a copy: number (which), delay (since the first start)
    hedge_won     a copy won: number, delay
    fallback      a fallback steps in: status
    waiting       a run waits for a limiter: number (how many do); granted: it goes on: delay (it waited)
    timeout       a timeout or deadline fired: status, delay (what it gave)
    gave_up       a retry gave up: status, reason, number (tries)
    load          a cache's load ended: status, number (keys), delay (it took)
    paced         a debounce's or throttle's run ended: status, number (calls it stood for), delay (it took)
    chaos         chaos injected: reason (what), delay
    log           a line of the log: reason (its level), name (its subject), text

    sequence  counts all there ever were, from 0: gaps are events that came too fast to be told
    at        the runtime's time in seconds, as Runtime.now() tells it; delay is in seconds, too, or None
    policy    the kind of policy, '' of others; name: its name
    """

    sequence: int
    at: float
    kind: str
    policy: str
    name: str
    status: str
    reason: str
    before: str
    after: str
    number: int
    delay: Optional[float]
    calls: int
    failures: int
    slow_calls: int
    text: str


def _make_event(told: Sequence[Any]) -> Event:
    sequence, at, kind, policy, name, status, reason, before, after, *rest = told
    changes = kind == 1
    words = _REASONS.get(kind)
    return Event(
        sequence,
        at,
        _word(KINDS_OF_EVENTS, kind),
        _word(POLICIES, policy),
        name,
        _weir.status_name(status) if status else "",
        _word(words, reason) if words is not None else str(reason) if reason else "",
        _word(STATES, before) if changes else "",
        _word(STATES, after) if changes else "",
        *rest,
    )


class _Listener:
    """Whom to tell, and where."""

    __slots__ = ("tell", "loop", "context", "__weakref__")

    def __init__(self, tell: Callable[[Any], Any], here: bool = True) -> None:
        if not callable(tell):
            raise TypeError(f"a listener is a function of one argument, not {tell!r}")
        self.tell, self.context = tell, contextvars.copy_context()
        self.loop: Optional[asyncio.AbstractEventLoop] = None
        if here:
            try:
                self.loop = asyncio.get_running_loop()
            except RuntimeError:
                pass

    def hear(self, what: Any) -> None:
        loop = self.loop
        if loop is not None:
            try:
                loop.call_soon_threadsafe(self._call, what, context=self.context)
                return
            except RuntimeError:  # it is closed
                pass
        self.context.run(self._call, what)

    def _call(self, what: Any) -> None:
        try:
            self.tell(what)
        except Exception:
            _logger.exception("weir: a listener raised")


class _BreakerListener(_Listener):
    __slots__ = ("breaker",)

    def __init__(self, breaker: Any, tell: Callable[[Any], Any]) -> None:
        super().__init__(tell)
        self.breaker = weakref.ref(breaker)

    def event(self, told: Any) -> None:
        sequence, _, reason, before, after = told
        words = _word(STATES, before), _word(STATES, after), _word(OPENED_BY, reason)
        self.hear(StateChange(self.breaker(), *words, sequence))


class _RetryListener(_Listener):
    __slots__ = ()

    def told(self, told: Any) -> None:
        self.hear(Retried(*told))


class _EvictionListener(_Listener):
    __slots__ = ()

    def told(self, told: Any) -> None:
        key, value, cause, weight = told
        self.hear(Eviction(key, value, _word(CAUSES, cause), weight))


class _While:
    """Stands for a listener in its queue as long as there is one."""

    __slots__ = ("listener",)

    def __init__(self, listener: Any) -> None:
        self.listener = weakref.ref(listener)

    def event(self, told: Any) -> None:
        listener = self.listener()
        if listener is not None:
            listener.event(told)

    def told(self, told: Any) -> None:
        listener = self.listener()
        if listener is not None:
            listener.told(told)


class _Recorder:
    """Reads a runtime's recorder whenever that has something new, for all who listen to it."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime, self.cursor = weakref.ref(runtime), 0
        self.listeners: List[Any] = []

    def read(self) -> List[Any]:
        runtime = self.runtime()
        if runtime is None:
            return []
        self.cursor, found = _weir.recorder_read(runtime, self.cursor)
        return found

    def recorded(self, _: Any) -> None:
        while True:
            found = self.read()
            if not found:
                return
            for event in map(_make_event, found):
                for listener, kinds in list(self.listeners):
                    if kinds is None or event.kind in kinds:
                        listener.hear(event)


def _register(runtime: Runtime, user: int, listener: Any) -> Any:
    """Names the listener on the runtime's queue for these, and has somebody wait for it."""
    queue = runtime._ears_queue()
    queue.listeners[user] = listener
    with _runtime._lock:
        begins = not runtime._manual and not runtime._listening
        runtime._listening = True
    if begins:
        threading.Thread(target=_hear, args=(queue,), name="weir-listen", daemon=True).start()
    return queue


def _hear(queue: Any) -> None:
    while not queue.closed:
        queue.wait(None)
        queue.drain()


def listen(handle: Any, runtime: Runtime, listener: Any) -> Any:
    """The queue and number under which ``handle`` tells the listener, as long as it lives. It is the handle that
    keeps the listener, so a listener that keeps the handle is garbage with it.
    """
    user = next(_users)
    handle._listener = listener
    queue = _register(runtime, user, _While(listener))
    weakref.finalize(handle, queue.listeners.pop, user, None)
    return queue, user


def on_event(
    runtime: Runtime, listener: _Listener, kinds: Optional[Iterable[str]]
) -> Callable[[], None]:
    wanted = None if kinds is None else frozenset([kinds] if isinstance(kinds, str) else kinds)
    unknown = sorted(wanted.difference(KINDS_OF_EVENTS[1:])) if wanted is not None else []
    if unknown:
        raise ValueError(f"events are of {list(KINDS_OF_EVENTS[1:])} (got {unknown})")
    with _runtime._lock:
        recorder = runtime._recorder
        if recorder is None:
            recorder = _Recorder(runtime)
            while recorder.read():  # what was before is not told
                pass
            user = next(_users)
            _weir.recorder_notify(runtime, _register(runtime, user, recorder), user)
            runtime._recorder = recorder
    entry = (listener, wanted)
    recorder.listeners.append(entry)

    def stop() -> None:
        if entry in recorder.listeners:
            recorder.listeners.remove(entry)

    return stop


def to_logging(runtime: Runtime) -> None:
    """Lines of the runtime's log go to Python's ``logging``."""
    levels = {"error": 40, "warning": 30, "info": 20, "debug": 10}

    def tell(event: Event) -> None:
        _logger.log(levels.get(event.reason, 20), "%s: %s", event.name, event.text)

    on_event(runtime, _Listener(tell, here=False), ("log",))
