# SPDX-License-Identifier: MIT
"""Debounce and throttle: a function that a stream of calls runs now and then.

A paced function runs in the loop that calls it. Its state is per event loop (or, for blocking calls, one for all
threads); calls with different keys are paced apart.

``touch()`` is a call that nobody waits for. It has a settlement all the same, so that what its run raises is logged;
of several that share a run, one logs: that whose arguments it ran with or, if nothing ran, the latest.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
import threading
import weakref
from typing import Any, Callable, Dict, List, Optional, Tuple

from . import _errors, _weir
from ._bridge import PLAIN, Closed, Judged, LoopBridge, Owner, Queue, run_here, scope_here
from ._judge import check_functions
from ._operations import Operation, Several
from ._policies import is_async, name_of, policies_of, runtime_or_current
from ._runtime import Runtime

_logger = logging.getLogger("weir")
_QUIET = (_errors.Superseded, _errors.Cancelled, asyncio.CancelledError)
_Place = Tuple[Queue, Optional[bytes]]


def _key_bytes(key: Any) -> Optional[bytes]:
    """What the library makes of a key."""
    if key is None or isinstance(key, bytes):
        return key
    try:
        return key.encode() if isinstance(key, str) else bytes(memoryview(key))
    except TypeError:
        raise TypeError(f"a key must be str or bytes (got {key!r})") from None


class _Touch(_weir.LoopCall):
    """A call that nobody waits for."""

    __slots__ = ("paced", "place", "loop", "begun", "replaced")
    paced: "Paced"
    place: _Place  # the queue and key under which it is the latest
    loop: Optional[asyncio.AbstractEventLoop]
    begun: bool
    replaced: bool

    def start(self, queue: Queue, token: int, number: int) -> None:
        self.begun = True
        if self.loop is None or getattr(queue.bridge, "loop", None) is self.loop:
            super().start(queue, token, number)
        else:  # its loop is closed, and another one has the queue
            Closed.begin(queue, token, number)

    def resolve(self, value: Any) -> None:
        self._forget()

    def reject(self, exception: BaseException) -> None:
        self._forget()
        if isinstance(exception, _QUIET) or (self.replaced and not self.begun):
            return
        name = getattr(self.function, "__qualname__", repr(self.function))
        _logger.error("weir: a touch of %s failed", name, exc_info=exception)

    def _forget(self) -> None:
        latest = self.paced._touches
        if latest.get(self.place) is self:
            del latest[self.place]


class Paced:
    """A function under a debounce or throttle. ``await paced(...)`` gives what the run that covers the call gives;
    a call that another replaced raises Superseded, or with superseded='share' gives that run's result, too. As with
    all coroutines nothing happens until it is awaited, or made a task. If the function is not asynchronous, a call
    blocks its thread until then.

    ``paced.touch(...)`` is the call that nobody waits for: it returns at once, on any thread.
    """

    def __init__(self, kind: Any, function: Callable[..., Any], options: Dict[str, Any]) -> None:
        name_of(function)  # it is one
        check_functions(kind.word, key=options["key"])
        functools.update_wrapper(self, function)
        self.runtime: Runtime = runtime_or_current(options.pop("runtime", None))
        self._kind, self._function, self._options = kind, function, options
        self._key: Optional[Callable[..., Any]] = options.pop("key", None)
        self._policy = policies_of(options.pop("policy", None))
        judges = self._policy._judges if self._policy is not None else ()
        self._owner: Owner = Judged(judges) if judges else PLAIN
        self._pacers: Dict[Queue, Any] = {}
        self._lock = threading.Lock()
        self._touches: Dict[_Place, _Touch] = {}
        self._is_async = is_async(function)
        self._made_in = self._loop_around() if self._is_async else None
        try:
            self._signature: Optional[inspect.Signature] = inspect.signature(
                function, follow_wrapped=False
            )
        except (TypeError, ValueError):  # of some that are written in C
            self._signature = None
        self._labels: Dict[str, str] = {}
        # Bad options are told at once, by one that never runs.
        home = self.runtime._home_queue()
        self._model = kind(self.runtime, home.leaf(0), policy=self._handle(home), **options)

    def _handle(self, queue: Queue) -> Any:
        return self._policy._handle(queue) if self._policy is not None else None

    def _pacer(self, queue: Queue) -> Any:
        pacer = self._pacers.get(queue)
        if pacer is None:
            with self._lock:  # threads share one
                pacer = self._pacers.get(queue)
                if pacer is None:
                    pacer = self._pacers[queue] = self._new_pacer(queue)
        return pacer

    def _new_pacer(self, queue: Queue) -> Any:
        pacer = self._kind(self.runtime, queue.leaf(0), policy=self._handle(queue), **self._options)
        pacer.run_operation = pacer.operation()
        for key, value in self._labels.items():
            pacer.run_operation.set_label(key, value)
        return pacer

    def _loop_around(self) -> "Optional[weakref.ref[asyncio.AbstractEventLoop]]":
        """The loop that runs here, which other threads may touch this in from now on."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return None
        self.runtime._loop_bridge(loop)
        return weakref.ref(loop)

    def _bridge_elsewhere(self) -> LoopBridge:
        """Of the loop in which the function runs that is touched on a thread without one."""
        made_in = self._made_in() if self._made_in is not None else None
        bridges: Dict[asyncio.AbstractEventLoop, LoopBridge] = {
            loop: bridge
            for loop, bridge in list(self.runtime._loops.items())
            if (bridge.queue in self._pacers or loop is made_in) and not loop.is_closed()
        }
        if made_in in bridges:
            return bridges[made_in]
        if len(bridges) == 1:
            return next(iter(bridges.values()))
        if self.runtime.closed:
            raise _errors.Closed("the runtime is closed")
        called = f"{len(bridges)} event loops have" if bridges else "no event loop has"
        raise RuntimeError(
            f"touch() on a thread without an event loop: {called} called this function,"
            " so say which one: loop.call_soon_threadsafe(paced.touch, ...)"
        )

    def _where(self) -> "Tuple[Queue, Optional[asyncio.AbstractEventLoop]]":
        """Where a touch from here runs."""
        if not self._is_async:
            return self.runtime._pool_bridge().queue, None
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            bridge = self._bridge_elsewhere()
        else:
            bridge = self.runtime._loop_bridge(loop)
            bridge.queue.flush()  # calls that were made before come before
        return bridge.queue, bridge.loop

    def touch(self, *args: Any, **kwargs: Any) -> None:
        """One call that nobody waits for, and whose result nobody gets: hands the arguments over and returns. Any
        thread. Arguments that do not fit, a bad key and a closed runtime are raised here.

        A function that is not asynchronous runs on a thread of a pool, as of call(). An asynchronous one runs in the
        running event loop; where none runs, in the loop in which it was decorated or, if there was none or it is
        closed, in the one that has called it: RuntimeError unless that is exactly one.

        What the run raises goes to ``logging.getLogger("weir")`` as an error, once for each run, and so does what a
        policy refuses, what closing the runtime leaves undone and, when the next event loop begins, what the end of
        one did. A touch that another call replaced, or that cancel() forgot, says nothing. The run has no part in
        the deadline and the scope around the touch.
        """
        if self._signature is not None:
            self._signature.bind(*args, **kwargs)
        key = self._key(*args, **kwargs) if self._key is not None else None
        queue, loop = self._where()
        call = _Touch(None, self._function, args, kwargs, self._owner)
        call.paced, call.loop, call.begun, call.replaced = self, loop, False, False
        call.place = queue, _key_bytes(key)
        if scope_here.get() is not None:  # it may be over when this runs
            call.context.run(scope_here.set, None)
        before = self._touches.get(call.place)
        self._touches[call.place] = call  # first: it may settle before run() has returned
        try:
            queue.run(call, self._run_operation(queue), None, call, None, key)
        except BaseException:
            call._forget()
            raise
        if before is not None:
            before.replaced = True

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """One call, in the running event loop: a coroutine to await."""
        key = self._key(*args, **kwargs) if self._key is not None else None
        operation = self._run_operation
        return run_here(
            self.runtime, self._function, args, kwargs, self._owner, operation, None, None, key
        )

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """One call that blocks this thread; the function runs on a thread of a pool."""
        key = self._key(*args, **kwargs) if self._key is not None else None
        bridge = self.runtime._pool_bridge()
        operation = self._run_operation(bridge.queue)
        return bridge.run(self._function, args, kwargs, self._owner, operation, None, None, key)

    def _run_operation(self, queue: Queue) -> Any:
        return self._pacer(queue).run_operation

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.run(*args, **kwargs) if self._is_async else self.call(*args, **kwargs)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else _BoundPaced(self, instance)

    def _arrive(self) -> None:
        """What was called here before comes before."""
        try:
            bridge = self.runtime._loops.get(asyncio.get_running_loop())
        except RuntimeError:
            bridge = None
        if bridge is not None:
            bridge.queue.flush()
        here = bridge or getattr(self.runtime._threads, "bridge", None)
        if self.runtime._manual and here is not None:
            self.runtime._run_until_idle()

    def cancel(self, key: Any = None) -> None:
        """Forgets what is pending: its calls end as Cancelled."""
        self._arrive()
        for pacer in list(self._pacers.values()):
            pacer.cancel(key)

    def flush(self, key: Any = None) -> None:
        """Runs now what is pending."""
        self._arrive()
        for pacer in list(self._pacers.values()):
            pacer.flush(key)

    def set_options(self, **durations: Any) -> None:
        """Changes ``wait`` and ``max_wait`` of a debounce, or ``interval`` of a throttle, live: what is pending keeps
        the time it is due. What is not named stays.
        """
        known = [name for name in ("wait", "max_wait", "interval") if name in self._options]
        if set(durations).difference(known):
            raise TypeError(f"{known} can be changed (got {sorted(durations)})")
        options = {**self._options, **durations}
        numbers = {name: value for name, value in options.items() if name != "name"}
        for pacer in [self._model, *self._pacers.values()]:
            pacer.set_options(**numbers)
        self._options = options

    def set_label(self, key: str, value: str) -> None:
        """A label on its metrics."""
        for pacer in [self._model, *self._pacers.values()]:
            (pacer.run_operation if pacer is not self._model else pacer.operation()).set_label(
                key, value
            )
        self._labels[key] = value

    @property
    def pending(self) -> int:
        """Calls that wait for a run to begin."""
        self._arrive()
        return sum(pacer.pending() for pacer in list(self._pacers.values()))

    def stats(self) -> List[Any]:
        """What was counted, for each event loop that called it."""
        return [pacer.stats() for pacer in list(self._pacers.values())]


class _BoundPaced(functools.partial):  # type: ignore[type-arg]
    """A paced method of one object. All objects share its state: give the decorator a ``key`` to pace them apart."""

    @property
    def paced(self) -> Paced:
        """The function that all objects share."""
        found: Any = self.func
        paced: Paced = found
        return paced

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """As Paced.run()."""
        return self.paced.run(*self.args, *args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """As Paced.call()."""
        return self.paced.call(*self.args, *args, **kwargs)

    def touch(self, *args: Any, **kwargs: Any) -> None:
        """As Paced.touch()."""
        self.paced.touch(*self.args, *args, **kwargs)

    def cancel(self, key: Any = None) -> None:
        """As Paced.cancel(), of all objects."""
        self.paced.cancel(key)

    def flush(self, key: Any = None) -> None:
        """As Paced.flush(), of all objects."""
        self.paced.flush(key)


class _Debounce(_weir.Debounce):
    word = "debounce"
    run_operation: Any


class _Throttle(_weir.Throttle):
    word = "throttle"
    run_operation: Any


def debounce(
    wait: Any = 0.3,
    *,
    max_wait: Any = None,
    leading: bool = False,
    trailing: bool = True,
    superseded: str = "cancel",
    overlap: str = "queue",
    key: Optional[Callable[..., Any]] = None,
    policy: Any = None,
    name: Optional[str] = None,
    runtime: Optional[Runtime] = None,
) -> Callable[[Callable[..., Any]], Paced]:
    """``@debounce(0.3)``: runs once calls have been quiet for ``wait`` seconds, with the latest arguments. Call it as
    the function it decorates, or by ``touch()`` if nobody is to wait.

    max_wait    seconds after which it runs under constant calls, too; None (default): never
    leading     whether the first call of a burst runs at once; trailing: whether it runs after the quiet period
    superseded  what replaced calls get: 'cancel' (Superseded, at once) or 'share' (the result of the run)
    overlap     a run is due while one goes on: 'queue', 'concurrent' or 'cancel'
    key         key(*args): calls with different keys are paced apart
    policy      around each run
    """
    options = {
        "wait": wait,
        "max_wait": max_wait,
        "leading": int(leading),
        "trailing": int(trailing),
        "superseded": superseded,
        "overlap": overlap,
        "key": key,
        "policy": policy,
        "name": name,
        "runtime": runtime,
    }
    return lambda function: Paced(_Debounce, function, options)


def throttle(
    interval: Any = 0.1,
    *,
    leading: bool = True,
    trailing: bool = True,
    superseded: str = "share",
    overlap: str = "queue",
    key: Optional[Callable[..., Any]] = None,
    policy: Any = None,
    name: Optional[str] = None,
    runtime: Optional[Runtime] = None,
) -> Callable[[Callable[..., Any]], Paced]:
    """``@throttle(0.1)``: runs at most once in ``interval`` seconds, at the first call and then with the latest
    arguments. The options are debounce's.
    """
    options = {
        "interval": interval,
        "leading": int(leading),
        "trailing": int(trailing),
        "superseded": superseded,
        "overlap": overlap,
        "key": key,
        "policy": policy,
        "name": name,
        "runtime": runtime,
    }
    return lambda function: Paced(_Throttle, function, options)


def paced_of(kind: str, work: Any, options: Dict[str, Any]) -> Operation:
    """A debounce or throttle as an operation: a run is a call, its input the argument, its key the key."""
    policy = policies_of(options.pop("policy", None))

    def make(queue: Queue, parts: List[Any]) -> Any:
        handle = policy._handle(queue) if policy is not None else None
        kept = (_Debounce if kind == "debounce" else _Throttle)(
            queue.runtime, parts[0], policy=handle, **options
        )
        operation.pacers.append(kept)
        return kept.operation()

    operation = _PacedOperation([work], make, "input")
    return operation


class _PacedOperation(Several):
    def __init__(self, parts: Any, make: Any, mode: str) -> None:
        super().__init__(parts, make, mode)
        self.pacers: List[Any] = []
