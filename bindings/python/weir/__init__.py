# SPDX-License-Identifier: MIT
"""weir: circuit breaker, limiter, retry, timeout, hedge, debounce, throttle, cache, and all that is built of them.

import weir

await weir.retry(fetch, max_attempts=5, backoff="exponential")

api = weir.Pipeline(weir.Breaker(name="api"), weir.Retry(), weir.Timeout(2.0))
await api.run(fetch, url)          # asyncio
api.call(fetch_blocking, url)      # a thread without a loop
@api                               # decorates both kinds
async def get(url): ...
"""

from . import blocking, operations, testing
from ._bridge import Attempt, current_attempt
from ._cache import Cache, Entry, Flight, cache, key_of, memoize
from ._chaos import Chaos
from ._errors import (
    AggregateError,
    BreakerOpen,
    Cancelled,
    Closed,
    Exhausted,
    Exists,
    Failed,
    ForkedError,
    Full,
    Incompatible,
    Invalid,
    Limited,
    NotFound,
    NoTimeLeft,
    NotSupported,
    Outcome,
    Refused,
    Rejection,
    Stale,
    Superseded,
    TimedOut,
    WeirError,
    WrongThread,
    outcome_of,
)
from ._flow import (
    all,
    all_settled,
    any,
    fallback,
    hedge,
    parallel,
    parallel_map,
    poll,
    race,
    retry,
    sleep,
    timeout,
    waterfall,
)
from ._groups import Pool, Scope, current_scope
from ._judge import failure
from ._limiter import Limiter, Slot, bulkhead
from ._listen import Event, Eviction, Retried, StateChange
from ._operations import Operation, operation
from ._pacing import Paced, debounce, throttle
from ._policies import (
    Breaker,
    Budget,
    Fallback,
    Hedge,
    Permit,
    Pipeline,
    Policy,
    Retry,
    Timeout,
    Using,
)
from ._runtime import Runtime, current_runtime, default_runtime
from ._weir import version as _version

SUCCESS, FAILURE, REFUSAL, IGNORE, ABANDON = 1, 2, 3, 4, 5
__version__: str = _version()

__all__ = [
    "ABANDON",
    "AggregateError",
    "Attempt",
    "Breaker",
    "BreakerOpen",
    "Budget",
    "Cache",
    "Cancelled",
    "Chaos",
    "Closed",
    "Entry",
    "Event",
    "Eviction",
    "Exhausted",
    "Exists",
    "FAILURE",
    "Failed",
    "Fallback",
    "Flight",
    "ForkedError",
    "Full",
    "Hedge",
    "IGNORE",
    "Incompatible",
    "Invalid",
    "Limited",
    "Limiter",
    "NoTimeLeft",
    "NotFound",
    "NotSupported",
    "Operation",
    "Outcome",
    "Paced",
    "Permit",
    "Pipeline",
    "Policy",
    "Pool",
    "REFUSAL",
    "Refused",
    "Rejection",
    "Retried",
    "Retry",
    "Runtime",
    "SUCCESS",
    "Scope",
    "Slot",
    "Stale",
    "StateChange",
    "Superseded",
    "TimedOut",
    "Timeout",
    "Using",
    "WeirError",
    "WrongThread",
    "all",
    "all_settled",
    "any",
    "blocking",
    "bulkhead",
    "cache",
    "current_attempt",
    "current_runtime",
    "current_scope",
    "debounce",
    "default_runtime",
    "failure",
    "fallback",
    "hedge",
    "key_of",
    "memoize",
    "operation",
    "operations",
    "outcome_of",
    "parallel",
    "parallel_map",
    "poll",
    "race",
    "retry",
    "sleep",
    "testing",
    "throttle",
    "timeout",
    "waterfall",
]
