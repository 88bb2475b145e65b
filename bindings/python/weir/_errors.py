# SPDX-License-Identifier: MIT
"""The exceptions of weir, and how what the library says becomes one.

An exception that the user's function raised comes back as that same object: from a retry that gave up, from
inside an AggregateError, out of a cache's load. What weir itself decided is a WeirError: one class for each
family of statuses, with who refused, why, and when to try again.
"""

from __future__ import annotations

import asyncio
import re
import sys
from typing import Any, List, NamedTuple, Optional, Sequence, Tuple

from . import _weir

if sys.version_info >= (3, 11):
    _Group = ExceptionGroup  # noqa: F821
else:

    class _Group(Exception):  # what AggregateError needs of 3.11's ExceptionGroup
        def __new__(cls, message: str, exceptions: Sequence[BaseException]) -> "_Group":
            self = super().__new__(cls, message, exceptions)
            self.exceptions = tuple(exceptions)
            return self

        exceptions: Tuple[BaseException, ...]


CHANNELS = ("", "value", "error", "stopped")
POLICIES = (
    "",
    "retry",
    "breaker",
    "limiter",
    "timeout",
    "pipeline",
    "budget",
    "hedge",
    "fallback",
    "chaos",
)
REASONS = (
    "",
    "open",
    "half_open",
    "forced_open",
    "ramp_up",
    "rate",
    "concurrency",
    "queue_full",
    "queue_timeout",
    "paused",
    "weight",
    "keys",
    "no_time",
    "waiters",
    "budget",
)
STOPS = (
    "",
    "attempts",
    "elapsed",
    "budget",
    "no_time",
    "refused",
    "final",
    "classified",
    "no_memory",
)
CANCELS = ("", "caller", "deadline", "timeout", "lost", "superseded", "shutdown")
OPENED_BY = ("", "failures", "slow_calls", "time", "trials", "by_hand")


def _word(words: Sequence[str], number: int) -> str:
    return words[number] if 0 <= number < len(words) else str(number)


class Rejection(NamedTuple):
    """Who refused, why, and the numbers it judged by. Times are seconds; None where they have no meaning."""

    policy: str
    reason: str
    message: str
    retry_after: Optional[float]
    requested: int
    available: int
    limit: int
    queued: int
    calls: int
    failures: int
    slow_calls: int
    name: str
    threshold: float
    interval: float
    waited: float
    remaining: float
    cause: str


class Outcome(NamedTuple):
    """How a run ended. ``retry_after`` and ``elapsed`` are seconds; ``statuses`` names the last attempts'."""

    channel: str
    status: str
    attempts: int
    stop_reason: str
    cancel_reason: str
    final: bool
    elapsed: float
    retry_after: Optional[float]
    statuses: Tuple[str, ...]
    rejection: Optional[Rejection]
    value: Any
    text: str
    message: str
    cause: Optional[BaseException]
    error: Optional[BaseException] = None


def _make_rejection(
    status: int,
    policy: int,
    reason: int,
    sentence: str,
    after_ns: int,
    after_ms: int,
    requested: int,
    available: int,
    limit: int,
    queued: int,
    calls: int,
    failures: int,
    slow_calls: int,
    name: str,
    threshold: float,
    interval_ns: int,
    waited_ns: int,
    remaining_ns: int,
    cause: int,
) -> Rejection:
    return Rejection(
        _word(POLICIES, policy),
        _word(REASONS, reason),
        sentence,
        None if after_ns < 0 else after_ns / 1e9,
        requested,
        available,
        limit,
        queued,
        calls,
        failures,
        slow_calls,
        name,
        threshold,
        interval_ns / 1e9,
        waited_ns / 1e9,
        remaining_ns / 1e9,
        _word(OPENED_BY, cause),
    )


class WeirError(Exception):
    """What weir itself decided or refused. Each status has a class of its own below.

    ``status`` is the library's name of it, such as ``'WEIR_EOPEN'``; ``domain`` and ``code`` are those of an error
    that did not come from Python. ``outcome`` tells more where there was a run.
    """

    status = "WEIR_EINVAL"
    domain = 0
    code = 0
    outcome: Optional[Outcome] = None
    rejection: Optional[Rejection] = None

    @property
    def message(self) -> str:
        return str(self.args[0]) if self.args else ""

    @property
    def retry_after(self) -> Optional[float]:
        """Seconds until trying again makes sense; None if nobody knows."""
        if self.rejection is not None and self.rejection.retry_after is not None:
            return self.rejection.retry_after
        return self.outcome.retry_after if self.outcome is not None else None

    @property
    def attempts(self) -> int:
        return self.outcome.attempts if self.outcome is not None else 0

    @property
    def causes(self) -> List[BaseException]:
        """The errors behind this one: an aggregate's, or its cause's."""
        return [self.__cause__] if self.__cause__ is not None else []


class Invalid(WeirError, ValueError):
    """An argument or option is not legal; the message names it, the rule and the value."""


class Incompatible(WeirError):
    """The extension was built against another version of the library."""

    status = "WEIR_EABI"


class Cancelled(WeirError):
    """The run was cancelled through weir (a scope, a lost race), not by cancelling the caller's task."""

    status = "WEIR_ECANCELLED"


class TimedOut(WeirError, TimeoutError):
    """A timeout or a deadline passed."""

    status = "WEIR_ETIMEDOUT"


class Refused(WeirError):
    """A policy refused: nothing was tried. ``rejection`` says who and why."""


class NoTimeLeft(Refused):
    """What was asked cannot fit into the time that is left."""

    status = "WEIR_ENOTIME"


class BreakerOpen(Refused):
    """A circuit breaker is open."""

    status = "WEIR_EOPEN"


class Limited(Refused):
    """A limiter refuses."""

    status = "WEIR_ELIMITED"


class Full(Refused):
    """A queue, or the runtime's limit of calls in flight, is full."""

    status = "WEIR_EFULL"


class Failed(WeirError):
    """A failure that carries no Python exception: of another language, or injected by chaos."""

    status = "WEIR_EFAILED"


class Exhausted(WeirError):
    """A retry or poll gave up, and the last result was a value judged a failure: ``value``."""

    status = "WEIR_EEXHAUSTED"

    @property
    def value(self) -> Any:
        return self.outcome.value if self.outcome is not None else None


class Superseded(WeirError):
    """A later call took this one's place."""

    status = "WEIR_ESUPERSEDED"


class Stale(WeirError):
    """A token or permit of an earlier life."""

    status = "WEIR_ESTALE"


class Closed(WeirError):
    """The runtime, queue, pool or scope is closed."""

    status = "WEIR_ECLOSED"


class NotFound(WeirError, LookupError):
    """There is nothing of that name or key."""

    status = "WEIR_ENOTFOUND"


class Exists(WeirError):
    """There is already something of that name."""

    status = "WEIR_EEXISTS"


class NotSupported(WeirError):
    """This driver, platform or combination cannot do that."""

    status = "WEIR_ENOTSUP"


class WrongThread(WeirError):
    """The function belongs to another thread."""

    status = "WEIR_ETHREAD"


class ForkedError(WeirError):
    """The process forked: what was made before belongs to the parent. Make policies and runtimes anew in the child."""

    status = "WEIR_EFORKED"


class AggregateError(_Group, WeirError):
    """Several failed: ``exceptions``, and ``errors`` with the index of the racer, copy or item each came from.

    An ExceptionGroup from Python 3.11 on, so ``except*`` takes it apart.
    """

    status = "WEIR_EAGGREGATE"
    errors: List[Tuple[int, BaseException]]

    def __new__(cls, message: str, exceptions: Sequence[BaseException]) -> Any:
        shown = [e if isinstance(e, Exception) else _wrapped(e) for e in exceptions]
        return super().__new__(cls, message, shown)

    def __init__(self, message: str, exceptions: Sequence[BaseException]) -> None:
        self.errors = list(enumerate(exceptions))

    def derive(self, exceptions: Sequence[BaseException]) -> "AggregateError":
        part = AggregateError(self.message, exceptions)
        indexes = {id(e): i for i, e in self.errors}
        part.errors = [(indexes.get(id(e), 0), e) for e in exceptions]
        part.outcome, part.rejection = self.outcome, self.rejection
        return part

    @property
    def causes(self) -> List[BaseException]:
        return [exception for _, exception in self.errors]


def _wrapped(exception: BaseException) -> WeirError:
    error = Cancelled(repr(exception))
    error.__cause__ = exception
    return error


_CLASSES = {
    cls.status: cls
    for cls in (
        Invalid,
        Incompatible,
        Cancelled,
        TimedOut,
        NoTimeLeft,
        BreakerOpen,
        Limited,
        Full,
        Failed,
        Exhausted,
        Superseded,
        Stale,
        Closed,
        NotFound,
        Exists,
        NotSupported,
        WrongThread,
        ForkedError,
    )
}


def _make_outcome(told: Tuple[Any, ...]) -> Outcome:
    channel, status, attempts, stop, cancel, final, elapsed, after_ms, statuses, *rest = told
    return Outcome(
        _word(CHANNELS, channel),
        _weir.status_name(status),
        attempts,
        _word(STOPS, stop),
        _word(CANCELS, cancel),
        bool(final),
        elapsed,
        None if after_ms < 0 else after_ms / 1e3,
        tuple(_weir.status_name(s) for s in statuses),
        *rest,
    )


def _annotate(exception: BaseException, outcome: Optional[Outcome], note: str) -> None:
    """Leaves on the user's own exception how the run ended, where its type lets us."""
    try:
        if outcome is not None:
            exception.__weir_outcome__ = outcome  # type: ignore[attr-defined]
            if outcome.attempts > 1 and not note:
                note = "weir: " + outcome.text
        if note and sys.version_info >= (3, 11) and note not in getattr(exception, "__notes__", ()):
            exception.add_note(note)
    except Exception:
        pass  # an exception that can be told nothing is raised as it is


def outcome_of(exception: BaseException) -> Optional[Outcome]:
    """How the run ended that raised this exception, the user's own or weir's; None if it came from none."""
    if isinstance(exception, WeirError):
        return exception.outcome
    return getattr(exception, "__weir_outcome__", None)


_OPTION = re.compile(r"\w+\.(?:\w+\[\d+\]\.)?(\w+)")
_GOT = re.compile(r" \((?:is (?P<old>-?\d+), )?got (?P<first>-?\d+)(?: and (?P<second>-?\d+))?\)$")
_NAMES = {"sleep.sleep": "sleep.seconds"}  # the few that are not the library's without its unit


def _in_python(message: str) -> str:
    """What the library says of an option, in this package's names, units and words: timeout_ms is timeout, in
    seconds, and -1 is None.
    """
    option = _OPTION.match(message)
    if option is None:
        return message
    fields = [option[1], *re.findall(r"\w+_ms\b", message[option.end() :])]
    got = _GOT.search(message)
    rule, told = (message[: got.start()], _told(got, fields)) if got else (message, "")
    if "is required" in rule and got is not None and got["first"] == "-2":
        told = ""  # it was left out
    if fields[0].endswith("_ms"):
        rule = re.sub(r"(at least|at most) (-?\d+)", lambda m: f"{m[1]} {_seconds(m[2])}", rule)
    rule = re.sub(r"_ms\b", "", rule).replace(", or -1 for ", ", or None for ")
    for name, own in _NAMES.items():
        rule = rule.replace(name, own)
    return rule + told


def _told(got: "re.Match[str]", fields: List[str]) -> str:
    names = {"old": fields[0], "first": fields[0], "second": fields[-1]}
    text = got[0]
    for group in ("second", "first", "old"):  # from the end, so that places stay
        if got[group] is not None and names[group].endswith("_ms"):
            begin, end = got.start(group) - got.start(), got.end(group) - got.start()
            text = text[:begin] + _seconds(got[group]) + text[end:]
    return text


def _seconds(milliseconds: str) -> str:
    if milliseconds == "-1":
        return "None"
    # Of what is between -2 ms and 0 the library sees -2, since -1 is None.
    return "less than 0" if milliseconds == "-2" else f"{int(milliseconds) / 1000:.15g}"


def _make_error(
    status: int,
    message: str,
    domain: int,
    code: int,
    detail: Any,
    cause: Optional[BaseException],
    errors: List[Tuple[int, BaseException]],
    told: Optional[Tuple[Any, ...]],
) -> BaseException:
    outcome = None if told is None else _make_outcome(told)
    name = _weir.status_name(status)
    if name == "WEIR_EFAILED":
        if isinstance(detail, BaseException):
            _annotate(detail, outcome, "")
            if cause is not None and cause is not detail and detail.__cause__ is None:
                detail.__cause__ = cause
            return detail
        if isinstance(cause, BaseException) and not isinstance(cause, WeirError) and detail is None:
            _annotate(cause, outcome, "weir: " + message)
            return cause
    error: WeirError
    if errors:
        error = AggregateError(message, [exception for _, exception in errors])
        error.errors = errors
    elif name == "WEIR_ENOMEM":
        return MemoryError(message)
    else:
        if name == "WEIR_EFORKED":
            message = (ForkedError.__doc__ or message).strip()
        elif name == "WEIR_EINVAL":
            message = _in_python(message)
        error = _CLASSES.get(name, WeirError)(_described(message, outcome))
    error.status, error.domain, error.code, error.outcome = name, domain, code, outcome
    error.__cause__ = cause
    if outcome is not None and outcome.rejection is not None:
        error.rejection = outcome.rejection
    return error


def _described(message: str, outcome: Optional[Outcome]) -> str:
    if outcome is None or outcome.rejection is None:
        return message
    return outcome.rejection.message


# Domains and classes of what Python's own code completes with.
DOMAIN_ERRNO = 1
DOMAIN_USER = 1000
SUCCESS, FAILURE, REFUSAL, IGNORE, ABANDON = 1, 2, 3, 4, 5


def _describe(exception: BaseException) -> Tuple[int, int, str]:
    """Domain, code and message under which the library files the exception."""
    try:
        text = str(exception)
    except Exception:
        text = ""
    message = f"{type(exception).__name__}: {text}" if text else type(exception).__name__
    if hasattr(exception, "weir_code"):  # it speaks for itself
        message = text
    message = message.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    if isinstance(exception, WeirError):
        return exception.domain or DOMAIN_USER, exception.code, message
    if isinstance(exception, OSError) and isinstance(exception.errno, int):
        return DOMAIN_ERRNO, exception.errno, message
    domain, code = (
        getattr(exception, "weir_domain", DOMAIN_USER),
        getattr(exception, "weir_code", 0),
    )
    return (
        (domain, code, message)
        if isinstance(domain, int) and isinstance(code, int)
        else (DOMAIN_USER, 0, message)
    )


def _default_class(exception: BaseException) -> int:
    """How an exception counts if nobody judges it: a policy further in that refused is a refusal here, too."""
    if isinstance(exception, Refused):
        return REFUSAL
    if isinstance(exception, (Superseded, Cancelled, asyncio.CancelledError)) or not isinstance(
        exception, Exception
    ):
        return ABANDON
    return 0


_weir.set_factories(_make_error, _make_rejection, _describe)
