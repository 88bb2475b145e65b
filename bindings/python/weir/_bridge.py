# SPDX-License-Identifier: MIT
"""Where runs settle and attempts begin: an event loop, a thread that waits, or a pool of threads.

Each has a completion queue of its own. An attempt begins where the run was started, except for work that several
calls share (a cache's load, a debounced function), which begins where the first of them was.

    LoopBridge    asyncio: each attempt is a task; the queue's descriptor wakes the loop
    ThreadBridge  blocking calls: the calling thread waits, and runs the function itself
    PoolBridge    blocking calls whose attempts overlap or are shared: a pool's threads run them
"""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import threading
import weakref
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Tuple

from . import _weir
from ._errors import DOMAIN_USER, WeirError, _default_class, _describe

if TYPE_CHECKING:
    from ._runtime import Runtime

_numbers = itertools.count(1)
_here: "contextvars.ContextVar[Optional[Attempt]]" = contextvars.ContextVar(
    "weir.attempt", default=None
)
scope_here: "contextvars.ContextVar[Any]" = contextvars.ContextVar("weir.scope", default=None)


class Queue(_weir.Queue):
    """A completion queue that knows its bridge, and the calls whose leaves may begin (see _operations.py)."""

    bridge: Any
    calls: Dict[int, Any]

    def __init__(self, runtime: "Runtime") -> None:
        super().__init__(runtime)
        self.bridge = None
        self.calls = {}

    def told(self, token: int) -> Tuple[Any, ...]:
        """What there is to know of an attempt; nothing once it was completed."""
        return self.attempt(token) or (0, 0, None, None, None, 0, None)


class Attempt:
    """The attempt that runs now, for the function that is called: ``weir.current_attempt()``.

    number     of the attempt in its run, from 1
    cancelled  whether weir asked it to stop; blocking functions look at it, coroutines are cancelled
    """

    __slots__ = ("queue", "token", "number", "_stopped", "_told")

    def __init__(self, queue: Queue, token: int, number: int) -> None:
        self.queue, self.token, self.number = queue, token, number
        self._stopped = False
        self._told: Any = None

    def cancel(self, message: str) -> None:
        self._stopped = True

    @property
    def cancelled(self) -> bool:
        if not self._stopped:
            self.queue.bridge.look(self.queue)
        return self._stopped

    def _get(self) -> Tuple[Any, ...]:
        return self.queue.told(self.token)

    @property
    def index(self) -> int:
        """Which of the operations or items of a race, a parallel ... it is, from 0."""
        return int(self._get()[1])

    @property
    def remaining(self) -> Optional[float]:
        """Seconds until the nearest deadline; None if there is none."""
        left: Optional[float] = self._get()[2]
        return left

    @property
    def key(self) -> Optional[bytes]:
        """The run's key."""
        key: Optional[bytes] = self._get()[3]
        return key

    @property
    def failed(self) -> Optional[BaseException]:
        """What failed before, for the function of a fallback."""
        failed: Optional[BaseException] = self._get()[4]
        return failed

    @property
    def scope(self) -> Any:
        """The scope that the run is in, or None."""
        return self._get()[6]


def current_attempt() -> Optional[Attempt]:
    """The attempt of weir's in which this code runs: the task of a coroutine, or the thread of a function."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    if task is not None:
        coroutine: Any = task.get_coro()
        if type(coroutine) is _weir.Attempt:
            return Attempt(coroutine.queue, coroutine.token, 0)
    return _here.get()


def inherited(deadline: Any, scope: Any) -> Tuple[Any, Any]:
    """What a run takes over from where it is begun: the attempt's deadline, if that is nearer, and the scope."""
    attempt = current_attempt()
    around = scope_here.get()
    if attempt is not None:
        known = attempt._get()
        left = known[2]
        if left is not None and (deadline is None or as_seconds(deadline) > left):
            deadline = left
        around = around or known[6]
    return deadline, around if scope is None else scope


def is_attempt(task: Any) -> bool:
    return task is not None and type(task.get_coro()) is _weir.Attempt


def inherit(rare: Tuple[Any, ...]) -> Tuple[Any, ...]:
    options = list(rare) + list(DEFAULTS[len(rare) :])
    options[0], options[5] = inherited(options[0], options[5])
    return tuple(options)


def as_seconds(duration: Any) -> float:
    return float(duration.total_seconds() if hasattr(duration, "total_seconds") else duration)


class Owner:
    """Judges and completes attempts. ``judge`` is None where a value is a success and nothing else."""

    __slots__ = ()
    judge: Any = None

    def marks(self, exception: BaseException) -> Tuple[int, bool, Optional[float]]:
        return marks_of(exception)

    def fail(self, queue: _weir.Queue, token: int, exception: BaseException) -> bool:
        try:
            return queue.fail(token, exception, *_describe(exception), *self.marks(exception))
        except BaseException as error:  # a predicate's, or one of the exception's own attributes
            if error.__context__ is None:
                error.__context__ = exception
            kind = type(error).__name__
            return queue.fail(token, error, DOMAIN_USER, 0, kind, _default_class(error), True, None)


def marks_of(exception: BaseException) -> Tuple[int, bool, Optional[float]]:
    """Class, whether it is final, and when to try again: what weir.failure() or the type says."""
    after = getattr(exception, "retry_after", None)
    after = after if isinstance(after, (int, float)) and after >= 0 else None
    final = not isinstance(exception, Exception) or getattr(exception, "weir_final", False) is True
    class_ = getattr(exception, "weir_class", 0)
    return class_ if class_ in (1, 2, 3, 4, 5) else _default_class(exception), final, after


class Judged(Owner):
    """Judges by the predicates of the policies around an attempt, the innermost first."""

    __slots__ = ("judges",)

    def __init__(self, judges: Tuple[Any, ...]) -> None:
        self.judges = judges

    def judge(self, queue: _weir.Queue, token: int, value: Any) -> bool:
        for judge in reversed(self.judges):
            class_ = judge.of_value(value)
            if class_:
                return queue.complete(token, value, class_)
        return queue.complete(token, value)

    def marks(self, exception: BaseException) -> Tuple[int, bool, Optional[float]]:
        class_, final, after = marks_of(exception)
        if isinstance(exception, Exception):
            for judge in reversed(self.judges):
                said, last, wait = judge.of_exception(exception)
                class_ = said or class_
                final = final or last
                after = wait if wait is not None else after
        return class_, final, after


PLAIN = Owner()
# Of a run's rare options: deadline, key, name, permits, priority, scope.
DEFAULTS: Tuple[Any, ...] = (None, None, None, 1, 31, None)


class Call(_weir.Call):
    """A run in flight: what its settlement goes to and, as the run's input, what its attempts begin from."""

    __slots__ = ("owner", "function", "args", "kwargs", "context", "operation", "number")
    if TYPE_CHECKING:
        context: Any

    def __init__(
        self, function: Any, args: Tuple[Any, ...], kwargs: Any, owner: Owner = PLAIN
    ) -> None:
        self.function, self.args, self.kwargs, self.owner = function, args, kwargs, owner
        self.operation: Any = None
        self.number = 0

    def start(self, queue: Queue, token: int, number: int) -> None:
        queue.bridge.begin(
            queue, token, number, self.function, self.args, self.kwargs, self.owner, self.context
        )


class AsyncCall(_weir.LoopCall):
    __slots__ = ("operation", "number")
    if TYPE_CHECKING:
        operation: Any
        number: int

    def reject(self, exception: BaseException) -> None:
        if self.future.done() or self.future.get_loop().is_closed():
            return
        if isinstance(exception, StopIteration):  # a future cannot carry one, as a coroutine cannot
            error = RuntimeError("the function raised StopIteration")
            error.__cause__ = exception
            exception = error
        self.future.set_exception(exception)


class LoopBridge:
    """Of one runtime and one event loop."""

    def __init__(self, runtime: "Runtime", loop: asyncio.AbstractEventLoop) -> None:
        self.runtime, self.loop = runtime, loop
        self.queue = runtime._take_queue()
        self.queue.bridge = self
        self.queue.schedule, self.queue.create_task = loop.call_soon, loop.create_task
        loop.add_reader(self.queue.fd, self.queue.drain)
        if runtime._manual:
            loop.add_reader(runtime._wake_fd, self.pump)

    def pump(self) -> int:
        """Of a manual runtime: does what is due now."""
        self.queue.flush()
        return self.runtime._run_until_idle() + self.queue.drain()

    def begin(
        self,
        queue: Queue,
        token: int,
        number: int,
        function: Any,
        args: Any,
        kwargs: Any,
        owner: Owner,
        context: Any,
    ) -> None:
        attempt = _weir.Attempt(queue, token, function, args, kwargs, owner)
        queue.attempts[token] = context.run(self.loop.create_task, attempt)

    def look(self, queue: Queue) -> None:
        pass  # tasks are cancelled

    async def finish(self, call: AsyncCall) -> Any:
        """Waits for a call that was submitted already."""
        try:
            return await call.future
        except BaseException:
            if call.running:
                call.stop()
            raise

    async def finish_slot(self, call: Any) -> None:
        """Waits until the call's attempt begins; a cancel before that gives the place in the queue up."""
        try:
            await call.future
        except BaseException:
            call.stop()
            if call.token:  # it had begun
                self.queue.complete(call.token, None)
            raise

    def retire(self) -> None:
        """The loop forgets a runtime that is closed and of which nothing is out any more."""
        self.queue.flush()
        self.queue.drain()
        if self.queue.closed and self.queue.out == 0 and self.runtime._loops.get(self.loop) is self:
            del self.runtime._loops[self.loop]
            self.loop.remove_reader(self.queue.fd)
            if self.runtime._manual:
                self.loop.remove_reader(self.runtime._wake_fd)

    def end(self) -> None:
        """The loop is closed: nothing that began there goes on."""
        for attempt in list(self.queue.attempts.values()):
            coroutine = attempt.get_coro() if isinstance(attempt, asyncio.Task) else None
            if coroutine is not None:
                coroutine.close()
        self.queue.flush()
        self.queue.schedule = self.queue.create_task = None
        self.queue.bridge = Closed
        self.runtime._give_queue(self.queue)


async def run_here(
    runtime: "Runtime",
    function: Any,
    args: Any,
    kwargs: Any,
    owner: Owner,
    operation: Any,
    policy: Any,
    *rare: Any,
) -> Any:
    """A run in the running event loop. ``operation`` and ``policy``, if they are not None, are functions that give
    the library's for a queue."""
    loop = asyncio.get_running_loop()
    bridge = runtime._loops.get(loop) or runtime._loop_bridge(loop)
    queue = bridge.queue
    call = AsyncCall(loop.create_future(), function, args, kwargs, owner)
    if scope_here.get() is not None or is_attempt(asyncio.current_task()):
        rare = inherit(rare)
    queue.submit(
        call,
        None if operation is None else operation(queue),
        None if policy is None else policy(queue),
        call,
        *rare,
    )
    try:
        return await call.future
    except BaseException:
        if call.running:
            call.stop()
        raise


class Closed:
    """Stands in for the bridge of a queue whose loop or thread is gone."""

    @staticmethod
    def begin(queue: Queue, token: int, number: int, *rest: Any) -> None:
        PLAIN.fail(queue, token, WeirError("the event loop or thread of this attempt is gone"))

    @staticmethod
    def look(queue: Queue) -> None:
        pass


class BlockingCall(Call):
    __slots__ = ("done", "value", "error")

    def __init__(self, function: Any, args: Any, kwargs: Any, owner: Owner) -> None:
        super().__init__(function, args, kwargs, owner)
        self.done = False
        self.value: Any = None
        self.error: Optional[BaseException] = None
        self.context = None

    def resolve(self, value: Any) -> None:
        self.done, self.value = True, value

    def reject(self, exception: BaseException) -> None:
        self.done, self.error = True, exception


def _call_now(
    queue: Queue, token: int, number: int, function: Any, args: Any, kwargs: Any, owner: Owner
) -> None:
    """Runs an attempt on this thread."""
    attempt = Attempt(queue, token, number)
    queue.attempts[token] = attempt
    before = _here.set(attempt)
    try:
        value = function(*args, **kwargs) if kwargs else function(*args)
        if hasattr(type(value), "__await__"):
            if hasattr(value, "close"):
                value.close()
            raise TypeError(
                f"{function!r} is asynchronous: await policy.run(...) instead of policy.call(...)"
            )
    except BaseException as exception:
        _here.reset(before)
        owner.fail(queue, token, exception)
    else:
        _here.reset(before)
        try:
            if owner.judge is None:
                queue.complete(token, value)
            else:
                owner.judge(queue, token, value)
        except BaseException as exception:
            owner.fail(queue, token, exception)


class ThreadBridge:
    """Of one runtime and one thread that waits for its calls, one inside of the other."""

    def __init__(self, runtime: "Runtime") -> None:
        self.runtime = runtime
        self.queue = runtime._take_queue()
        self.queue.bridge = weakref.proxy(self)  # no cycle: it ends with its thread, at once
        self.pending: List[Tuple[Any, ...]] = []

    def begin(self, *attempt: Any) -> None:
        self.pending.append(attempt[:7])

    def look(self, queue: Queue) -> None:
        queue.drain()

    def pump(self) -> int:
        """Of a manual runtime: runs what nobody waits for on this thread."""
        busy = self.queue.drain()
        while self.pending:
            _call_now(*self.pending.pop(0))
        return busy

    def wait(self) -> None:
        """Until records wait. On virtual time, nobody else moves the clock: it goes to the next timer."""
        runtime = self.runtime
        if not runtime._manual:
            self.queue.wait(None)
        elif not runtime._run_until_idle():
            deadline = runtime._next_deadline()
            if deadline == 2**63 - 1 and not self.queue.wait(0):
                raise RuntimeError(
                    "nothing that is due on this virtual clock would ever end this call"
                )
            runtime._process(deadline)
        if runtime._manual and runtime._ears is not None:
            runtime._ears.drain()

    def run(
        self,
        function: Any,
        args: Any,
        kwargs: Any,
        owner: Owner,
        operation: Any,
        policy: Any,
        *rare: Any,
    ) -> Any:
        call = BlockingCall(function, args, kwargs, owner)
        queue = self.queue
        if scope_here.get() is not None or _here.get() is not None:
            rare = inherit(rare)
        queue.run(call, operation, policy, call, *rare)
        return self.finish(call)

    def finish(self, call: BlockingCall) -> Any:
        queue, pending = self.queue, self.pending
        try:
            while not call.done:
                if pending:
                    _call_now(*pending.pop(0))
                elif not queue.drain():
                    self.wait()
        except BaseException:
            call.stop()
            raise
        if call.error is not None:
            error, call.error = call.error, None
            raise error
        return call.value

    def __del__(self) -> None:
        try:
            for queue, token, *_ in self.pending:
                PLAIN.fail(queue, token, WeirError("the thread of this attempt is gone"))
            self.queue.bridge = Closed
            self.runtime._give_queue(self.queue)
        except Exception:
            pass  # the interpreter or the process that made it is going or gone


class FutureCall(Call):
    __slots__ = ("future",)

    def __init__(self, function: Any, args: Any, kwargs: Any, owner: Owner) -> None:
        super().__init__(function, args, kwargs, owner)
        self.future: "Future[Any]" = Future()
        self.context = None

    def resolve(self, value: Any) -> None:
        self.future.set_result(value)

    def reject(self, exception: BaseException) -> None:
        self.future.set_exception(exception)


class PoolBridge:
    """Of one runtime: a thread that drains, and a pool that runs functions."""

    def __init__(self, runtime: "Runtime") -> None:
        self.runtime = runtime
        self.queue = runtime._take_queue()
        self.queue.bridge = self
        self.pool = ThreadPoolExecutor(512, thread_name_prefix="weir-call")
        threading.Thread(target=self.drain, name="weir-drain", daemon=True).start()

    def drain(self) -> None:
        while not self.queue.closed:
            self.queue.wait(None)
            self.queue.drain()
        self.pool.shutdown(wait=False)

    def begin(self, *attempt: Any) -> None:
        try:
            self.pool.submit(_call_now, *attempt[:7])
        except RuntimeError as error:  # the interpreter ends
            PLAIN.fail(attempt[0], attempt[1], error)

    def look(self, queue: Queue) -> None:
        pass  # the draining thread tells

    def run(
        self,
        function: Any,
        args: Any,
        kwargs: Any,
        owner: Owner,
        operation: Any,
        policy: Any,
        *rare: Any,
    ) -> Any:
        call = FutureCall(function, args, kwargs, owner)
        if scope_here.get() is not None or _here.get() is not None:
            rare = inherit(rare)
        self.queue.run(call, operation, policy, call, *rare)
        return self.finish(call)

    def finish(self, call: FutureCall) -> Any:
        try:
            return call.future.result()
        except BaseException:
            if call.running:
                call.stop()
            raise


Function = Callable[..., Any]
