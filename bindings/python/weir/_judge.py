# SPDX-License-Identifier: MIT
"""Judging what a function returned or raised, in Python, before it is told to the library.

A completion carries a class that all policies around the attempt see. So a predicate of one policy is also seen by
the others; ``should_retry`` only says "final", which stops retries and leaves a failure a failure.
"""

from __future__ import annotations

from typing import Any, Callable, List, Optional, Tuple, Type, Union

CLASSES = {"success": 1, "failure": 2, "refusal": 3, "ignore": 4, "abandon": 5}

# classify(exception or None, value) -> "success", "failure", "refusal", "ignore", "abandon", or None: as usual
Classify = Callable[[Optional[BaseException], Any], Optional[str]]
ShouldRetry = Union[
    Callable[[BaseException], Any], Type[BaseException], Tuple[Type[BaseException], ...]
]  # what to try again


def check_functions(subject: str, **options: Any) -> None:
    """Options that are functions are told at once if they are none, not where they are called."""
    for name, given in options.items():
        if given is not None and not callable(given):
            raise TypeError(f"{subject}.{name} must be a function, not {given!r}")


def check_exceptions(subject: str, **options: Any) -> None:
    """As check_functions(), of options that may be exception types, too."""
    for name, given in options.items():
        kinds: List[Any] = list(given) if isinstance(given, tuple) else [given]
        if not isinstance(given, (type, tuple)):
            check_functions(subject, **{name: given})
        elif not all(isinstance(kind, type) and issubclass(kind, BaseException) for kind in kinds):
            raise TypeError(
                f"{subject}.{name} must be a function or exception types, not {given!r}"
            )


def class_number(word: Optional[str]) -> int:
    if word is None:
        return 0
    try:
        return CLASSES[word]
    except KeyError:
        raise ValueError(
            f"classify must give one of {list(CLASSES)} or None (got {word!r})"
        ) from None


class Judge:
    __slots__ = ("classify", "should_retry", "failed_value")

    def __init__(
        self,
        classify: Optional[Classify] = None,
        should_retry: Optional[ShouldRetry] = None,
        failed_value: Optional[Callable[[Any], Any]] = None,
    ) -> None:
        self.classify, self.failed_value = classify, failed_value
        self.should_retry: Optional[Callable[[BaseException], Any]] = None
        if isinstance(should_retry, (type, tuple)):
            kinds = should_retry
            self.should_retry = lambda exception: isinstance(exception, kinds)
        else:
            self.should_retry = should_retry

    def of_value(self, value: Any) -> int:
        if self.failed_value is not None and self.failed_value(value):
            return 2
        return class_number(self.classify(None, value)) if self.classify is not None else 0

    def of_exception(self, exception: BaseException) -> Tuple[int, bool, Optional[float]]:
        class_ = class_number(self.classify(exception, None)) if self.classify is not None else 0
        final = self.should_retry is not None and not self.should_retry(exception)
        return class_, final, None


def judges(
    classify: Optional[Classify],
    should_retry: Optional[ShouldRetry] = None,
    failed_value: Optional[Callable[[Any], Any]] = None,
) -> Tuple[Judge, ...]:
    if classify is None and should_retry is None and failed_value is None:
        return ()
    return (Judge(classify, should_retry, failed_value),)


def failure(
    exception: BaseException,
    *,
    final: bool = False,
    retry_after: Optional[float] = None,
    class_: Optional[str] = None,
) -> Any:
    """Marks an exception for the policies around this attempt, and gives it back: ``raise weir.failure(error, ...)``.

    final        no retry tries again
    retry_after  seconds after which trying again makes sense; a retry waits that long, at most its max_delay
    class_       success, failure, refusal, ignore or abandon
    """
    marked: Any = exception
    marked.weir_final = final
    if retry_after is not None:
        marked.retry_after = retry_after
    if class_ is not None:
        marked.weir_class = class_number(class_)
    return exception
