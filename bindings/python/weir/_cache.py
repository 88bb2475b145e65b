# SPDX-License-Identifier: MIT
"""The cache, memoize, and single flight.

Keys are str (its UTF-8) or bytes. Decorators make a key from the arguments: of None, bool, int, float, str, bytes,
Enum members, dates, UUIDs, Decimals and tuples of these; for others give ``key=``, a function of the arguments.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import functools
import uuid
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    NamedTuple,
    Optional,
    TypeVar,
    Union,
)

from . import _weir
from ._bridge import PLAIN, Owner, Queue, run_here
from ._judge import check_functions
from ._listen import Eviction, _EvictionListener, listen
from ._operations import Operation, Several
from ._policies import is_async, name_of, runtime_or_current
from ._runtime import Runtime

F = TypeVar("F", bound=Callable[..., Any])
Key = Union[str, bytes]
_MISSING: Any = object()


def key_of(*args: Any, **kwargs: Any) -> bytes:
    """The key of a call by its arguments: equal ones of equal types have equal keys."""
    return b"".join(_encoded(arg) for arg in args) + b"".join(
        b"k" + _encoded(name) + _encoded(kwargs[name]) for name in sorted(kwargs)
    )


def _encoded(value: Any) -> bytes:
    kind = type(value)
    if kind is str:
        return _framed(b"s", value.encode("utf-8", "surrogatepass"))
    if kind is bytes:
        return _framed(b"b", value)
    if value is None or kind in (bool, int, float, decimal.Decimal, uuid.UUID):
        return _framed(b"n", f"{kind.__name__}:{value!r}".encode())
    if kind in (tuple, frozenset):
        parts = [_encoded(part) for part in value]
        return _framed(
            b"t" if kind is tuple else b"f", b"".join(parts if kind is tuple else sorted(parts))
        )
    if isinstance(value, (enum.Enum, datetime.date, datetime.time, datetime.timedelta)):
        return _framed(b"e", f"{kind.__module__}.{kind.__qualname__}:{value!r}".encode())
    raise TypeError(f"no key can be made of {value!r}: give the decorator a key= function")


def _framed(tag: bytes, text: bytes) -> bytes:
    return tag + len(text).to_bytes(4, "little") + text


class Entry(NamedTuple):
    """One entry of a scan. ``remaining`` is in seconds; None: it never expires."""

    key: bytes
    value: Any
    remaining: Optional[float]
    weight: int


class _Boxing(Owner):
    """Tells the weight and the lifetime of what a load brings along with it."""

    __slots__ = ("cache",)

    def __init__(self, cache: "Cache") -> None:
        self.cache = cache

    def judge(self, queue: _weir.Queue, token: int, value: Any) -> bool:
        return queue.complete(token, self.cache._boxed(value))


class Cache(_weir.Cache):
    """Values by key, up to a bound of entries or weight, each for its lifetime.

    ttl             seconds after writing; default 300, None: for ever
    max_entries     default 1000; None: no bound
    idle            seconds after the last use; None (default): off
    load_timeout    seconds of one load; None (default): no bound
    refresh         seconds after which a get has the value loaded anew in the background; None (default): off
    stale_if_error  seconds after its expiry that a value still serves when loading fails; None (default): off
    negative_ttl    seconds that a failed load is remembered; None (default): off
    eviction        'adaptive' (default), 's3_fifo' or 'lru'
    max_weight      bound by weight, with weigh(value) -> int
    lifetime        lifetime(value) -> seconds (0 or less: gone at once), None (for ever) or ... (the cache's own ttl),
                    asked at each write
    on_evict        called with an Eviction for each entry that has left: in the event loop that ran where the cache
                    was made, or if there was none on a thread "weir-listen"

    ``await cache.get(key, load, *args)`` loads what is missing, once for all who wait. ``lookup``, ``put`` and
    ``invalidate`` decide at once on any thread. As a decorator it caches a function's results by its arguments.
    """

    runtime: Runtime

    def __init__(
        self,
        *,
        ttl: Any = 300.0,
        max_entries: Optional[int] = 1000,
        idle: Any = None,
        load_timeout: Any = None,
        refresh: Any = None,
        stale_if_error: Any = None,
        negative_ttl: Any = None,
        eviction: str = "adaptive",
        max_weight: Optional[int] = None,
        weigh: Optional[Callable[[Any], int]] = None,
        lifetime: Optional[Callable[[Any], Any]] = None,
        on_evict: Optional[Callable[[Eviction], Any]] = None,
        shards: int = 0,
        key: Optional[Callable[..., Key]] = None,
        name: Optional[str] = None,
        runtime: Optional[Runtime] = None,
    ) -> None:
        check_functions("cache", weigh=weigh, lifetime=lifetime, on_evict=on_evict, key=key)
        self.runtime = runtime_or_current(runtime)
        self._operations: Dict[Queue, Any] = {}
        heard: Any = {}
        if on_evict is not None:
            heard["_ear"] = listen(self, self.runtime, _EvictionListener(on_evict))
        super().__init__(
            self.runtime,
            (weigh is not None, lifetime is not None),
            ttl=ttl,
            max_entries=max_entries,
            idle=idle,
            load_timeout=load_timeout,
            refresh=refresh,
            stale_if_error=stale_if_error,
            negative_ttl=negative_ttl,
            eviction=eviction,
            max_weight=max_weight,
            shards=shards,
            name=name,
            **heard,
        )
        self._weigh, self._lifetime, self._key = weigh, lifetime, key
        self._owner: Owner = _Boxing(self) if weigh is not None or lifetime is not None else PLAIN
        self._looks_first = refresh is None

    def _boxed(self, value: Any) -> Any:
        if self._weigh is None and self._lifetime is None:
            return value
        weight = self._weigh(value) if self._weigh is not None else 1
        return _weir.Box(
            value, weight, self._lifetime(value) if self._lifetime is not None else ...
        )

    # --- the decide door --------------------------------------------------------------------------

    def put(self, key: Key, value: Any, ttl: Any = ...) -> None:
        """Writes an entry; ``ttl`` in seconds, None for ever, left out: the cache's own."""
        home = self.runtime._home_queue()
        self._put(home, key, self._boxed(value), ttl)
        home.drain()

    def put_if_absent(self, key: Key, value: Any) -> Any:
        """Writes unless there is a value: the one that is there then."""
        home = self.runtime._home_queue()
        there = self._put_if_absent(home, key, self._boxed(value))[1]
        home.drain()
        return there

    def clear(self) -> None:
        """Removes everything."""
        super().clear()
        self.runtime._home_queue().drain()

    def __setitem__(self, key: Key, value: Any) -> None:
        self.put(key, value)

    def __getitem__(self, key: Key) -> Any:
        value = self.lookup(key, _MISSING)
        if value is _MISSING:
            raise KeyError(key)
        return value

    def __delitem__(self, key: Key) -> None:
        if not self.invalidate(key):
            raise KeyError(key)

    def __contains__(self, key: Key) -> bool:
        return self.lookup(key, _MISSING) is not _MISSING

    def __len__(self) -> int:
        return int(self.stats().entries)

    def __bool__(self) -> bool:
        return True

    def entries(self) -> Iterator[Entry]:
        """All live entries; each that is there all the time comes exactly once."""
        cursor = 0
        while True:
            cursor, found = self._scan(cursor)
            for entry in found:
                yield Entry(*entry)
            if not cursor:
                return

    # --- the run door -----------------------------------------------------------------------------

    def _get_operation(self, queue: Queue) -> Any:
        found = self._operations.get(queue)
        if found is None:
            found = self._operations[queue] = self._operation(queue.leaf(0))
        return found

    def get(
        self, key: Key, load: Callable[..., Any], /, *args: Any, deadline: Any = None, **kwargs: Any
    ) -> Any:
        """The key's value; if it is absent, what ``load(*args)`` gives: a coroutine to await.

        However many wait for one key, it is loaded once. Each may have a deadline and be cancelled; the load goes on
        for the others. Policies for loading belong around ``load``.
        """
        if self._looks_first:
            value = self.lookup(key, _MISSING)
            if value is not _MISSING:
                return _given(value)
        else:
            self._check_key(key)
        operation = self._get_operation
        return run_here(
            self.runtime, load, args, kwargs, self._owner, operation, None, deadline, key
        )

    def call(
        self, key: Key, load: Callable[..., Any], /, *args: Any, deadline: Any = None, **kwargs: Any
    ) -> Any:
        """As get(), but blocks this thread; ``load`` runs on a thread of a pool."""
        if self._looks_first:
            value = self.lookup(key, _MISSING)
            if value is not _MISSING:
                return value
        else:
            self._check_key(key)
        bridge = self.runtime._pool_bridge()
        operation = self._get_operation(bridge.queue)
        return bridge.run(load, args, kwargs, self._owner, operation, None, deadline, key)

    async def get_many(
        self, keys: Iterable[Key], load: Callable[[List[bytes]], Any], *, deadline: Any = None
    ) -> List[Any]:
        """The values of many keys, in order; exceptions for those that failed.

        ``load(missing)`` is called once with the keys that are absent and gives a list of the same length: a value or
        an exception for each; None for what does not exist, which is NotFound then.
        """
        work, wanted = many_of(self, load), _weir.Keys(keys)
        for key in wanted:
            self._check_key(key)
        values: List[Any] = await work.run(wanted, deadline=deadline, runtime=self.runtime)
        return values

    def __call__(self, function: F) -> F:
        """Decorates: results are kept by the function's module and qualified name and its arguments, or by what
        ``key=`` makes of these. So functions of one name, such as a factory's closures, are to have a cache each.
        """
        name = name_of(function)
        make: Callable[..., Key] = self._key or functools.partial(key_of, name)
        wrapper: Any
        if is_async(function):

            @functools.wraps(function)
            async def wrapper(*args: Any, **kwargs: Any) -> Any:
                return await self.get(
                    make(*args, **kwargs), functools.partial(function, *args, **kwargs)
                )

        else:

            @functools.wraps(function)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                return self.call(
                    make(*args, **kwargs), functools.partial(function, *args, **kwargs)
                )

        wrapper.cache = self
        wrapper.key = make
        wrapper.invalidate = lambda *args, **kwargs: self.invalidate(make(*args, **kwargs))
        result: F = wrapper
        return result

    def __repr__(self) -> str:
        return f"<weir.Cache of {len(self)}>"


async def _given(value: Any) -> Any:
    return value


def cache(**options: Any) -> Cache:
    """``@cache(ttl=300)``: a Cache, which decorates. The options are Cache's."""
    return Cache(**options)


def memoize(
    function: Any = None, *, max_entries: Optional[int] = 1000, ttl: Any = None, **options: Any
) -> Any:
    """``@memoize``: each call's result is kept for ever, or ``ttl`` seconds; equal calls at once run it once."""
    made = Cache(ttl=ttl, max_entries=max_entries, **options)
    return made if function is None else made(function)


def cache_of(cache: Cache, loader: Any) -> Operation:
    """The cache's get as an operation: the run's ``key`` is the key, ``loader`` an operation or function of the
    run's input or, if that has none, of the key.
    """
    return Several([loader], lambda queue, parts: cache._operation(parts[0]), "input")


def many_of(cache: Cache, loader: Callable[[List[bytes]], Any]) -> Operation:
    """The get of many keys as an operation, whose input is a list of them."""

    async def load(keys: List[bytes]) -> Any:
        found = loader(keys)
        return _weir.Many(await found if hasattr(type(found), "__await__") else found)

    def make(queue: Queue, parts: List[Any]) -> Any:
        return cache._operation_many(parts[0])

    part = loader if isinstance(loader, Operation) else load
    return Several([part], make, "input")


class Flight(_weir.Flight):
    """Single flight: of calls with one key that overlap, one does the work and all get its outcome. Nothing is kept.

    timeout  seconds of the shared work; None (default): no bound
    """

    runtime: Runtime

    def __init__(
        self, *, timeout: Any = None, name: Optional[str] = None, runtime: Optional[Runtime] = None
    ) -> None:
        self.runtime = runtime_or_current(runtime)
        self._operations: Dict[Queue, Any] = {}
        super().__init__(self.runtime, timeout=timeout, name=name)

    def _run_operation(self, queue: Queue) -> Any:
        found = self._operations.get(queue)
        if found is None:
            found = self._operations[queue] = self._operation(queue.leaf(0))
        return found

    def run(
        self,
        key: Key,
        function: Callable[..., Any],
        /,
        *args: Any,
        deadline: Any = None,
        **kwargs: Any,
    ) -> Any:
        """What ``function(*args)`` gives, or what the call with this key that is going on gives: to await."""
        operation = self._run_operation
        return run_here(self.runtime, function, args, kwargs, PLAIN, operation, None, deadline, key)

    def call(
        self,
        key: Key,
        function: Callable[..., Any],
        /,
        *args: Any,
        deadline: Any = None,
        **kwargs: Any,
    ) -> Any:
        """As run(), but blocks this thread; the function runs on a thread of a pool."""
        bridge = self.runtime._pool_bridge()
        operation = self._run_operation(bridge.queue)
        return bridge.run(function, args, kwargs, PLAIN, operation, None, deadline, key)

    def forget(self, key: Key) -> None:
        """The next call with this key begins anew."""
        self._forget(key)

    def __call__(self, function: F) -> F:
        """Decorates: calls with equal arguments that overlap run the function once."""
        name = name_of(function)
        wrapper: Any
        if is_async(function):

            @functools.wraps(function)
            async def wrapper(*args: Any, **kwargs: Any) -> Any:
                return await self.run(key_of(name, *args, **kwargs), function, *args, **kwargs)

        else:

            @functools.wraps(function)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                return self.call(key_of(name, *args, **kwargs), function, *args, **kwargs)

        result: F = wrapper
        return result


def flight_of(flight: Flight, work: Any) -> Operation:
    """Single flight as an operation: the run's ``key`` is the key."""
    return Several([work], lambda queue, parts: flight._operation(parts[0]), "input")
