# SPDX-License-Identifier: MIT
"""Policies, operations, caches, flights and scopes from their definitions in the conformance table."""

from __future__ import annotations

import functools
from typing import Any, Dict

import weir
from weir import operations
from weir._groups import _Ready
from weir._pacing import paced_of

FORMS = {"unlimited": None, "forever": None, "off": None}


def options_of(given: Dict[str, Any], *without: str) -> Dict[str, Any]:
    """The options by Python's names and units: `_ms` are seconds, words for no bound are None."""
    options = {}
    for name, value in given.items():
        if name in ("type", *without):
            continue
        if isinstance(value, str) and value in FORMS and name not in ("adaptive",):
            value = None
        if name == "failures":
            value = [(domain(r["domain"]), r["code_min"], r["code_max"]) for r in value]
        if name.endswith("_ms"):
            name = name[:-3]
            value = None if value is None else value / 1000
        options[name] = value
    return options


def domain(word: str) -> int:
    from conformance import DOMAINS

    return DOMAINS[word]


class Builder:
    scenario: Dict[str, Any]
    things: Dict[str, Any]
    runtime: Any

    def build_all(self) -> None:
        for family in ("scopes", "policies", "caches", "flights", "operations"):
            for name in self.scenario.get(family, {}):
                self.thing(name)
        queue = self.runtime._loop_bridge(__import__("asyncio").get_running_loop()).queue
        for name in self.scenario.get("operations", {}):
            self.thing(name)._compile(queue, ())

    def thing(self, name: str) -> Any:
        if name not in self.things:
            for family, make in (
                ("scopes", self.make_scope), ("policies", self.make_policy), ("caches", self.make_cache),
                ("flights", self.make_flight), ("operations", self.make_operation),
            ):  # fmt: skip
                if name in self.scenario.get(family, {}):
                    self.things[name] = make(name, self.scenario[family][name])
        return self.things[name]

    policy = operation = thing

    # --- policies ---------------------------------------------------------------------------------

    def policy_options(self, given: Dict[str, Any]) -> Dict[str, Any]:
        from conformance import TableError

        options = options_of(given, "limits", "policies", "operation")
        if options.get("budget") is not None:
            options["budget"] = self.thing(options["budget"])
        if given["type"] == "chaos":
            if "failure" in given:
                options["failure"] = TableError(given["failure"])
            if "phases" in given:
                options["phases"] = [
                    (p["from_ms"] / 1000, None if p["until_ms"] == "forever" else p["until_ms"] / 1000, p["what"],
                     p["rate"])
                    for p in given["phases"]
                ]  # fmt: skip
        if "operation" in given:
            options["function"] = self.operation(given["operation"])
        return options

    def make_policy(self, name: str, given: Dict[str, Any]) -> Any:
        kind, options = given["type"], self.policy_options(given)
        named = {"name": name, "runtime": self.runtime}
        if kind == "pipeline":
            return weir.Pipeline(*[self.policy(part) for part in given["policies"]], name=name)
        if kind == "bulkhead":
            return weir.bulkhead(options["max_concurrent"], options["queue_limit"], **named)
        made = {
            "retry": weir.Retry, "budget": weir.Budget, "breaker": weir.Breaker, "limiter": weir.Limiter,
            "timeout": functools.partial(weir.Timeout, options.pop("timeout", -1)), "hedge": weir.Hedge,
            "fallback": weir.Fallback, "chaos": weir.Chaos,
        }[kind](**options, **named)  # fmt: skip
        for limit in given.get("limits", ()):
            more = options_of(limit)
            made.add_limit(more.pop("permits"), more.pop("interval"), **more)
        return made

    # --- others -----------------------------------------------------------------------------------

    def make_cache(self, name: str, given: Dict[str, Any]) -> Any:
        return weir.Cache(name=name, runtime=self.runtime, **options_of(given))

    def make_flight(self, name: str, given: Dict[str, Any]) -> Any:
        return weir.Flight(name=name, runtime=self.runtime, **options_of(given))

    def make_scope(self, name: str, given: Dict[str, Any]) -> Any:
        options = options_of(given, "parent")
        parent = self.thing(given["parent"]) if "parent" in given else None
        return weir.Scope(name=name, parent=parent, runtime=self.runtime, **options)

    def make_operation(self, name: str, given: Dict[str, Any]) -> Any:
        kind = {
            "cache": "cache_operation",
            "flight": "flight_operation",
            "scope": "scope_operation",
        }.get(given["type"], given["type"])
        made = getattr(self, f"make_{kind}")(name, given)
        if made.runtime is None:
            made.runtime = self.runtime
        return made

    def make_leaf(self, name: str, given: Dict[str, Any]) -> Any:
        from conformance import Leaf

        leaf = self.leaves[name] = Leaf(self, name, given)
        return operations.operation(leaf, classify=leaf.classify)

    def make_sleep(self, name: str, given: Dict[str, Any]) -> Any:
        from conformance import STATUSES, TableError

        words = {word: constant for constant, word in STATUSES.items()}
        constant = words[given.get("status", "ok")]
        number = next(-n for n in range(23) if weir._weir.status_name(-n) == constant)
        seconds = None if given["sleep_ms"] == "forever" else given["sleep_ms"] / 1000
        error = TableError(given["error"]) if "error" in given else None
        return weir._operations.sleep_of(seconds, given.get("value"), error=error, status=number)

    def make_wrap(self, name: str, given: Dict[str, Any]) -> Any:
        return self.operation(given["operation"]).wrap(self.policy(given["policy"]))

    def parts(self, given: Dict[str, Any]) -> Any:
        return [self.operation(part) for part in given["operations"]]

    def make_race(self, name: str, given: Dict[str, Any]) -> Any:
        return operations.race(self.parts(given), name=name, **options_of(given, "operations"))

    def make_any(self, name: str, given: Dict[str, Any]) -> Any:
        return operations.any(self.parts(given), name=name)

    def make_all(self, name: str, given: Dict[str, Any]) -> Any:
        return operations.all(self.parts(given), name=name)

    def make_all_settled(self, name: str, given: Dict[str, Any]) -> Any:
        return operations.all_settled(self.parts(given), name=name)

    def make_waterfall(self, name: str, given: Dict[str, Any]) -> Any:
        return operations.waterfall(self.parts(given), name=name)

    def parallel_options(self, given: Dict[str, Any]) -> Dict[str, Any]:
        options = options_of(given, "operations", "operation", "items")
        if "policy" in options:
            options["policy"] = self.policy(options["policy"])
        if "stop_on_error" in options:
            options["stop_on_error"] = int(options["stop_on_error"])
        if "concurrency" not in options:
            options["concurrency"] = 0
        return options

    def make_parallel(self, name: str, given: Dict[str, Any]) -> Any:
        return operations.parallel(self.parts(given), name=name, **self.parallel_options(given))

    def make_parallel_each(self, name: str, given: Dict[str, Any]) -> Any:
        work = self.operation(given["operation"])
        return operations.each(work, given["items"], name=name, **self.parallel_options(given))

    def make_pool(self, name: str, given: Dict[str, Any]) -> Any:
        options = self.parallel_options(given)
        pool = weir.Pool(options.pop("concurrency"), name=name, runtime=self.runtime, **options)
        operation = _Ready(pool._operation(), self.runtime)
        operation.pool = pool
        return operation

    def make_poll(self, name: str, given: Dict[str, Any]) -> Any:
        options = options_of(given, "operation")
        return operations.poll(
            self.operation(given["operation"]), name=name, **{"interval": -1, **options}
        )

    def make_cache_operation(self, name: str, given: Dict[str, Any]) -> Any:
        return operations.cache(self.thing(given["cache"]), self.operation(given["loader"]))

    def make_cache_many(self, name: str, given: Dict[str, Any]) -> Any:
        loader = self.operation(given["loader"])
        self.leaves[given["loader"]].many = True
        return operations.cache_many(self.thing(given["cache"]), loader)

    def make_memoize(self, name: str, given: Dict[str, Any]) -> Any:
        options = options_of(given, "operation")
        cache = weir.Cache(**{"ttl": None, "name": name, "runtime": self.runtime, **options})
        operation = operations.cache(cache, self.operation(given["operation"]))
        operation.memoizes, operation.cache = True, cache
        return operation

    def make_flight_operation(self, name: str, given: Dict[str, Any]) -> Any:
        return operations.flight(self.thing(given["flight"]), self.operation(given["operation"]))

    def make_pacer(self, kind: str, name: str, given: Dict[str, Any]) -> Any:
        options = options_of(given, "operation")
        if "policy" in options:
            options["policy"] = self.policy(options["policy"])
        for flag in ("leading", "trailing"):
            if flag in options:
                options[flag] = int(options[flag])
        return paced_of(kind, self.operation(given["operation"]), {"name": name, **options})

    def make_debounce(self, name: str, given: Dict[str, Any]) -> Any:
        return self.make_pacer("debounce", name, given)

    def make_throttle(self, name: str, given: Dict[str, Any]) -> Any:
        return self.make_pacer("throttle", name, given)

    def make_scope_operation(self, name: str, given: Dict[str, Any]) -> Any:
        return operations.scope(
            self.operation(given["operation"]), name=name, **options_of(given, "operation")
        )

    def make_resource(self, name: str, given: Dict[str, Any]) -> Any:
        return operations.resource(
            self.operation(given["open"]), self.operation(given["close"]), given.get("key")
        )

    def make_join(self, name: str, given: Dict[str, Any]) -> Any:
        return _Ready(self.thing(given["scope"])._join(), self.runtime)
