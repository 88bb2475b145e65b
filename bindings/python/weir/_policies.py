# SPDX-License-Identifier: MIT
"""Policies: how a function is run. Objects that can be shared, composed and used from every loop and thread.

    await policy.run(function, *args)    asyncio: the function's value, or its own exception
    policy.call(function, *args)         from a thread without a loop: the function runs on the calling thread
    @policy                              decorates functions of both kinds

Durations are seconds (int or float) or timedelta; None is "no bound" or "off" where a text says so.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any, Callable, Dict, Optional, Sequence, Tuple, TypeVar, Union

from . import _weir
from ._bridge import PLAIN, Judged, Owner, Queue, run_here
from ._judge import Classify, ShouldRetry, check_exceptions, check_functions, judges
from ._listen import _BreakerListener, _RetryListener, listen
from ._operations import Leaf, Operation, Wrapped, as_operation
from ._runtime import Runtime, current_runtime

F = TypeVar("F", bound=Callable[..., Any])


class Policy:
    """What all policies can do."""

    runtime: Any
    name: str
    _judges: Tuple[Any, ...] = ()
    _owner: Owner = PLAIN
    _overlaps = False  # whether several attempts of one run may be going on

    def _handle(self, queue: Queue) -> Any:
        """What the library is given for runs from this queue."""
        return self

    def _judged_by(self, by: Tuple[Any, ...]) -> None:
        self._judges = by
        self._owner = Judged(by) if by else PLAIN

    def run(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Runs the function under this policy, in the running event loop: a coroutine to await.

        Gives what the function gives; if that can be awaited, it is. Cancelling the awaiting task cancels the run;
        an attempt that weir stops (a timeout, a lost race) has its task cancelled.
        """
        return run_here(self.runtime, function, args, kwargs, self._owner, None, self._handle)

    def call(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Runs the function under this policy and waits, without an event loop. Other threads go on meanwhile.

        The function runs on this thread and cannot be interrupted there: one that takes long looks at
        ``weir.current_attempt().cancelled``. Under a hedge it runs on a pool's threads.
        """
        bridge = self.runtime._pool_bridge() if self._overlaps else self.runtime._thread_bridge()
        return bridge.run(function, args, kwargs, self._owner, None, self._handle(bridge.queue))

    def using(self, **options: Any) -> "Using":
        """This policy with options of single runs: deadline, key, name, permits, priority, scope."""
        return Using(self, **options)

    def wrap(self, work: Any) -> Operation:
        """An operation under this policy."""
        return Wrapped(self, as_operation(work))

    def __call__(self, function: F) -> F:
        """Decorates a coroutine function or a plain one."""
        wrapper: F = decorated(function, self.run, self.call, self)
        return wrapper

    def __repr__(self) -> str:
        return f"<weir.{type(self).__name__} {self.name!r}>"


def decorated(function: Any, run: Callable[..., Any], call: Callable[..., Any], policy: Any) -> Any:
    name_of(function)  # it is one
    if is_async(function):

        @functools.wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            return await run(function, *args, **kwargs)

    else:

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return call(function, *args, **kwargs)

    wrapper.policy = policy  # type: ignore[attr-defined]
    return wrapper


def name_of(function: Any) -> str:
    """By which calls of a function are told from those of others."""
    while isinstance(function, functools.partial):
        function = function.func
    if not callable(function):
        raise TypeError(f"what is decorated must be a function, not {function!r}")
    kind = function if hasattr(function, "__qualname__") else type(function)
    return f"{kind.__module__}.{kind.__qualname__}"


def is_async(function: Any) -> bool:
    while isinstance(function, functools.partial):
        function = function.func
    call = vars(type(function)).get("__call__")
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


class Using:
    """A policy with options of single runs: ``policy.using(key=user, deadline=2).run(function)``."""

    def __init__(
        self,
        policy: Policy,
        *,
        deadline: Any = None,
        key: Any = None,
        name: Optional[str] = None,
        permits: int = 1,
        priority: int = 31,
        scope: Any = None,
    ) -> None:
        self._policy = policy
        self._rare = (deadline, key, name, permits, priority, scope)

    def run(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """As Policy.run()."""
        policy = self._policy
        return run_here(
            policy.runtime, function, args, kwargs, policy._owner, None, policy._handle, *self._rare
        )

    def call(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """As Policy.call()."""
        policy = self._policy
        bridge = (
            policy.runtime._pool_bridge() if policy._overlaps else policy.runtime._thread_bridge()
        )
        handle = policy._handle(bridge.queue)
        return bridge.run(function, args, kwargs, policy._owner, None, handle, *self._rare)

    def __call__(self, function: F) -> F:
        wrapper: F = decorated(function, self.run, self.call, self._policy)
        return wrapper


def runtime_or_current(runtime: Optional[Runtime]) -> Runtime:
    return current_runtime() if runtime is None else runtime


class Retry(Policy, _weir.Retry):
    """Tries again what failed. When it gives up, what the last try raised is raised, as the same object.

    max_attempts     total tries, the first included; None: no bound; default 3
    backoff          'constant', 'linear', 'exponential' (default), 'decorrelated' or 'decorrelated_v2'
    base_delay       seconds before the second try; default 1
    max_delay        seconds at most; default 30
    min_delay        seconds at least; default 0
    multiplier       of exponential backoff; 1 to 1000, default 2
    jitter           'none', 'full', 'equal', 'proportional' (default) or 'symmetric'
    jitter_factor    of the last two; 0 to 1, default 0.3
    max_elapsed      seconds after the first try in which others may begin; None (default): no bound
    attempt_timeout  seconds for each try; None (default): no bound
    should_retry     what to try again: a predicate of the exception, or exception types; default: everything
    retry_value      predicate of values: those it accepts count as failures (when it gives up: Exhausted)
    retry_refusals   whether to wait for what refused, if it says for how long; default no
    budget           a Budget that bounds retries over many calls
    on_retry         called with a Retried before each wait: in the event loop that ran where the policy was made, or
                     if there was none on a thread "weir-listen"
    classify         judges any outcome: classify(exception, value) -> 'success', 'failure', 'ignore' ... or None
    failures         [(domain, code_min, code_max)]: only these errors are failures
    """

    def __init__(
        self,
        *,
        max_attempts: Optional[int] = 3,
        backoff: str = "exponential",
        base_delay: Any = 1.0,
        max_delay: Any = 30.0,
        min_delay: Any = 0.0,
        multiplier: float = 2.0,
        jitter: str = "proportional",
        jitter_factor: float = 0.3,
        max_elapsed: Any = None,
        attempt_timeout: Any = None,
        should_retry: Optional[ShouldRetry] = None,
        retry_value: Optional[Callable[[Any], Any]] = None,
        retry_refusals: bool = False,
        budget: "Optional[Budget]" = None,
        on_retry: Optional[Callable[[Any], Any]] = None,
        classify: Optional[Classify] = None,
        failures: Any = None,
        name: Optional[str] = None,
        runtime: Optional[Runtime] = None,
    ) -> None:
        check_functions("retry", retry_value=retry_value, on_retry=on_retry, classify=classify)
        check_exceptions("retry", should_retry=should_retry)
        chosen = runtime_or_current(runtime)
        self._heard: Dict[str, Any] = {}
        if on_retry is not None:
            self._heard["_ear"] = listen(self, chosen, _RetryListener(on_retry))
        super().__init__(
            chosen,
            max_attempts=max_attempts,
            backoff=backoff,
            base_delay=base_delay,
            max_delay=max_delay,
            min_delay=min_delay,
            multiplier=multiplier,
            jitter=jitter,
            jitter_factor=jitter_factor,
            max_elapsed=max_elapsed,
            attempt_timeout=attempt_timeout,
            retry_refusals=int(retry_refusals),
            budget=budget,
            failures=failures,
            name=name,
            **self._heard,
        )
        self._judged_by(judges(classify, should_retry, retry_value))

    def set_options(self, **options: Any) -> None:
        """Replaces all numbers, live; what is not named has its default again. Predicates and on_retry stay."""
        self._set_options(**options, **self._heard)


class Timeout(Policy, _weir.Timeout):
    """Settles what takes longer than ``timeout`` seconds as TimedOut, and cancels its task. None: no bound."""

    def __init__(
        self,
        timeout: Any,
        *,
        message: Optional[str] = None,
        name: Optional[str] = None,
        runtime: Optional[Runtime] = None,
    ) -> None:
        super().__init__(runtime_or_current(runtime), timeout=timeout, message=message, name=name)

    def set_options(self, timeout: Any, *, message: Optional[str] = None) -> None:
        """Another timeout, for runs from now on."""
        self._set_options(timeout=timeout, message=message)


class Budget(_weir.Budget):
    """Bounds retries over many calls: ``ratio`` of them per first attempt, and ``min_per_second`` always, counted
    over the last ``window`` seconds.
    """

    def __init__(
        self,
        *,
        ratio: float = 0.2,
        min_per_second: float = 1.0,
        window: Any = 10.0,
        name: Optional[str] = None,
        runtime: Optional[Runtime] = None,
    ) -> None:
        super().__init__(
            runtime_or_current(runtime),
            ratio=ratio,
            min_per_second=min_per_second,
            window=window,
            name=name,
        )

    def set_options(
        self, *, ratio: float = 0.2, min_per_second: float = 1.0, window: Any = 10.0
    ) -> None:
        """Changes the numbers live; ``window`` must stay as it is."""
        self._set_options(ratio=ratio, min_per_second=min_per_second, window=window)


class Hedge(Policy, _weir.Hedge):
    """Starts another copy of what has not ended ``delay`` seconds after the last start; the first success wins.

    max_hedges  copies beside the first; 1 to 16, default 1
    delay       seconds; required unless there is a quantile
    quantile    of the measured latency, instead of ``delay`` once there are 20 samples; above 0, below 1
    budget      each copy is withdrawn from it
    """

    _overlaps = True

    def __init__(
        self,
        delay: Any = None,
        *,
        max_hedges: int = 1,
        quantile: Optional[float] = None,
        budget: Optional[Budget] = None,
        classify: Optional[Classify] = None,
        failures: Any = None,
        name: Optional[str] = None,
        runtime: Optional[Runtime] = None,
    ) -> None:
        check_functions("hedge", classify=classify)
        options: Dict[str, Any] = {} if delay is None else {"delay": delay}
        super().__init__(
            runtime_or_current(runtime),
            max_hedges=max_hedges,
            quantile=quantile,
            budget=budget,
            failures=failures,
            name=name,
            **options,
        )
        self._judged_by(judges(classify))

    def set_options(self, **options: Any) -> None:
        """Replaces all numbers, live; what is not named has its default again."""
        self._set_options(**options)


_ABSENT: Any = object()


class Fallback(Policy, _weir.Fallback):
    """Answers in the place of what failed or was refused: with ``value``, or with what ``function(error)`` gives.

    ``function`` may be an operation instead, which gets the run's input.
    """

    _function: Optional[Operation] = None
    _options: Dict[str, Any] = {}

    def __init__(
        self,
        function: Any = None,
        *,
        value: Any = _ABSENT,
        classify: Optional[Classify] = None,
        failures: Any = None,
        name: Optional[str] = None,
        runtime: Optional[Runtime] = None,
    ) -> None:
        self._check(function, classify)
        chosen = runtime_or_current(runtime)
        if (function is None) == (value is _ABSENT):
            raise ValueError("fallback: give a function or a value, one of both")
        self._options = {"failures": failures, "name": name}
        given = {"has_value": 1, "value": None if value is _ABSENT else value}
        self._handles: Dict[Queue, Any] = {}
        super().__init__(chosen, chosen._drained_home(), **given, **self._options)
        if function is not None:
            self._function = (
                function if isinstance(function, Operation) else Leaf(function, "failed")
            )
        self._judged_by(judges(classify))

    def _check(self, function: Any, classify: Any) -> None:
        check_functions("fallback", classify=classify)
        if not isinstance(function, Operation):
            check_functions("fallback", function=function)

    def _handle(self, queue: Queue) -> Any:
        if self._function is None:
            return self
        found = self._handles.get(queue)
        if found is None:  # the function has to run where the run comes from
            compiled = self._function._compile(queue, ())
            found = _weir.Fallback(self.runtime, queue, operation=compiled, **self._options)
            self._handles[queue] = found
        return found

    def set_options(
        self,
        function: Any = None,
        *,
        value: Any = _ABSENT,
        classify: Optional[Classify] = None,
        failures: Any = None,
    ) -> None:
        """Another answer, for runs from now on."""
        self._check(function, classify)
        if (function is None) == (value is _ABSENT):
            raise ValueError("fallback: give a function or a value, one of both")
        self._options = {"failures": failures, "name": self.name}
        if function is not None:
            self._function = (
                function if isinstance(function, Operation) else Leaf(function, "failed")
            )
            for queue, handle in list(self._handles.items()):
                operation = self._function._compile(queue, ())
                handle._set_options(operation=operation, failures=failures)
        else:
            for handle in [self, *self._handles.values()]:
                home = self.runtime._drained_home()
                handle._set_options(_queue=home, has_value=1, value=value, failures=failures)
        self._judged_by(judges(classify))

    def stats(self) -> Any:
        """Runs that came by, those it stepped in for, and those of them that failed all the same."""
        told = [self._stats()] + [handle._stats() for handle in list(self._handles.values())]
        return type(told[0])([sum(column) for column in zip(*told)])


class Breaker(Policy, _weir.Breaker):
    """A circuit breaker: after failures it refuses calls for a while (BreakerOpen), then tries a few.

    mode                 'consecutive' (default), 'count_window' or 'time_window'
    failure_threshold    consecutive: failures in a row that open; default 5
    window_size, window  the last so many calls (100), or seconds (60), that windows judge
    failure_rate         windows: opens at this share; default 0.5; from ``min_calls`` (10) on
    slow_call            seconds from which a call counts as slow; None (default): off; opens at ``slow_call_rate``
    reset_timeout        seconds it stays open; default 60; each reopening multiplies by ``reset_multiplier`` (1),
                         up to ``max_reset_timeout`` (600)
    half_open_max_calls, half_open_success_threshold, half_open_failures
                         trials that a half-open period judges (3), successes that close (2), failures that open (1)
    trial_timeout        seconds until a trial that says nothing counts as failed; default 60
    ramp_up              seconds over which the admitted share grows after closing; None (default): off
    on_state_change      called with a StateChange: in the event loop that ran where the breaker was made, or if
                         there was none on a thread "weir-listen"

    ``acquire()`` and ``report()`` are the decide door, for code that makes its calls itself:

        with breaker.permit():
            fetch()
    """

    def __init__(
        self,
        *,
        mode: str = "consecutive",
        failure_threshold: int = 5,
        window_size: int = 100,
        window: Any = 60.0,
        failure_rate: float = 0.5,
        min_calls: int = 10,
        half_open_max_calls: int = 3,
        half_open_success_threshold: int = 2,
        half_open_failures: int = 1,
        slow_call: Any = None,
        slow_call_rate: float = 1.0,
        reset_timeout: Any = 60.0,
        reset_multiplier: float = 1.0,
        max_reset_timeout: Any = 600.0,
        trial_timeout: Any = 60.0,
        ramp_up: Any = None,
        classify: Optional[Classify] = None,
        failures: Any = None,
        on_state_change: Optional[Callable[[Any], Any]] = None,
        name: Optional[str] = None,
        runtime: Optional[Runtime] = None,
    ) -> None:
        check_functions("breaker", classify=classify, on_state_change=on_state_change)
        chosen = runtime_or_current(runtime)
        queue, heard = chosen._home_queue(), {}
        if on_state_change is not None:
            queue, heard["_user"] = listen(self, chosen, _BreakerListener(self, on_state_change))
        super().__init__(
            chosen,
            queue,
            mode=mode,
            failure_threshold=failure_threshold,
            window_size=window_size,
            window=window,
            failure_rate=failure_rate,
            min_calls=min_calls,
            half_open_max_calls=half_open_max_calls,
            half_open_success_threshold=half_open_success_threshold,
            half_open_failures=half_open_failures,
            slow_call=slow_call,
            slow_call_rate=slow_call_rate,
            reset_timeout=reset_timeout,
            reset_multiplier=reset_multiplier,
            max_reset_timeout=max_reset_timeout,
            trial_timeout=trial_timeout,
            ramp_up=ramp_up,
            failures=failures,
            name=name,
            **heard,
        )
        self._judged_by(judges(classify))

    def set_options(self, **options: Any) -> None:
        """Replaces all numbers, live; what is not named has its default again. State and counts stay."""
        self._set_options(**options)

    def permit(self) -> "Permit":
        """``with breaker.permit():`` acquires, and reports whether the block raised."""
        return Permit(self)


class Permit:
    """A breaker's permit as a context manager, also ``async with``: it never waits."""

    __slots__ = ("_breaker", "_permit", "_began")

    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker

    def __enter__(self) -> int:
        self._permit = self._breaker.acquire()
        self._began = self._breaker.runtime.now_ns()
        return self._permit

    def __exit__(self, kind: Any, exception: Any, traceback: Any) -> None:
        elapsed = (self._breaker.runtime.now_ns() - self._began) / 1e9
        class_ = 1 if kind is None else 2 if issubclass(kind, Exception) else 5
        self._breaker.report(self._permit, class_, elapsed)

    async def __aenter__(self) -> int:
        return self.__enter__()

    async def __aexit__(self, *exc: Any) -> None:
        self.__exit__(*exc)


class Pipeline(Policy, _weir.Pipeline):
    """Several policies as one, the first outermost: ``Pipeline(breaker, retry, timeout)``."""

    _bound = False

    def __init__(self, *policies: Policy, name: Optional[str] = None) -> None:
        self._parts = policies
        self._options = {"name": name}
        self._handles: Dict[Queue, Any] = {}
        runtime = (
            policies[0].runtime
            if policies and isinstance(policies[0], Policy)
            else current_runtime()
        )
        super().__init__(runtime, policies, name)
        self._overlaps = any(part._overlaps for part in policies)
        self._bound = any(
            isinstance(part, Fallback)
            and part._function is not None
            or getattr(part, "_bound", False)
            for part in policies
        )
        self._judged_by(tuple(judge for part in policies for judge in part._judges))

    def _handle(self, queue: Queue) -> Any:
        if not self._bound:
            return self
        found = self._handles.get(queue)
        if found is None:
            parts = [part._handle(queue) for part in self._parts]
            found = self._handles[queue] = _weir.Pipeline(
                self.runtime, parts, self._options["name"]
            )
        return found


def policies_of(policy: Union[Policy, Sequence[Policy], None]) -> Optional[Policy]:
    """A policy, or several as a pipeline."""
    if policy is None or isinstance(policy, Policy):
        return policy
    return Pipeline(*policy)


class _Unknown(Policy, _weir.Policy):
    """A policy of a kind that this binding has no class for."""


KINDS: Dict[int, Any] = {
    1: Retry,
    2: Breaker,
    4: Timeout,
    5: Pipeline,
    7: Hedge,
    8: Fallback,
}
