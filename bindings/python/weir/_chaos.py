# SPDX-License-Identifier: MIT
"""Chaos: making things fail on purpose."""

from __future__ import annotations

from typing import Any, List, Optional, Sequence, Tuple

from . import _weir
from ._policies import KINDS, Policy, runtime_or_current
from ._runtime import Runtime


class Chaos(Policy, _weir.Chaos):
    """Makes what is inside of it misbehave on purpose, by seeded probability or by schedule.

    failure_rate, outcome_rate, hang_rate, latency_rate   shares of the runs, 0 to 1, default 0
    failure       the exception that failures fail with
    value         what outcomes succeed with
    latency_min, latency_max   seconds, between which latency is uniform; default 0 and 1
    phases        [(from, until, what, rate)]: in these seconds the rate of 'failure', 'outcome', 'hang' or 'latency'
    seed          the same one injects the same; 0: from the runtime's
    enabled       ``enable()`` switches it live
    """

    _WHAT = {"latency": 1, "failure": 2, "outcome": 3, "hang": 4}

    def __init__(
        self,
        *,
        failure_rate: float = 0.0,
        outcome_rate: float = 0.0,
        hang_rate: float = 0.0,
        latency_rate: float = 0.0,
        failure: Optional[BaseException] = None,
        value: Any = None,
        latency_min: Any = 0.0,
        latency_max: Any = 1.0,
        phases: Optional[Sequence[Tuple[Any, Any, str, float]]] = None,
        seed: int = 0,
        enabled: bool = True,
        name: Optional[str] = None,
        runtime: Optional[Runtime] = None,
    ) -> None:
        chosen = runtime_or_current(runtime)
        super().__init__(
            chosen,
            chosen._drained_home(),
            enabled=int(enabled),
            failure_rate=failure_rate,
            outcome_rate=outcome_rate,
            hang_rate=hang_rate,
            latency_rate=latency_rate,
            failure=failure,
            value=value,
            latency_min=latency_min,
            latency_max=latency_max,
            phases=self._numbered(phases),
            seed=seed,
            name=name,
        )

    def _numbered(
        self, phases: Optional[Sequence[Tuple[Any, Any, str, float]]]
    ) -> Optional[List[Any]]:
        if phases is None:
            return None
        for _, _, what, _ in phases:
            if what not in self._WHAT:
                raise ValueError(f"chaos.phases are of {list(self._WHAT)} (got {what!r})")
        return [(begin, end, self._WHAT[what], rate) for begin, end, what, rate in phases]

    def set_options(self, **options: Any) -> None:
        """Replaces all options, live; what is not named has its default again."""
        if options.get("phases") is not None:
            options["phases"] = self._numbered(options["phases"])
        self._set_options(_queue=self.runtime._drained_home(), **options)


KINDS[9] = Chaos
