# SPDX-License-Identifier: MIT
"""Operations: functions, and what is made of several, as values that can be composed and run many times.

An Operation says what to do and belongs to no loop. For each queue that runs it, it is compiled once into the
library's own: races, retries and loads inside of each other are one run there, under one deadline.
"""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import weakref
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Sequence, Tuple, Union

from . import _weir
from ._bridge import (
    DEFAULTS,
    PLAIN,
    AsyncCall,
    BlockingCall,
    FutureCall,
    Judged,
    Owner,
    Queue,
    inherited,
)
from ._errors import Outcome, _make_outcome
from ._judge import Classify, Judge, check_functions
from ._runtime import Runtime, current_runtime

if TYPE_CHECKING:
    from ._policies import Policy

Judges = Tuple[Any, ...]
_site_numbers = itertools.count(1)
_call_numbers = itertools.count(1)


class Site:
    """Where a queue's leaf begins its attempts: the function, whether it takes the input, and who judges."""

    # Not the leaf, which keeps what unregisters this.
    __slots__ = ("function", "mode", "once", "owner", "number")

    def __init__(self, leaf: "Leaf", judges: Judges) -> None:
        self.function, self.mode, self.once = leaf.function, leaf.mode, leaf.once
        self.owner: Owner = Judged(judges) if judges else PLAIN
        self.number = next(_site_numbers)

    def start(self, queue: Queue, token: int, number: int, value: Any) -> None:
        call: Any = queue.calls.get(queue.told(token)[5]) if queue.calls else None
        if isinstance(value, _weir.Call):
            call, value = value, None
        context = call.context if call is not None else contextvars.copy_context()
        args: Tuple[Any, ...] = ()
        if self.once:
            queue.sites.pop(self.number, None)
        if self.mode == "input":
            args = (value,)
        elif self.mode == "failed":
            args = (queue.told(token)[4],)
        queue.bridge.begin(queue, token, number, self.function, args, None, self.owner, context)

    def ask(self, queue: Queue, token: int, number: int, value: Any) -> None:
        self.start(queue, token, number, value)


class Operation:
    """What to do: any number of runs, also at once. ``await operation.run(input)``, or ``operation.call(input)``
    from a thread without a loop.
    """

    runtime: Optional[Runtime] = None

    def __init__(self) -> None:
        self._compiled: Dict[Any, Any] = {}
        self._labels: Dict[str, str] = {}

    def _compile(self, queue: Queue, judges: Judges) -> Any:
        """The library's operation for this queue. Kept with the queue it is for, as long as both live."""
        key = (id(queue), judges)
        found = self._compiled.get(key)
        if found is None or found[0] is not queue:
            # What is closed runs nothing any more, and is not to live as long as this does.
            for old, (kept, *_) in list(self._compiled.items()):
                if kept.runtime.closed:
                    self._compiled.pop(old, None)
            found = (queue, *self._make(queue, judges))
            for name, value in self._labels.items():
                found[1].set_label(name, value)
            self._compiled[key] = found
        return found[1]

    def _compile_for(self, judging: Any, queue: Queue, judges: Judges) -> Any:
        """The same; what is judged by others is kept as long as the policy or operation they come from."""
        key = (id(queue), judges)
        if judges and key not in self._compiled:
            weakref.finalize(judging, self._compiled.pop, key, None).atexit = False
        return self._compile(queue, judges)

    def _make(self, queue: Queue, judges: Judges) -> Tuple[Any, ...]:
        raise NotImplementedError

    def set_label(self, key: str, value: str) -> None:
        """A label on its metrics, of which an operation has some on a runtime with ``metrics=True``."""
        for _, compiled, *_ in self._compiled.values():
            compiled.set_label(key, value)
        self._labels[key] = value

    def wrap(self, policy: "Policy") -> "Operation":
        """This operation under ``policy``, which is outside of those around it already."""
        return Wrapped(policy, self)

    async def run(
        self,
        input: Any = None,
        *,
        policy: "Optional[Policy]" = None,
        deadline: Any = None,
        key: Any = None,
        name: Optional[str] = None,
        permits: int = 1,
        priority: int = 31,
        scope: Any = None,
        runtime: Optional[Runtime] = None,
    ) -> Any:
        """Runs it: its value, or the exception that it ends with. Cancelling the task cancels the run.

        deadline   seconds, or timedelta, until it settles as TimedOut whatever it does
        key        str or bytes, for keyed limiters, caches and flights
        permits    what limiters count it as
        priority   0 (first) to 63, in queues that go by priority
        """
        chosen = _runtime_of(self, policy, runtime, scope)
        bridge = chosen._loop_bridge(asyncio.get_running_loop())
        call = AsyncCall(bridge.loop.create_future(), None, (), None, PLAIN)
        deadline, scope = inherited(deadline, scope)
        _submit(
            bridge.queue, call, self, input, policy, (deadline, key, name, permits, priority, scope)
        )
        try:
            return await bridge.finish(call)
        finally:
            bridge.queue.calls.pop(call.number, None)

    async def outcome(self, input: Any = None, **options: Any) -> Outcome:
        """As run(), but tells how it ended, attempts and all, instead of raising what failed."""
        policy, scope = options.pop("policy", None), options.pop("scope", None)
        chosen = _runtime_of(self, policy, options.pop("runtime", None), scope)
        bridge = chosen._loop_bridge(asyncio.get_running_loop())
        call = _WholeCall(bridge.loop.create_future(), None, (), None, PLAIN)
        call.whole = True
        given = dict(zip(RARE, DEFAULTS), **options)
        given["deadline"], given["scope"] = inherited(given["deadline"], scope)
        _submit(bridge.queue, call, self, input, policy, tuple(given[name] for name in RARE))
        try:
            told: Outcome = await bridge.finish(call)
            return told
        finally:
            bridge.queue.calls.pop(call.number, None)

    def call(
        self,
        input: Any = None,
        *,
        policy: "Optional[Policy]" = None,
        deadline: Any = None,
        key: Any = None,
        name: Optional[str] = None,
        permits: int = 1,
        priority: int = 31,
        scope: Any = None,
        runtime: Optional[Runtime] = None,
    ) -> Any:
        """As ``run()``, but blocks this thread; its functions run on threads of a pool."""
        bridge = _runtime_of(self, policy, runtime, scope)._pool_bridge()
        kind = FutureCall if hasattr(bridge, "pool") else BlockingCall
        call: Any = kind(None, (), None, PLAIN)
        call.context = contextvars.copy_context()
        deadline, scope = inherited(deadline, scope)
        _submit(
            bridge.queue, call, self, input, policy, (deadline, key, name, permits, priority, scope)
        )
        try:
            return bridge.finish(call)
        finally:
            bridge.queue.calls.pop(call.number, None)


RARE = ("deadline", "key", "name", "permits", "priority", "scope")


class _WholeCall(AsyncCall):
    __slots__ = ()

    def settle(self, told: Tuple[Any, ...], exception: Optional[BaseException]) -> None:
        self.resolve(_make_outcome(told)._replace(error=exception))


def _runtime_of(
    operation: Operation, policy: Any, runtime: Optional[Runtime], scope: Any
) -> Runtime:
    for owner in (
        runtime,
        operation.runtime,
        getattr(policy, "runtime", None),
        getattr(scope, "runtime", None),
    ):
        if owner is not None:
            return owner
    return current_runtime()


def _submit(
    queue: Queue, call: Any, operation: Operation, value: Any, policy: Any, rare: Tuple[Any, ...]
) -> None:
    number = next(_call_numbers)
    judges: Judges = policy._judges if policy is not None else ()
    call.operation = operation._compile_for(policy, queue, judges)
    call.number = number
    queue.calls[number] = call
    handle = policy._handle(queue) if policy is not None else None
    try:
        queue.run(call, call.operation, handle, value, *rare, number)
    except BaseException:
        del queue.calls[number]
        raise


class Leaf(Operation):
    """A function: plain or asynchronous. ``mode`` says what it is called with: nothing, the input, or what failed."""

    def __init__(
        self,
        function: Callable[..., Any],
        mode: str = "nothing",
        judges: Judges = (),
        once: bool = False,
    ) -> None:
        super().__init__()
        # Begun once, whenever that may be: its site is kept from expect() until then.
        self.once = once
        self.expected = False
        self._expected: List[Tuple[Queue, Site]] = []
        self.function, self.mode, self.judges = function, mode, judges

    def _make(self, queue: Queue, judges: Judges) -> Tuple[Any, ...]:
        site = Site(self, judges + self.judges)
        if self.once:
            self._expected.append((queue, site))
            if self.expected:
                self.expect()
            return (queue.leaf(site.number),)
        queue.sites[site.number] = site
        return (queue.leaf(site.number), _Registration(queue, site.number))

    def expect(self) -> None:
        """From here on it may begin, though nobody holds this any more."""
        for queue, site in self._expected:
            queue.sites[site.number] = site

    def __repr__(self) -> str:
        return f"<weir operation {getattr(self.function, '__qualname__', self.function)!s}>"


class _Registration:
    """Keeps a site with its queue as long as the operation that it was compiled from lives."""

    __slots__ = ("queue", "number")

    def __init__(self, queue: Queue, number: int) -> None:
        self.queue, self.number = queue, number

    def __del__(self) -> None:
        self.queue.sites.pop(self.number, None)


class Wrapped(Operation):
    def __init__(self, policy: "Policy", inner: Operation) -> None:
        super().__init__()
        self.policy, self.inner = policy, inner
        self.runtime = policy.runtime

    def _make(self, queue: Queue, judges: Judges) -> Tuple[Any, ...]:
        inner = self.inner._compile_for(self, queue, judges + self.policy._judges)
        return (inner.wrap(self.policy._handle(queue)), inner)


class Several(Operation):
    """Made of other operations by ``make(queue, compiled operations)``."""

    def __init__(
        self,
        parts: Sequence["Work"],
        make: Callable[[Queue, List[Any]], Any],
        mode: str = "nothing",
    ) -> None:
        super().__init__()
        self.parts = [as_operation(part, mode) for part in parts]
        self.make = make
        self.runtime = next((part.runtime for part in self.parts if part.runtime is not None), None)

    def _make(self, queue: Queue, judges: Judges) -> Tuple[Any, ...]:
        compiled = [part._compile(queue, judges) for part in self.parts]
        return (self.make(queue, compiled), compiled)


Work = Union[Operation, Callable[..., Any], Any]


def as_operation(work: Work, mode: str = "nothing") -> Operation:
    """An operation as it is; a function as a leaf; an awaitable as one that can be begun once."""
    if isinstance(work, Operation):
        return work
    if callable(work):
        return Leaf(work, mode)
    if hasattr(type(work), "__await__"):
        return Leaf(_once(work))
    raise TypeError(f"a function, an operation or an awaitable is wanted, not {work!r}")


class _once:
    """A coroutine object as a function that is called at most once, and closed if never."""

    def __init__(self, awaitable: Any) -> None:
        self.awaitable = awaitable

    def __call__(self) -> Any:
        awaitable, self.awaitable = self.awaitable, None
        if awaitable is None:
            raise RuntimeError(
                "this coroutine was awaited before: give a function, so that it can be tried again"
            )
        return awaitable

    def __del__(self) -> None:
        if self.awaitable is not None and hasattr(self.awaitable, "close"):
            self.awaitable.close()


def operation(function: Callable[..., Any], *, classify: Optional[Classify] = None) -> Operation:
    """A function of one argument, the run's input, as an operation that can be composed.

    ``classify`` judges what it raises or returns, as the option of that name of policies does.
    """
    check_functions("operation", function=function, classify=classify)
    return Leaf(function, "input", (Judge(classify=classify),) if classify is not None else ())


# --- what is made of them (the patterns of weir/race.h, all.h, parallel.h, waterfall.h, poll.h, sleep.h) ----------


def race_of(
    tasks: Sequence[Work],
    *,
    first_settled: bool = False,
    decisive: Optional[Sequence[bool]] = None,
    name: Optional[str] = None,
) -> Operation:
    """The first success of several; AggregateError when all have failed. A decisive one ends it either way."""
    flags = bytes(bool(flag) for flag in decisive) if decisive is not None else None
    return Several(
        tasks, lambda queue, parts: _weir.race(queue.runtime, parts, first_settled, flags, name)
    )


def any_of(tasks: Sequence[Work], *, name: Optional[str] = None) -> Operation:
    """The first success of several."""
    return Several(tasks, lambda queue, parts: _weir.any_of(queue.runtime, parts, name))


def all_of(tasks: Sequence[Work], *, name: Optional[str] = None) -> Operation:
    """All at once: the list of their values, or the first failure."""
    return Several(tasks, lambda queue, parts: _weir.all_of(queue.runtime, parts, name))


def all_settled_of(tasks: Sequence[Work], *, name: Optional[str] = None) -> Operation:
    """All at once: the list of their values and exceptions."""
    return Several(tasks, lambda queue, parts: _weir.all_settled(queue.runtime, parts, name))


def waterfall_of(steps: Sequence[Work], *, name: Optional[str] = None) -> Operation:
    """One after the other, each called with the value of the one before, the first with the run's input."""
    return Several(steps, lambda queue, parts: _weir.waterfall(queue.runtime, parts, name), "input")


def _with_policy(options: Dict[str, Any], queue: Queue) -> Dict[str, Any]:
    policy = options.get("policy")
    if policy is None:
        return options
    return {**options, "policy": policy._handle(queue)}


def _policy_judges(options: Dict[str, Any]) -> Judges:
    policy = options.get("policy")
    judges: Judges = policy._judges if policy is not None else ()
    return judges


class Parallel(Operation):
    def __init__(self, tasks: Sequence[Work], options: Dict[str, Any]) -> None:
        super().__init__()
        self.parts = [as_operation(task) for task in tasks]
        self.options = options
        self.runtime = next((part.runtime for part in self.parts if part.runtime is not None), None)

    def _make(self, queue: Queue, judges: Judges) -> Tuple[Any, ...]:
        compiled = [
            part._compile(queue, judges + _policy_judges(self.options)) for part in self.parts
        ]
        options = _with_policy(self.options, queue)
        return (_weir.parallel(queue.runtime, queue, compiled, **options), compiled)


class Each(Operation):
    """One operation for each item of a list, or of what a source gives."""

    def __init__(
        self, work: Work, items: Optional[Sequence[Any]], source: Any, options: Dict[str, Any]
    ) -> None:
        super().__init__()
        self.work, self.items, self.source, self.options = (
            as_operation(work, "input"),
            items,
            source,
            options,
        )
        self.runtime = self.work.runtime

    def _make(self, queue: Queue, judges: Judges) -> Tuple[Any, ...]:
        compiled = self.work._compile(queue, judges + _policy_judges(self.options))
        options = dict(_with_policy(self.options, queue))
        kept: List[Any] = [compiled]
        if self.source is not None:
            site = Site(Leaf(self.source), ())
            queue.sites[site.number] = site
            options["source"] = queue.asked(site.number)
            kept.append(_Registration(queue, site.number))
        items = None if self.items is None else _weir.Many(self.items)
        return (_weir.parallel_each(compiled, queue, items, **options), kept)


def parallel_of(
    tasks: Sequence[Work], *, concurrency: Optional[int] = None, **options: Any
) -> Operation:
    """Several, at most ``concurrency`` at once; see weir.parallel()."""
    return Parallel(tasks, {"concurrency": concurrency, **options})


def each_of(
    work: Work, items: Sequence[Any], *, concurrency: Optional[int] = None, **options: Any
) -> Operation:
    """One operation over many items, at most ``concurrency`` at once."""
    return Each(work, items, None, {"concurrency": concurrency, **options})


def poll_of(
    work: Work, *, interval: Any, until: Optional[Callable[[Any], Any]] = None, **options: Any
) -> Operation:
    """Again and again until its value is what is waited for; see weir.poll()."""
    return Polled(as_operation(work), until, {"interval": interval, **options})


class Polled(Operation):
    def __init__(
        self, work: Operation, until: Optional[Callable[[Any], Any]], options: Dict[str, Any]
    ) -> None:
        check_functions("poll", until=until)
        super().__init__()
        self.work, self.options = work, options
        self.judges: Judges = ()
        if until is not None:  # a value that is not yet the one counts as a failure
            self.judges = (Judge(failed_value=lambda value: not until(value)),)
        self.runtime = work.runtime

    def _make(self, queue: Queue, judges: Judges) -> Tuple[Any, ...]:
        compiled = self.work._compile(queue, judges + self.judges)
        return (_weir.poll(compiled, **self.options), compiled)


class Sleep(Operation):
    def __init__(
        self, seconds: Any, value: Any, status: int, error: Optional[BaseException]
    ) -> None:
        super().__init__()
        self.seconds, self.value, self.status, self.error = seconds, value, status, error

    def _make(self, queue: Queue, judges: Judges) -> Tuple[Any, ...]:
        return (
            _weir.sleep(queue.runtime, self.seconds, queue, self.value, self.status, self.error),
        )


def sleep_of(
    seconds: Any, value: Any = None, *, error: Optional[BaseException] = None, status: int = 0
) -> Operation:
    """Waits, then gives ``value``, or fails with ``error``: among racers a fallback, or a timeout."""
    return Sleep(seconds, value, status or (0 if error is None else -10), error)


class Scoped(Operation):
    def __init__(self, body: Work, options: Dict[str, Any]) -> None:
        super().__init__()
        self.body, self.options = as_operation(body), options
        self.runtime = self.body.runtime

    def _make(self, queue: Queue, judges: Judges) -> Tuple[Any, ...]:
        compiled = self.body._compile(queue, judges)
        return (_weir.scope_operation(compiled, **self.options), compiled)


def scope_of(body: Work, **options: Any) -> Operation:
    """Runs ``body`` in a scope of its own; options as weir.Scope's."""
    return Scoped(body, options)


class Resource(Operation):
    def __init__(self, open: Work, close: Work, key: Optional[str]) -> None:
        super().__init__()
        self.open, self.close, self.key = as_operation(open), as_operation(close, "input"), key
        self.runtime = self.open.runtime

    def _make(self, queue: Queue, judges: Judges) -> Tuple[Any, ...]:
        parts = (self.open._compile(queue, judges), self.close._compile(queue, ()))
        return (_weir.scope_resource(parts[0], parts[1], self.key), parts)


def opened_once(open: Work, close: Callable[[Any], Any], key: Optional[str]) -> Operation:
    """A resource that is opened once. Nothing is kept to close what was never opened."""
    closes = Leaf(close, "input", once=True)
    if isinstance(open, Operation):  # what it runs is not seen here
        closes.expected = True
        return Resource(open, closes, key)
    work = as_operation(open)
    assert isinstance(work, Leaf)
    function = work.function

    def begins(*args: Any) -> Any:
        value = function(*args)
        if hasattr(type(value), "__await__"):
            return _expecting(value, closes)
        closes.expect()
        return value

    return Resource(Leaf(begins, work.mode), closes, key)


async def _expecting(opening: Any, closes: Leaf) -> Any:
    value = await opening
    closes.expect()
    return value


def resource_of(open: Work, close: Work, key: Optional[str] = None) -> Operation:
    """Opens a resource in the scope of its run; ``close(value)`` runs when that scope ends."""
    return Resource(open, close, key)
