# SPDX-License-Identifier: MIT
"""What programs do wrong: odd arguments everywhere, callables that raise, and things dropped while they are at work."""

from __future__ import annotations

import asyncio
import datetime
import gc
import inspect
import threading
import weakref
from typing import Any, Callable, Dict, Iterator, List, Tuple

import pytest

import weir
from weir import _weir, blocking, testing

FAST: Dict[str, Any] = {"base_delay": 0.001, "jitter": "none", "max_attempts": 2}
KINDS = [
    ValueError,
    KeyboardInterrupt,
    SystemExit,
    StopIteration,
    GeneratorExit,
    asyncio.CancelledError,
    BaseException,
]
ODD: List[Any] = [
    None, 0, -1, 2**31, 2**32, 2**63, 2**64, 2**200, -(2**63), -(2**200), 1.5, float("nan"), float("inf"),
    -float("inf"), "", "a\0b", "\ud800", b"x", [1], (1, 2, 3), {}, object(), int, len, True, iter([]),
    datetime.timedelta(days=-1), datetime.timedelta.max, bytearray(b"z"), memoryview(b"abc"), Exception("e"),
]  # fmt: skip
REFUSED = (TypeError, ValueError, OverflowError, MemoryError, LookupError, weir.WeirError)


def raising(kind: Any) -> Callable[..., Any]:
    def function(*args: Any, **kwargs: Any) -> Any:
        raise kind("x")

    return function


def one(*args: Any) -> int:
    return 1


@pytest.mark.parametrize(
    "kind",
    [
        weir.Breaker,
        weir.Limiter,
        weir.Retry,
        weir.Timeout,
        weir.Hedge,
        weir.Fallback,
        weir.Chaos,
        weir.Cache,
        weir.Flight,
        weir.Budget,
        weir.Scope,
        weir.Pool,
        weir.Runtime,
    ],
)
def test_odd_options_are_refused_by_an_exception(kind: Any) -> None:
    runtime = testing.Runtime()
    policies = [weir.Breaker(runtime=runtime), weir.Retry(runtime=runtime), runtime]
    with runtime:
        for name in inspect.signature(kind.__init__).parameters:
            if name in ("self", "runtime"):
                continue
            for value in ODD + policies:
                if name == "max_keys" and isinstance(value, int) and 1 << 20 < value < 1 << 63:
                    continue  # takes its memory at once
                options = {"timeout": 1} if kind is weir.Timeout else {}
                try:
                    kind(**{**options, name: value})
                except REFUSED:
                    pass
    runtime.close()


def test_odd_arguments_are_refused_by_an_exception() -> None:
    with testing.Runtime() as runtime:
        handles = [
            weir.Breaker(),
            weir.Limiter(10, 1),
            weir.Limiter(max_concurrent=3),
            weir.Retry(),
            weir.Chaos(),
            weir.Cache(),
            weir.Flight(),
            weir.Budget(),
            weir.Scope(),
            weir.Retry().begin(),
        ]
        for handle in handles:
            for name in dir(handle):
                method = getattr(handle, name)
                if name.startswith("_") or not callable(method) or inspect.isclass(method):
                    continue
                if name in ("call", "open_now", "close_now"):
                    continue
                arguments = [(), *((odd,) for odd in ODD), *((a, b) for a in ODD[::3] for b in ODD)]
                for some in arguments:
                    try:
                        made = method(*some)
                    except (*REFUSED, RuntimeError):
                        continue
                    if inspect.iscoroutine(made):
                        made.close()
        for refused in (
            lambda: weir.Retry(budget=weir.Breaker()),  # type: ignore[arg-type]
            lambda: weir.Scope(parent=weir.Breaker()),  # type: ignore[arg-type]
            lambda: weir.Retry(failures=[1]),
            lambda: weir.Chaos(failure=3),  # type: ignore[arg-type]
            lambda: weir.Cache()(3),  # type: ignore[type-var]
            lambda: weir.Flight()("x"),  # type: ignore[type-var]
        ):
            with pytest.raises(TypeError):
                refused()
        with pytest.raises(ValueError):
            weir.Chaos(phases=[(0, 1, "nonsense", 0.5)])
    runtime.close()


def test_nothing_half_made_can_be_used() -> None:
    for name in dir(_weir):
        kind = getattr(_weir, name)
        if not isinstance(kind, type) or issubclass(kind, (tuple, list)):
            continue
        try:
            made = kind.__new__(kind)
        except TypeError:
            continue
        for member in dir(made):
            if member.startswith("__"):
                continue
            for arguments in ((), (None,), (1,), (1, 2), ("x",)):
                try:
                    getattr(made, member)(*arguments)
                except Exception:
                    pass


def places(kind: Any) -> Iterator[Tuple[str, Callable[[], Any]]]:
    """Every place where a function of the user's may raise; each ends with that, or with an AggregateError of it."""
    bad = raising(kind)

    def items() -> Iterator[int]:
        yield 1
        raise kind("x")

    def close() -> Any:
        with weir.Scope() as scope:
            scope.open_now(lambda: 1, bad)

    def pool() -> Any:
        made = weir.Pool()
        made.add(bad)
        made.seal()
        return made.call()

    failing = raising(OSError)
    yield "function", lambda: weir.Retry(**FAST).call(bad)
    yield "should_retry", lambda: weir.Retry(should_retry=bad, **FAST).call(failing)
    yield "retry_value", lambda: weir.Retry(retry_value=bad, **FAST).call(one)
    yield "classify a value", lambda: weir.Breaker(classify=bad).call(one)
    yield "classify an error", lambda: weir.Breaker(classify=bad).call(failing)
    yield "classify in a pool", lambda: weir.Hedge(1, classify=bad).call(one)
    yield "classify an error in a pool", lambda: weir.Hedge(1, classify=bad).call(failing)
    yield "fallback", lambda: weir.Fallback(bad).call(failing)
    yield "until", lambda: blocking.poll(one, interval=0.001, until=bad, max_attempts=2)
    yield "weigh", lambda: weir.Cache(weigh=bad, max_weight=3).call("k", one)
    yield "lifetime", lambda: weir.Cache(lifetime=bad).call("k", one)
    yield "load", lambda: weir.Cache().call("k", bad)
    yield "flight", lambda: weir.Flight().call("k", bad)
    yield "hedge", lambda: weir.Hedge(0.001).call(bad)
    yield "race", lambda: blocking.race([bad, bad])
    yield "all", lambda: blocking.all([bad, one])
    yield "parallel", lambda: blocking.parallel([bad, one])
    if kind is not StopIteration:
        yield "items", lambda: blocking.parallel_map(one, items())
    yield "waterfall", lambda: blocking.waterfall([one, bad])
    yield "debounce", lambda: weir.debounce(0.001)(bad)()
    yield "close", close
    yield "pool", pool
    yield "limiter", lambda: weir.Limiter(max_concurrent=1).call(bad)


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_raises_a_blocking_call_ends(kind: Any) -> None:
    for name, work in places(kind):
        ended: List[BaseException] = []

        def run(work: Any = work, ended: Any = ended) -> None:
            try:
                work()
            except BaseException as error:
                ended.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(20)
        assert ended, f"{name} does not end"
        assert isinstance(ended[0], (kind, weir.AggregateError)), name


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_a_predicate_raises_a_run_ends(kind: Any) -> None:
    bad, failing = raising(kind), raising(OSError)
    expected = RuntimeError if kind is StopIteration else kind
    for work in (
        lambda: weir.Retry(should_retry=bad, **FAST).run(failing),
        lambda: weir.Retry(retry_value=bad, **FAST).run(one),
        lambda: weir.Breaker(classify=bad).run(one),
        lambda: weir.Breaker(classify=bad).run(failing),
        lambda: weir.poll(one, interval=0.001, until=bad, max_attempts=2),
        lambda: weir.Cache(weigh=bad, max_weight=3).get("k", one),
    ):

        async def main(work: Any = work) -> Any:
            return await asyncio.wait_for(asyncio.ensure_future(work()), 20)

        with pytest.raises(expected):
            asyncio.run(main())


def test_a_predicate_that_raises_names_what_it_was_asked_about_and_is_not_tried_again() -> None:
    calls = 0

    def fails() -> None:
        nonlocal calls
        calls += 1
        raise OSError("first")

    def bad(error: BaseException) -> bool:
        raise ValueError("from the predicate")

    with pytest.raises(ValueError, match="from the predicate") as caught:
        weir.Retry(max_attempts=5, should_retry=bad).call(fails)
    assert calls == 1 and isinstance(caught.value.__context__, OSError)


class Evil(Exception):
    """Its attributes, which weir asks for, raise."""

    @property
    def retry_after(self) -> float:
        raise RuntimeError("no attribute")

    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_exceptions_with_odd_attributes_end_their_run() -> None:
    def fails(error: BaseException) -> None:
        raise error

    with pytest.raises(RuntimeError, match="no attribute") as caught:
        weir.Retry(**FAST).call(fails, Evil())
    assert isinstance(caught.value.__context__, Evil)
    for after in (10**400, float("nan"), float("inf"), -1, "soon", None):
        error = ValueError("x")
        error.retry_after = after  # type: ignore[attr-defined]
        error.weir_class = after  # type: ignore[attr-defined]
        error.weir_domain = error.weir_code = after  # type: ignore[attr-defined]
        with pytest.raises((ValueError, OverflowError)):
            weir.Retry(max_attempts=1).call(fails, error)


def test_partials_and_callable_objects_are_decorated() -> None:
    import functools

    class Adder:
        def __call__(self, x: int) -> int:
            return x + 1

    assert weir.memoize(functools.partial(pow, 2))(5) == 32
    assert weir.cache(ttl=5)(Adder())(1) == 2
    assert weir.Flight()(functools.partial(Adder()))(1) == 2


def test_a_breaker_is_shared_by_loops_that_are_closed_under_their_runs() -> None:
    breaker, errors = weir.Breaker(failure_threshold=10_000), []
    limiter = weir.Limiter(max_concurrent=4)
    policy = weir.Pipeline(limiter, breaker)

    def loop_after_loop() -> None:
        try:
            for _ in range(5):
                loop = asyncio.new_event_loop()
                tasks = [loop.create_task(policy.run(asyncio.sleep, 0.001)) for _ in range(20)]
                tasks += [loop.create_task(policy.run(asyncio.sleep, 60)) for _ in range(2)]
                loop.run_until_complete(asyncio.sleep(0.01))
                for task in tasks:
                    task.cancel()
                loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
                for task in asyncio.all_tasks(loop):  # the attempts'
                    task.cancel()
                loop.run_until_complete(asyncio.sleep(0))
                loop.close()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=loop_after_loop) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert asyncio.run(asyncio.wait_for(policy.run(asyncio.sleep, 0, "free"), 20)) == "free"


def test_handles_that_are_dropped_while_they_work_let_it_end() -> None:
    class Marker:
        pass

    async def main() -> None:
        gone = []
        for make in (
            lambda: weir.Retry().run(asyncio.sleep, 0.02, "done"),
            lambda: weir.Pipeline(weir.Breaker(), weir.Timeout(5)).run(asyncio.sleep, 0.02, "done"),
            lambda: weir.Cache().get("k", asyncio.sleep, 0.02, "done"),
            lambda: weir.Flight().run("k", asyncio.sleep, 0.02, "done"),
            lambda: weir.debounce(0.01)(lambda: "done").run(),
            lambda: weir.Fallback(lambda error: "done").run(raising(OSError)),
        ):
            task = asyncio.ensure_future(make())
            await asyncio.sleep(0)
            gc.collect()
            assert await asyncio.wait_for(task, 20) == "done"
        for _ in range(20):
            marker = Marker()
            gone.append(weakref.ref(marker))
            dropped = weir.Retry().run(asyncio.sleep, 60, marker)
            task = asyncio.ensure_future(dropped)
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            del marker, dropped, task
        for _ in range(500):
            gc.collect()
            if all(reference() is None for reference in gone):
                return
            await asyncio.sleep(0.01)
        raise AssertionError("what was cancelled is not given back")

    asyncio.run(main())


def test_reloading_the_package_is_refused_or_harmless() -> None:
    import importlib

    importlib.reload(weir._judge)
    importlib.reload(weir)
    assert weir.Retry().call(lambda: 1) == 1
