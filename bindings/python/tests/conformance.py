# SPDX-License-Identifier: MIT
"""The runner of tests/conformance/*.json for Python: what schema.json says under `rules`, on virtual time."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Dict, List, Optional

from conformance_build import Builder
from conformance_steps import Steps

import weir
from weir import _operations, testing
from weir._bridge import PLAIN, AsyncCall

NEVER = 1 << 60
STATUSES = {
    "WEIR_OK": "ok", "WEIR_EINVAL": "invalid", "WEIR_ENOMEM": "no_memory", "WEIR_ECANCELLED": "cancelled",
    "WEIR_ETIMEDOUT": "timed_out", "WEIR_ENOTIME": "no_time", "WEIR_EOPEN": "open", "WEIR_ELIMITED": "limited",
    "WEIR_EFULL": "full", "WEIR_EFAILED": "failed", "WEIR_EAGGREGATE": "aggregate", "WEIR_EEXHAUSTED": "exhausted",
    "WEIR_ESUPERSEDED": "superseded", "WEIR_ESTALE": "stale", "WEIR_ECLOSED": "closed",
    "WEIR_ENOTFOUND": "not_found", "WEIR_EEXISTS": "exists", "WEIR_ENOTSUP": "not_supported",
    "WEIR_EEXPIRED": "expired", "WEIR_ESTOP": "stop",
}  # fmt: skip
DOMAINS = {"weir": 0, "errno": 1, "uv": 2, "http": 3, "grpc": 4, "curl": 5, "user": 1000}
DOMAIN_WORDS = {number: word for word, number in DOMAINS.items()}


class TableError(Exception):
    """A leaf's error."""

    def __init__(self, given: Dict[str, Any]) -> None:
        super().__init__(given.get("message", ""))
        self.weir_code: int = given["code"]
        self.weir_domain: int = DOMAINS[given.get("domain", "user")]


def status_of(error: BaseException) -> str:
    return STATUSES[error.status] if isinstance(error, weir.WeirError) else "failed"


def message_of(error: BaseException) -> str:
    return error.message if isinstance(error, weir.WeirError) else str(error)


def error_to_json(error: BaseException) -> Dict[str, Any]:
    if isinstance(error, TableError):
        domain, code = error.weir_domain, error.weir_code
    else:
        domain, code = getattr(error, "domain", 1000), getattr(error, "code", 0)
    return {
        "domain": DOMAIN_WORDS.get(domain, str(domain)),
        "code": code,
        "message": message_of(error),
    }


def to_json(value: Any) -> Any:
    if isinstance(value, BaseException):
        return {
            "status": status_of(value),
            "error": error_to_json(value),
            "message": message_of(value),
        }
    if isinstance(value, bytes):
        return value.decode()
    return [to_json(item) for item in value] if isinstance(value, list) else value


def outcome_to_json(told: Any, exception: Optional[BaseException]) -> Dict[str, Any]:
    outcome = weir._errors._make_outcome(told)
    seen: Dict[str, Any] = {
        "status": STATUSES[outcome.status], "channel": outcome.channel, "value": to_json(outcome.value),
        "attempts": outcome.attempts, "stop_reason": outcome.stop_reason or "none",
        "cancel_reason": outcome.cancel_reason or "none", "final": outcome.final,
        "retry_after_ms": "off" if outcome.retry_after is None else round(outcome.retry_after * 1000),
        "statuses": [STATUSES[status] for status in outcome.statuses], "causes": [],
    }  # fmt: skip
    if exception is not None:
        seen["error"] = error_to_json(exception)
        seen["message"] = outcome.message or message_of(exception)
        seen["exception"] = exception
    if isinstance(exception, weir.AggregateError):
        seen["causes"] = [dict(to_json(cause), index=index) for index, cause in exception.errors]
    if outcome.cause is not None:
        seen["cause"] = dict(to_json(outcome.cause), index=0)
    if outcome.rejection is not None:
        rejection = outcome.rejection
        seen["rejection"] = {
            "policy": rejection.policy,
            "name": rejection.name,
            "reason": rejection.reason or "none",
        }
    return seen


def contains(expected: Any, seen: Any) -> bool:
    if isinstance(expected, dict):
        if not isinstance(seen, dict):
            return False
        if "code" in expected and expected.get("domain", "user") != seen.get("domain"):
            return False
        return all(name in seen and contains(value, seen[name]) for name, value in expected.items())
    if isinstance(expected, list):
        return (
            isinstance(seen, list)
            and len(expected) == len(seen)
            and all(map(contains, expected, seen))
        )
    return type(expected) is type(seen) and expected == seen or (
        not isinstance(expected, bool) and not isinstance(seen, bool)
        and isinstance(expected, (int, float)) and isinstance(seen, (int, float)) and expected == seen
    )  # fmt: skip


class Recorded(AsyncCall):
    """A run of the script, which notes its settlement when it is told."""

    __slots__ = ("world", "label")

    def settle(self, told: Any, exception: Optional[BaseException]) -> None:
        seen = outcome_to_json(told, exception)
        self.world.settled.append(
            dict(seen, run=self.label, at_ms=self.world.now(), event=self.world.event)
        )
        self.world.runs.discard(self.label)


class Entry:
    """An attempt of a leaf that waits for its turn."""

    def __init__(self, world: "World", due: int) -> None:
        self.due = due
        self.future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        world.agenda.append(self)


class Leaf:
    """The user's function."""

    def __init__(self, world: "World", name: str, given: Dict[str, Any]) -> None:
        self.world, self.name, self.given = world, name, given
        self.starts: List[Any] = []
        self.inputs: List[Any] = []
        self.stops: List[Any] = []
        self.raised: List[BaseException] = []
        self.many = False
        self.class_: Optional[str] = None

    def fate(self, attempt: Any) -> Dict[str, Any]:
        known = attempt._get()
        by = self.given.get("by", "attempt")
        position = (
            len(self.starts) if by == "start" else known[1] if by == "index" else known[0] - 1
        )
        fates = self.given["attempts"]
        fate: Dict[str, Any] = fates[min(position, len(fates) - 1)]
        return fate

    async def __call__(self, value: Any) -> Any:
        world, attempt = self.world, weir.current_attempt()
        assert attempt is not None
        fate = self.fate(attempt)
        result = fate.get("value")
        if "scope_value" in fate:
            result = (
                to_json(attempt.scope.get(fate["scope_value"]))
                if attempt.scope is not None
                else None
            )
        elif "echo" in fate:
            result = value
        self.starts.append((world.event, world.now()))
        self.inputs.append((world.event, to_json(value)))
        entry = Entry(world, NEVER if "never" in fate else world.now() + fate.get("after_ms", 0))
        await self.wait(entry, fate)
        self.class_ = fate.get("class")
        if "error" in fate:
            error = TableError(fate["error"])
            self.raised.append(error)
            after = fate.get("retry_after_ms")
            raise weir.failure(
                error,
                final=fate.get("final", False),
                retry_after=None if after is None else after / 1000,
            )
        return weir._weir.Many(result) if self.many and isinstance(result, list) else result

    async def wait(self, entry: Entry, fate: Dict[str, Any]) -> None:
        while True:
            try:
                return await asyncio.shield(entry.future)
            except asyncio.CancelledError:
                self.stops.append((self.world.event, self.world.now()))
                if fate.get("on_cancel") != "ignore":
                    self.world.agenda.remove(entry)
                    raise

    def classify(self, exception: Optional[BaseException], value: Any) -> Optional[str]:
        class_, self.class_ = self.class_, None
        return None if isinstance(exception, asyncio.CancelledError) else class_


class World(Builder, Steps):
    """One scenario."""

    def __init__(self, scenario: Dict[str, Any]) -> None:
        self.scenario = scenario
        self.event = 0
        self.agenda: List[Entry] = []
        self.settled: List[Dict[str, Any]] = []
        self.problems: List[str] = []
        self.leaves: Dict[str, Leaf] = {}
        self.calls: Dict[str, Recorded] = {}
        self.runs: set = set()
        self.things: Dict[str, Any] = {}
        self.labels: Dict[str, Any] = {}
        given = dict(scenario.get("runtime", {}))
        options = {"seed": given.get("seed", 1)}
        if "max_in_flight" in given:
            options["max_in_flight"] = (
                None if given["max_in_flight"] == "unlimited" else given["max_in_flight"]
            )
        if "close_grace_ms" in given:
            grace = given["close_grace_ms"]
            options["close_grace"] = None if grace == "forever" else grace / 1000
        self.runtime = testing.Runtime(**options)
        self.began = self.runtime.now_ns()

    def now(self) -> int:
        return (self.runtime.now_ns() - self.began) // 1_000_000

    def problem(self, text: str) -> None:
        self.problems.append(f"at {self.now()}: {text}")

    def begin_run(self, step: Dict[str, Any]) -> None:
        operation = self.operation(step["operation"])
        policy = self.policy(step["policy"]) if "policy" in step else None
        scope = self.thing(step["scope"]) if "scope" in step else None
        deadline = step.get("deadline_ms", "forever")
        value, key = step.get("input"), step.get("key")
        if "keys" in step:
            value = weir._weir.Keys(step["keys"])
        if getattr(operation, "memoizes", False):
            key = json.dumps(value)
        call = Recorded(asyncio.get_running_loop().create_future(), None, (), None, PLAIN)
        call.world, call.label, call.whole = self, step["run"], True
        queue = self.runtime._loop_bridge(asyncio.get_running_loop()).queue
        seconds = None if deadline == "forever" else deadline / 1000
        rare = (seconds, key, step["run"], step.get("permits", 1), step.get("priority", 31), scope)
        _operations._submit(queue, call, operation, value, policy, rare)
        self.calls[step["run"]] = call
        self.runs.add(step["run"])

    # --- the moments ------------------------------------------------------------------------------

    async def end_event(self) -> None:
        await self.runtime.settle()
        self.event += 1

    async def moment(self, at: int, steps: List[Dict[str, Any]]) -> None:
        if at > self.now():
            await self.runtime.advance_ns((at - self.now()) * 1_000_000)
        await self.end_event()
        while steps and steps[0]["at"] == at:
            self.do(steps.pop(0))
            await self.end_event()
        while True:
            due = [entry for entry in self.agenda if entry.due <= at]
            if not due:
                return
            self.agenda.remove(due[0])
            due[0].future.set_result(None)
            await self.end_event()

    def next_timer(self) -> int:
        deadline = self.runtime._next_deadline()
        return NEVER if deadline == 2**63 - 1 else -((self.began - deadline) // 1_000_000)

    async def live(self) -> None:
        steps, end, at = list(self.scenario["script"]), self.scenario["end_ms"], 0
        self.build_all()
        while True:
            await self.moment(at, steps)
            if at == end:
                break
            dues = [entry.due for entry in self.agenda] + [self.next_timer()]
            if steps:
                dues.append(steps[0]["at"])
            at = min(max(min(dues), at + 1), end)
        self.compare()
        self.compare_left()
        await self.clean()

    async def clean(self) -> None:
        self.runtime._close()
        await self.runtime.settle()
        for _ in range(1000):
            if not self.agenda:
                break
            self.agenda.pop(0).future.set_result(None)
            await self.runtime.settle()
        if self.runs:
            self.problem(f"never settled: {sorted(self.runs)}")
        if self.runtime.stats().orphans:
            self.problem("attempts are left that nothing completes")
        self.things.clear()
        self.labels.clear()
        await self.runtime.settle()

    # --- comparing --------------------------------------------------------------------------------

    def differs(self, expected: List[Any], seen: List[Any], events: List[int]) -> Optional[int]:
        taken = set()
        any_order = self.scenario.get("any_order", False)
        for position, wanted in enumerate(expected):
            if position >= len(seen):
                return position
            places = range(len(seen)) if any_order else [position]
            for place in places:
                same = events[place] == events[position] and place not in taken
                if same and contains(wanted, seen[place]):
                    taken.add(place)
                    break
            else:
                return position
        return None if len(expected) == len(seen) else len(expected)

    def compare(self) -> None:
        expected = self.scenario["expect"]
        at = self.differs(expected, self.settled, [seen["event"] for seen in self.settled])
        if at is not None:
            wanted = expected[at] if at < len(expected) else "nothing more"
            seen = self.settled[at] if at < len(self.settled) else "nothing more"
            self.problem(f"expected {wanted}\n    but saw {seen}")
        for what in ("starts", "inputs", "stops"):
            for name, wanted in self.scenario.get(what, {}).items():
                notes = getattr(self.leaves[name], what) if name in self.leaves else []
                if (
                    self.differs(wanted, [note[1] for note in notes], [note[0] for note in notes])
                    is not None
                ):
                    self.problem(f"{what} of {name}: expected {wanted}, saw {notes}")
        raised = [error for leaf in self.leaves.values() for error in leaf.raised]
        for seen in self.settled:
            error = seen.get("exception")
            if isinstance(error, TableError) and not any(error is one for one in raised):
                if self.scenario["pattern"] not in ("sleep", "chaos"):
                    self.problem(f"{seen['run']} came back with another error object")

    def compare_left(self) -> None:
        left, stats = self.scenario.get("left", {}), self.runtime.stats()
        if (stats.live_calls, stats.orphans) != (left.get("calls", 0), left.get("orphans", 0)):
            self.problem(
                f"left are {stats.live_calls} calls and {stats.orphans} orphans, not {left}"
            )


def play(scenario: Dict[str, Any]) -> List[str]:
    """The problems of one scenario; none if all is as expected."""

    async def main() -> List[str]:
        world = World(scenario)
        await world.live()
        return world.problems

    return asyncio.run(main())
