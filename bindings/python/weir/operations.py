# SPDX-License-Identifier: MIT
"""Operations that are composed first and run later: a race inside of a retry inside of a parallel is one run.

fetch = operations.race([eu, us]).wrap(weir.Retry(max_attempts=3))
await fetch.run(deadline=5)
"""

from ._cache import cache_of as cache
from ._cache import flight_of as flight
from ._cache import many_of as cache_many
from ._operations import Operation, operation
from ._operations import all_of as all
from ._operations import all_settled_of as all_settled
from ._operations import any_of as any
from ._operations import each_of as each
from ._operations import parallel_of as parallel
from ._operations import poll_of as poll
from ._operations import race_of as race
from ._operations import resource_of as resource
from ._operations import scope_of as scope
from ._operations import sleep_of as sleep
from ._operations import waterfall_of as waterfall

__all__ = [
    "Operation",
    "all",
    "all_settled",
    "any",
    "cache",
    "cache_many",
    "each",
    "flight",
    "operation",
    "parallel",
    "poll",
    "race",
    "resource",
    "scope",
    "sleep",
    "waterfall",
]
