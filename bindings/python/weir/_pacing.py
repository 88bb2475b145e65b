# SPDX-License-Identifier: MIT
"""Debounce and throttle: a function that a stream of calls runs now and then.

A paced function runs in the loop that calls it. Its state is per event loop (or, for blocking calls, one for all
threads); calls with different keys are paced apart.
"""

from __future__ import annotations

import functools
from typing import Any, Callable, Dict, List, Optional

from . import _weir
from ._bridge import PLAIN, Judged, Owner, Queue, run_here
from ._operations import Operation, Several
from ._policies import is_async, policies_of, runtime_or_current
from ._runtime import Runtime


class Paced:
    """A function under a debounce or throttle. ``await paced(...)`` gives what the run that covers the call gives;
    a call that another replaced raises Superseded, or with superseded='share' gives that run's result, too. As with
    all coroutines nothing happens until it is awaited, or made a task. If the function is not asynchronous, a call
    blocks its thread until then.
    """

    def __init__(self, kind: Any, function: Callable[..., Any], options: Dict[str, Any]) -> None:
        functools.update_wrapper(self, function)
        self.runtime: Runtime = runtime_or_current(options.pop("runtime", None))
        self._kind, self._function, self._options = kind, function, options
        self._key: Optional[Callable[..., Any]] = options.pop("key", None)
        self._policy = policies_of(options.pop("policy", None))
        judges = self._policy._judges if self._policy is not None else ()
        self._owner: Owner = Judged(judges) if judges else PLAIN
        self._pacers: Dict[Queue, Any] = {}
        self._is_async = is_async(function)
        self._labels: Dict[str, str] = {}
        # Bad options are told at once, by one that never runs.
        home = self.runtime._home_queue()
        self._model = kind(self.runtime, home.leaf(0), policy=self._handle(home), **options)

    def _handle(self, queue: Queue) -> Any:
        return self._policy._handle(queue) if self._policy is not None else None

    def _pacer(self, queue: Queue) -> Any:
        pacer = self._pacers.get(queue)
        if pacer is None:
            pacer = self._kind(
                self.runtime, queue.leaf(0), policy=self._handle(queue), **self._options
            )
            pacer.run_operation = pacer.operation()
            for key, value in self._labels.items():
                pacer.run_operation.set_label(key, value)
            self._pacers[queue] = pacer
        return pacer

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
        return self if instance is None else functools.partial(self, instance)

    def cancel(self, key: Any = None) -> None:
        """Forgets what is pending: its calls end as Cancelled."""
        for pacer in list(self._pacers.values()):
            pacer.cancel(key)

    def flush(self, key: Any = None) -> None:
        """Runs now what is pending."""
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
        return sum(pacer.pending() for pacer in list(self._pacers.values()))

    def stats(self) -> List[Any]:
        """What was counted, for each event loop that called it."""
        return [pacer.stats() for pacer in list(self._pacers.values())]


class _Debounce(_weir.Debounce):
    run_operation: Any


class _Throttle(_weir.Throttle):
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
    """``@debounce(0.3)``: runs once calls have been quiet for ``wait`` seconds, with the latest arguments.

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
