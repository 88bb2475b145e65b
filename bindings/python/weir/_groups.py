# SPDX-License-Identifier: MIT
"""What groups runs: the scope, and the pool."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from typing import Any, Callable, Dict, Iterator, List, Optional

from . import _weir
from ._bridge import Call, current_attempt, scope_here
from ._flow import Progress, _Collector
from ._judge import check_functions
from ._operations import Leaf, Operation, as_operation, opened_once
from ._policies import policies_of, runtime_or_current
from ._runtime import Runtime, log_level


class _Ready(Operation):
    """A compiled operation as it is, for any queue."""

    def __init__(self, compiled: Any, runtime: Runtime) -> None:
        super().__init__()
        self.compiled, self.runtime = compiled, runtime

    def _compile(self, queue: Any, judges: Any) -> Any:
        return self.compiled


class Scope(_weir.Scope):
    """Groups runs: one deadline and one cancel for all, values they see, resources that are closed at its end.

        async with weir.Scope(deadline=30, name="import") as scope:
            connection = await scope.open(connect, disconnect)
            await weir.retry(load, connection)        # belongs to the scope, as all that runs in the block

    deadline  seconds for everything in it; None (default): no bound
    exit      what the end does with runs that go on: 'join' (default) waits, 'cancel' cancels, 'grace' waits first
    grace     seconds that the end waits for what does not stop; default 5
    parent    the scope it is inside of; default: the one around

    A block that raises cancels the scope first. ``with`` is the same for blocking use.
    """

    @property
    def runtime(self) -> Runtime:
        """The runtime it belongs to."""
        found: Runtime = self._runtime
        return found

    def __init__(
        self,
        *,
        deadline: Any = None,
        exit: str = "join",
        grace: Any = 5.0,
        parent: "Optional[Scope]" = None,
        name: Optional[str] = None,
        runtime: Optional[Runtime] = None,
    ) -> None:
        if parent is not None and not isinstance(parent, _weir.Scope):
            raise TypeError(f"scope.parent must be a scope, not {parent!r}")
        around = parent if parent is not None else current_scope()
        if runtime is None and around is not None:
            runtime = around.runtime
        if parent is None and around is not None and around.runtime is not runtime:
            around = None
        chosen = runtime_or_current(runtime)
        super().__init__(
            chosen, None, deadline=deadline, exit=exit, grace=grace, parent=around, name=name
        )

    def run(self, work: Any, /, *args: Any, policy: Any = None, **options: Any) -> Any:
        """Runs a function or an operation in the scope: a coroutine to await."""
        return self._operation(work, args).run(policy=policies_of(policy), scope=self, **options)

    def call(self, work: Any, /, *args: Any, policy: Any = None, **options: Any) -> Any:
        """As run(), but blocks this thread."""
        return self._operation(work, args).call(policy=policies_of(policy), scope=self, **options)

    def start(self, work: Any, /, *args: Any, **options: Any) -> "asyncio.Task[Any]":
        """Runs it beside the block: a task."""
        return asyncio.get_running_loop().create_task(self.run(work, *args, **options))

    def _operation(self, work: Any, args: Any) -> Operation:
        return as_operation((lambda: work(*args)) if args else work)

    def open(
        self, open: Callable[..., Any], close: Callable[[Any], Any], key: Optional[str] = None
    ) -> Any:
        """Opens a resource: to await. ``close(resource)`` runs when the scope ends, the last opened first; with a
        ``key`` the resource is a value of the scope, too.
        """
        return self._resource(open, close, key).run(scope=self)

    def open_now(
        self, open: Callable[..., Any], close: Callable[[Any], Any], key: Optional[str] = None
    ) -> Any:
        """As open(), but blocks this thread."""
        return self._resource(open, close, key).call(scope=self)

    def _resource(self, open: Any, close: Any, key: Optional[str]) -> Operation:
        check_functions("scope", close=close)
        return opened_once(open, close, key)

    def set(self, key: str, value: Any) -> None:
        """A value that all in the scope, and in those inside it, see."""
        self._set(self.runtime._drained_home(), key, value)

    def get(self, key: str, default: Any = None) -> Any:
        """A value of the scope, or of those around it."""
        return self._get(key, default)

    __setitem__ = set

    def __getitem__(self, key: str) -> Any:
        missing = object()
        value = self._get(key, missing)
        if value is missing:
            raise KeyError(key)
        return value

    def log(self, message: str, level: str = "info") -> None:
        """Logs through the runtime under the scope's path of names."""
        self._log(log_level(level), message)

    def cancel(self) -> None:
        """Cancels every run in it, and refuses new ones."""
        self._cancel()

    def close(self) -> Any:
        """Ends the scope: to await. Waits for its runs, then closes its resources."""
        return _Ready(self._join(), self.runtime).run(runtime=self.runtime)

    def close_now(self) -> None:
        """As close(), but blocks this thread."""
        _Ready(self._join(), self.runtime).call(runtime=self.runtime)

    async def __aenter__(self) -> "Scope":
        self._before = scope_here.set(self)
        return self

    async def __aexit__(self, kind: Any, exception: Any, traceback: Any) -> None:
        scope_here.reset(self._before)
        if kind is not None:
            self._cancel()
        try:
            await self.close()
        except Exception:
            if kind is None:
                raise

    def __enter__(self) -> "Scope":
        self._before = scope_here.set(self)
        return self

    def __exit__(self, kind: Any, exception: Any, traceback: Any) -> None:
        scope_here.reset(self._before)
        if kind is not None:
            self._cancel()
        try:
            self.close_now()
        except Exception:
            if kind is None:
                raise


def current_scope() -> Any:
    """The scope that this code runs in: of the block around, or of the attempt; None if there is none."""
    found = scope_here.get()
    if found is None:
        attempt = current_attempt()
        found = attempt.scope if attempt is not None else None
    return found


_weir.set_scope_class(Scope)


class Pool(_weir.Pool):
    """Runs what is added, at most ``concurrency`` at once, while more is added, from any thread.

        async with weir.Pool(concurrency=4) as pool:
            for url in urls:
                pool.add(fetch, url)
        print(pool.results)

    concurrency    at once; None: all
    item_timeout   seconds for each; None (default): no bound
    stop_on_error  the first failure ends it (default); else results has exceptions, too
    policy         around each
    on_progress    called with how many have ended, and of how many (None until it is sealed)
    """

    runtime: Runtime

    def __init__(
        self,
        concurrency: Optional[int] = 5,
        *,
        item_timeout: Any = None,
        stop_on_error: bool = True,
        policy: Any = None,
        on_progress: Optional[Progress] = None,
        name: Optional[str] = None,
        runtime: Optional[Runtime] = None,
    ) -> None:
        check_functions("pool", on_progress=on_progress)
        self.runtime = runtime_or_current(runtime)
        try:
            bridge: Any = self.runtime._loop_bridge(asyncio.get_running_loop())
        except RuntimeError:
            bridge = self.runtime._pool_bridge()
        self._bridge, self._queue = bridge, bridge.queue
        chosen = policies_of(policy)
        options: Dict[str, Any] = {
            "policy": chosen._handle(self._queue) if chosen is not None else None
        }
        self._judges = chosen._judges if chosen is not None else ()
        self._collector = _Collector(self._progress, None) if on_progress is not None else None
        self._tell, self._added, self._sealed = on_progress, 0, False
        if self._collector is not None:
            options["user"] = self._collector.user
        super().__init__(
            self.runtime,
            self._queue,
            concurrency=concurrency,
            item_timeout=item_timeout,
            stop_on_error=int(stop_on_error),
            name=name,
            **options,
        )
        self.results: List[Any] = []
        self._kept: List[Operation] = []
        self._task: "Optional[asyncio.Future[Any]]" = None

    def _progress(self, done: int, total: Optional[int]) -> None:
        if self._tell is not None:
            self._tell(done, self._added if self._sealed else None)

    def add(self, work: Any, /, *args: Any, **kwargs: Any) -> None:
        """Adds a function with its arguments, or an operation with its input. Raises Closed when it is over."""
        if isinstance(work, Operation):
            self._kept.append(work)
            self._add(
                self._queue, work._compile(self._queue, self._judges), args[0] if args else None
            )
        elif self._judges:
            leaf = Leaf(lambda: work(*args, **kwargs))
            self._kept.append(leaf)
            self._add(self._queue, leaf._compile(self._queue, self._judges), None)
        else:
            item = Call(work, args, kwargs)
            item.context = contextvars.copy_context()
            self._add(self._queue, self._queue.leaf(0), item)
        self._added += 1

    def seal(self) -> None:
        """No more is added."""
        self._seal()
        self._sealed = True

    async def run(self, *, deadline: Any = None, scope: Any = None) -> List[Any]:
        """Takes the pool: waits until it is sealed and all in it has ended. The results, in the order of adding."""
        work = _Ready(self._operation(), self.runtime)
        with self._heard():
            values = await work.run(deadline=deadline, scope=scope, runtime=self.runtime)
            return self._done(values)

    def call(self, *, deadline: Any = None, scope: Any = None) -> List[Any]:
        """As run(), but blocks this thread; functions run on threads of a pool."""
        work = _Ready(self._operation(), self.runtime)
        with self._heard():
            return self._done(work.call(deadline=deadline, scope=scope, runtime=self.runtime))

    @contextlib.contextmanager
    def _heard(self) -> Iterator[None]:
        """While it runs, and no longer: the queue outlives the pool."""
        collector, listeners = self._collector, self._queue.listeners
        if collector is not None:
            listeners[collector.user] = collector
        try:
            yield
        finally:
            if collector is not None:
                listeners.pop(collector.user, None)

    def _done(self, values: Any) -> List[Any]:
        if self._collector is not None:
            values = self._collector.values()
        self.results = values
        return self.results

    async def __aenter__(self) -> "Pool":
        self._task = asyncio.ensure_future(self.run())
        return self

    async def __aexit__(self, kind: Any, exception: Any, traceback: Any) -> None:
        assert self._task is not None
        if kind is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            return
        self.seal()
        await self._task
