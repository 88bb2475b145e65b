# SPDX-License-Identifier: MIT
"""Runs, errors, cancellation, threads and loops."""

from __future__ import annotations

import asyncio
import builtins
import contextvars
import datetime
import sys
import threading
import time
from typing import Any, List

import pytest

import weir
from weir import testing

FAST = {"base_delay": 0.001, "jitter": "none"}


def run(coroutine: Any) -> Any:
    return asyncio.run(coroutine)


async def answer(value: Any = 42) -> Any:
    return value


def test_a_run_gives_the_value_of_coroutine_functions_and_plain_ones() -> None:
    async def main() -> None:
        retry = weir.Retry()
        assert await retry.run(answer, 7) == 7
        assert await retry.run(lambda: 8) == 8
        assert await retry.run(lambda: answer(9)) == 9
        assert await retry.run(dict, a=1) == {"a": 1}
        assert await retry.run(lambda: None) is None

    run(main())


def test_decorators_keep_the_kind_of_function() -> None:
    retry = weir.Retry(max_attempts=2, **FAST)

    @retry
    async def double(x: int) -> int:
        "doc"
        return 2 * x

    @retry
    def triple(x: int) -> int:
        return 3 * x

    assert asyncio.iscoroutinefunction(double) and double.__doc__ == "doc"
    assert run(double(4)) == 8 and triple(4) == 12


def test_the_very_exception_comes_back_after_retries() -> None:
    error = ValueError("mine")
    calls = 0

    async def fails() -> None:
        nonlocal calls
        calls += 1
        raise error

    with pytest.raises(ValueError) as caught:
        run(weir.Retry(max_attempts=3, **FAST).run(fails))
    assert caught.value is error and calls == 3
    outcome = weir.outcome_of(error)
    assert outcome is not None and outcome.attempts == 3 and outcome.stop_reason == "attempts"
    if sys.version_info >= (3, 11):
        assert any("after 3 attempts" in note for note in error.__notes__)


def test_the_traceback_leads_to_the_users_line() -> None:
    async def fails() -> None:
        raise KeyError("here")

    with pytest.raises(KeyError) as caught:
        run(weir.Retry(max_attempts=1).run(fails))
    assert any(entry.name == "fails" for entry in caught.traceback)


def test_aggregates_list_the_originals() -> None:
    errors = [ValueError("a"), ConnectionError("b")]

    def fail(error: Exception) -> Any:
        async def failing() -> None:
            raise error

        return failing

    with pytest.raises(weir.AggregateError) as caught:
        run(weir.race([fail(error) for error in errors]))
    assert [e for _, e in caught.value.errors] == errors
    assert all(a is b for a, b in zip(caught.value.exceptions, errors))
    if sys.version_info >= (3, 11):
        assert isinstance(caught.value, builtins.ExceptionGroup)
        only = caught.value.subgroup(ConnectionError)
        assert only is not None and only.exceptions == (errors[1],)


def test_refusals_are_typed_and_say_when() -> None:
    async def main() -> None:
        breaker = weir.Breaker(failure_threshold=1, name="api")
        with pytest.raises(ZeroDivisionError):
            await breaker.run(lambda: 1 / 0)
        with pytest.raises(weir.BreakerOpen) as caught:
            await breaker.run(answer)
        error = caught.value
        assert isinstance(error, weir.Refused) and error.status == "WEIR_EOPEN"
        assert error.rejection is not None and error.rejection.reason == "open"
        assert error.rejection.name == "api" and 59 < (error.retry_after or 0) <= 60
        limiter = weir.Limiter(1, 60, max_queue=0)
        assert await limiter.run(answer) == 42
        with pytest.raises(weir.Limited):
            await limiter.run(answer)

    run(main())


def test_options_are_validated_with_field_rule_and_value() -> None:
    with pytest.raises(weir.Invalid, match=r"retry.max_attempts must be at least 1.*\(got 0\)"):
        weir.Retry(max_attempts=0)
    with pytest.raises(ValueError, match="retry.backoff must be one of"):
        weir.Retry(backoff="cubic")
    with pytest.raises(weir.Invalid, match="timeout"):
        weir.Timeout(-0.001)
    with pytest.raises(TypeError):
        weir.Timeout("soon")
    with pytest.raises(weir.Invalid):
        weir.Retry(max_delay=datetime.timedelta(seconds=-1))
    assert weir.Retry(base_delay=datetime.timedelta(milliseconds=5)).run is not None


def test_cancelling_the_task_cancels_the_attempt() -> None:
    seen: List[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            seen.append("attempt")
            raise

    async def main() -> None:
        task = asyncio.ensure_future(weir.Retry().run(work))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for _ in range(100):
            if seen:
                break
            await asyncio.sleep(0.01)

    run(main())
    assert seen == ["attempt"]


def test_weirs_timeout_cancels_the_attempts_task() -> None:
    seen: List[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError as error:
            seen.append(str(error))
            raise

    async def main() -> None:
        with pytest.raises(weir.TimedOut) as caught:
            await weir.Timeout(0.02).run(work)
        assert isinstance(caught.value, TimeoutError)
        await asyncio.sleep(0.02)

    run(main())
    assert seen == ["weir: timed out"]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_interrupts_are_not_retried_and_go_through(kind: Any) -> None:
    calls = 0

    def work() -> None:
        nonlocal calls
        calls += 1
        raise kind()

    with pytest.raises(kind):
        weir.Retry(max_attempts=5, **FAST).call(work)
    assert calls == 1
    with pytest.raises(kind):
        run(weir.Retry(max_attempts=5, **FAST).run(work))
    assert calls == 2


def test_an_attempt_that_cancels_itself_is_not_retried() -> None:
    calls = 0

    async def work() -> None:
        nonlocal calls
        calls += 1
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run(weir.Retry(max_attempts=5, **FAST).run(work))
    assert calls == 1


def test_stop_iteration_becomes_a_runtime_error() -> None:
    def work() -> None:
        raise StopIteration(3)

    with pytest.raises(RuntimeError) as caught:
        run(weir.Retry(max_attempts=1).run(work))
    assert isinstance(caught.value.__cause__, StopIteration)


def test_context_variables_reach_attempts_and_stay_apart() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="none")

    async def work() -> str:
        seen = variable.get()
        variable.set("changed inside")
        return seen

    async def main() -> None:
        variable.set("request 7")
        assert await weir.Retry().run(work) == "request 7"
        assert variable.get() == "request 7"

    run(main())


def test_predicates_decide_what_is_tried_again() -> None:
    calls = 0

    def work() -> None:
        nonlocal calls
        calls += 1
        raise KeyError

    retry = weir.Retry(max_attempts=5, should_retry=ConnectionError, **FAST)
    with pytest.raises(KeyError):
        run(retry.run(work))
    assert calls == 1
    with pytest.raises(KeyError):
        run(
            weir.retry(work, max_attempts=3, should_retry=lambda e: isinstance(e, KeyError), **FAST)
        )
    assert calls == 4
    breaker = weir.Breaker(failure_threshold=1, classify=lambda error, value: "ignore")
    with pytest.raises(KeyError):
        run(breaker.run(work))
    assert breaker.state == "closed" and breaker.stats().ignored == 1


def test_a_failure_can_be_final_or_say_when() -> None:
    async def main() -> None:
        calls = 0

        def work() -> None:
            nonlocal calls
            calls += 1
            raise weir.failure(ValueError("no"), final=calls == 2, retry_after=7)

        async with testing.Runtime() as clock:
            before = clock.now()
            with pytest.raises(ValueError):
                await clock.finish(weir.Retry(max_attempts=9).run(work))
            assert calls == 2 and clock.now() - before == 7

    run(main())


def test_blocking_calls_run_on_the_calling_thread_and_let_others_go_on() -> None:
    ticks = 0
    done = threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not done.is_set():
            ticks += 1
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    calls: List[int] = []

    def work() -> str:
        calls.append(threading.get_ident())
        if len(calls) < 3:
            raise OSError(5, "no")
        return "yes"

    assert weir.Retry(base_delay=0.03, jitter="none").call(work) == "yes"
    done.set()
    thread.join()
    assert calls == [threading.get_ident()] * 3 and ticks > 10


def test_a_coroutine_function_is_refused_by_blocking_calls() -> None:
    with pytest.raises(TypeError, match="await policy.run"):
        weir.Retry(max_attempts=1).call(answer)


def test_blocking_calls_nest() -> None:
    outer, inner = weir.Retry(max_attempts=2, **FAST), weir.Timeout(5)
    assert outer.call(lambda: inner.call(lambda: outer.call(lambda: 3))) == 3


def test_loops_in_several_threads_share_a_runtime() -> None:
    breaker = weir.Breaker(failure_threshold=1000)
    errors: List[BaseException] = []

    async def main() -> None:
        values = await asyncio.gather(*(breaker.run(answer, i) for i in range(200)))
        assert values == list(range(200))

    def loop() -> None:
        try:
            for _ in range(5):
                asyncio.run(main())
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=loop) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == [] and breaker.stats().succeeded == 4 * 5 * 200


def test_nested_runs_take_the_deadline_over() -> None:
    async def main() -> None:
        async with testing.Runtime() as clock:

            async def inner() -> None:
                await weir.sleep(60)

            async def outer() -> None:
                with pytest.raises(weir.TimedOut):
                    await weir.Retry(max_attempts=1).run(inner)
                seen.append(clock.now())

            seen: List[float] = []
            begin = clock.now()
            work = weir.Retry(max_attempts=1).using(deadline=5).run(outer)
            with pytest.raises(weir.TimedOut):
                await clock.finish(work)
            await clock.settle()
            assert clock.now() - begin == 5

    run(main())


def test_the_decide_door_of_the_breaker() -> None:
    breaker = weir.Breaker(failure_threshold=2)
    with breaker.permit():
        pass
    for _ in range(2):
        with pytest.raises(OSError), breaker.permit():
            raise OSError
    assert breaker.state == "open" and breaker.try_acquire() is None
    with pytest.raises(weir.BreakerOpen):
        breaker.acquire()
    breaker.reset()
    permits = breaker.acquire_many(64)
    assert len(permits) == 64 and breaker.report_many(permits) == 64


def test_permits_of_an_earlier_state_are_stale_and_odd_arguments_are_refused() -> None:
    breaker = weir.Breaker(failure_threshold=1)
    permits = []
    for _ in range(200):  # beyond the integers that the interpreter keeps
        permit = breaker.acquire()
        assert breaker.acquire() == permit == breaker.try_acquire()
        assert breaker.report(permit) and breaker.report(int(str(permit)))
        breaker.report(permit, weir.FAILURE)
        breaker.reset()
        permits.append(permit)
    assert len(set(permits)) == 200 and not any(map(breaker.report, permits))
    permit = breaker.acquire()
    assert breaker.report(permit, weir.SUCCESS, 0.5)
    for class_ in (0, 6, -1, 2**32 + 1, 2**63 - 1, True + 8):
        with pytest.raises(weir.Invalid):
            breaker.report(permit, class_)
    for wrong in ((), ("x",), (None,), (permit, "x"), (permit, 1, "x"), (permit, 1, 0.0, 1)):
        with pytest.raises(TypeError):
            breaker.report(*wrong)  # type: ignore[arg-type, call-arg]
    for wrong in ((-1,), (2**64,), (permit, 2**64), (permit, 1, float("nan"))):
        with pytest.raises((OverflowError, ValueError)):
            breaker.report(*wrong)  # type: ignore[arg-type, call-arg]


def test_state_changes_are_heard() -> None:
    heard: List[Any] = []
    event = threading.Event()

    def hear(change: Any) -> None:
        heard.append(change)
        event.set()

    breaker = weir.Breaker(failure_threshold=1, on_state_change=hear, name="heard")
    breaker.report(breaker.acquire(), weir.FAILURE)
    assert event.wait(5)
    assert (heard[0].before, heard[0].after, heard[0].reason) == ("closed", "open", "failures")
    assert heard[0].breaker is breaker


def test_the_registry_gives_the_same_breaker() -> None:
    with weir.Runtime() as runtime:
        breaker = weir.Breaker(failure_threshold=1, name="shared")
        breaker.register()
        found = runtime.find("shared")
        assert isinstance(found, weir.Breaker)
        found.report(found.acquire(), weir.FAILURE)
        assert breaker.state == "open"
        with pytest.raises(weir.NotFound):
            runtime.find("nobody")
        with pytest.raises(weir.Exists):
            breaker.register()
    assert runtime.close()


def test_metrics_recorder_and_labels() -> None:
    with weir.Runtime(metrics=True, recorder_entries=8, name="told") as runtime:
        breaker = weir.Breaker(failure_threshold=1, name="b")
        breaker.set_label("region", "eu")
        with pytest.raises(ZeroDivisionError):
            run(breaker.run(lambda: 1 / 0))
        text = runtime.metrics()
        assert 'region="eu"' in text and text.rstrip().endswith("# EOF")
        for _ in range(200):  # changes are told on weir's thread
            if "closed -> open" in runtime.recorder():
                break
            time.sleep(0.005)
        assert "closed -> open" in runtime.recorder()
        assert runtime.stats().runs_settled == 1
    assert runtime.close()


def test_a_closed_runtime_says_so() -> None:
    runtime = weir.Runtime()
    retry = weir.Retry(runtime=runtime)
    assert runtime.close()
    with pytest.raises(weir.Closed):
        run(retry.run(answer))
    with pytest.raises(weir.Closed):
        retry.call(lambda: 1)


def test_closing_settles_what_is_in_flight() -> None:
    async def main() -> None:
        runtime = weir.Runtime(close_grace=0)
        task = asyncio.ensure_future(weir.Retry(runtime=runtime).run(asyncio.sleep, 60))
        await asyncio.sleep(0.02)
        await asyncio.get_running_loop().run_in_executor(None, runtime.close, 1.0)
        with pytest.raises(weir.Closed):
            await task

    run(main())
