# SPDX-License-Identifier: MIT
"""The steps of a conformance script."""

from __future__ import annotations

import math
from typing import Any, Dict

import weir

CLASSES = {"success": 1, "failure": 2, "refusal": 3, "ignore": 4, "abandon": 5}
KINDS = {
    1: "retry",
    2: "breaker",
    3: "limiter",
    4: "timeout",
    5: "pipeline",
    7: "hedge",
    8: "fallback",
    9: "chaos",
}


class Steps:
    labels: Dict[str, Any]

    def do(self, step: Dict[str, Any]) -> None:
        name = "find" if step["do"] == "find" else step["do"]
        try:
            answer = getattr(self, f"do_{name}")(step)
        except weir.WeirError as error:
            from conformance import STATUSES

            self.check(step, STATUSES[error.status])
            self.check_refusal(step, error)
        else:
            self.check(step, "ok" if answer is None else answer)

    def check(self, step: Dict[str, Any], answer: Any) -> None:
        expected = step.get("expect", "ok")
        if isinstance(expected, dict):
            return
        if answer != expected:
            self.problem(f"{step['do']} answers {answer}, not {expected}")

    def check_refusal(self, step: Dict[str, Any], error: Any) -> None:
        rejection = error.rejection
        if "reason" in step and (rejection is None or rejection.reason != step["reason"]):
            self.problem(f"{step['do']}: the reason is {rejection}, not {step['reason']}")
        if "retry_after_ms" in step:
            after = error.retry_after
            seen = "off" if after is None else math.ceil(round(after * 1e9) / 1e6)
            if seen != step["retry_after_ms"]:
                self.problem(f"{step['do']}: retry after {seen}, not {step['retry_after_ms']}")

    def equal(self, step: Dict[str, Any], what: str, seen: Any, expected: Any) -> None:
        if seen != expected:
            self.problem(f"{step['do']}: {what} is {seen}, not {expected}")

    # --- runs -------------------------------------------------------------------------------------

    def do_run(self, step: Dict[str, Any]) -> None:
        self.begin_run(step)

    def do_cancel(self, step: Dict[str, Any]) -> None:
        self.calls[step["run"]].stop()

    def do_close(self, step: Dict[str, Any]) -> None:
        self.runtime._close()

    def do_in_flight(self, step: Dict[str, Any]) -> None:
        stats = self.runtime.stats()
        seen = (stats.live_calls, stats.orphans)
        self.equal(step, "(calls, orphans)", seen, (step.get("calls", 0), step.get("orphans", 0)))

    # --- breaker ----------------------------------------------------------------------------------

    def do_acquire(self, step: Dict[str, Any]) -> None:
        self.labels[step.get("permit", "")] = self.policy(step["policy"]).acquire()

    def do_report(self, step: Dict[str, Any]) -> Any:
        breaker, permit = self.policy(step["policy"]), self.labels[step["permit"]]
        recorded = breaker.report(permit, CLASSES[step["class"]], step.get("elapsed_ms", 0) / 1000)
        return None if recorded else "stale" if step.get("expect") != "expired" else "expired"

    def do_state(self, step: Dict[str, Any]) -> Any:
        return self.policy(step["policy"]).state

    def do_isolate(self, step: Dict[str, Any]) -> None:
        self.policy(step["policy"]).isolate()

    def do_end_isolation(self, step: Dict[str, Any]) -> None:
        self.policy(step["policy"]).release()

    def do_reset(self, step: Dict[str, Any]) -> None:
        self.policy(step["policy"]).reset()

    def do_force(self, step: Dict[str, Any]) -> None:
        self.policy(step["policy"]).force(step["state"])

    def do_snapshot(self, step: Dict[str, Any]) -> None:
        self.labels[step["snapshot"]] = self.policy(step["policy"]).snapshot()

    def do_restore(self, step: Dict[str, Any]) -> None:
        self.policy(step["policy"]).restore(
            self.labels[step["snapshot"]], step.get("elapsed_ms", 0) / 1000
        )

    # --- limiter, budget, retry -------------------------------------------------------------------

    def do_try_acquire(self, step: Dict[str, Any]) -> None:
        permit = self.policy(step["policy"]).acquire_nowait(step.get("permits", 1), step.get("key"))
        self.labels[step.get("permit", "")] = permit

    def do_release(self, step: Dict[str, Any]) -> None:
        self.policy(step["policy"]).release(self.labels[step["permit"]], step.get("key"))

    def do_available(self, step: Dict[str, Any]) -> Any:
        return self.policy(step["policy"]).available

    def do_drain(self, step: Dict[str, Any]) -> Any:
        return self.policy(step["policy"]).drain()

    def do_refund(self, step: Dict[str, Any]) -> None:
        self.policy(step["policy"]).refund(step["permits"])

    def do_reserve(self, step: Dict[str, Any]) -> None:
        wait, reservation = self.policy(step["policy"]).reserve(step["permits"])
        self.labels[step.get("permit", "")] = reservation
        if "wait_ms" in step:
            self.equal(step, "wait_ms", math.ceil(round(wait * 1e9) / 1e6), step["wait_ms"])

    def do_cancel_reservation(self, step: Dict[str, Any]) -> Any:
        given = self.policy(step["policy"]).cancel_reservation(
            self.labels[step["permit"]], step["permits"]
        )
        return None if given else "stale"

    def do_pause(self, step: Dict[str, Any]) -> None:
        self.policy(step["policy"]).pause()

    def do_resume(self, step: Dict[str, Any]) -> None:
        self.policy(step["policy"]).resume()

    def do_deposit(self, step: Dict[str, Any]) -> None:
        self.thing(step["policy"]).deposit()

    def do_withdraw(self, step: Dict[str, Any]) -> None:
        self.thing(step["policy"]).withdraw()

    def do_give_back(self, step: Dict[str, Any]) -> None:
        self.thing(step["policy"]).refund()

    def do_begin_retry(self, step: Dict[str, Any]) -> None:
        self.labels[step["state"]] = self.policy(step["policy"]).begin()

    def do_next_retry(self, step: Dict[str, Any]) -> Any:
        asked = step.get("asked_delay_ms")
        delay, reason = self.labels[step["state"]].next(
            CLASSES[step["class"]], None if asked is None else asked / 1000
        )
        if "stop_reason" in step:
            self.equal(step, "stop_reason", reason or "none", step["stop_reason"])
        if delay is None:
            return "stop"
        if "delay_ms" in step:
            self.equal(step, "delay_ms", round(delay * 1000), step["delay_ms"])
        return None

    # --- all policies -----------------------------------------------------------------------------

    def do_set_options(self, step: Dict[str, Any]) -> Any:
        policy, options = self.thing(step["policy"]), self.policy_options(step["options"])
        try:
            if step["options"]["type"] == "timeout":
                options.setdefault("timeout", -0.002)  # required here, as in the constructor
            policy.set_options(**options)
        except weir.Invalid:
            return "invalid"
        return None

    def do_stats(self, step: Dict[str, Any]) -> None:
        thing = self.thing(step["of"])
        if hasattr(thing, "pacers"):
            thing = thing.pacers[-1]
        stats = getattr(thing, "pool", thing)
        stats = getattr(stats, "cache", stats).stats()
        for name, expected in step["expect"].items():
            name, scale = (name[:-3], 1e9) if name.endswith("_ns") else (name, 1)
            seen = getattr(stats, name)
            if isinstance(seen, str):
                words = ("open", "ending", "closing", "ended")
                breaker = (
                    "closed",
                    "open",
                    "half_open",
                    "forced_open",
                    "forced_closed",
                    "metrics_only",
                )
                seen = (breaker if hasattr(thing, "acquire") else words).index(seen)
            self.equal(step, name, -1 if seen is None else round(seen * scale), expected)

    def do_enable(self, step: Dict[str, Any]) -> None:
        self.policy(step["policy"]).enable(step["enabled"])

    def do_register(self, step: Dict[str, Any]) -> None:
        self.policy(step["policy"]).register()

    def do_unregister(self, step: Dict[str, Any]) -> None:
        self.policy(step["policy"]).unregister()

    def do_find(self, step: Dict[str, Any]) -> None:
        found = self.runtime.find(step["name"])
        if "kind" in step:
            self.equal(step, "kind", KINDS[found._kind], step["kind"])
        if "as" in step:
            self.things[step["as"]] = found

    def do_create(self, step: Dict[str, Any]) -> Any:
        try:
            if "policy" in step:
                self.make_policy("created", step["policy"])
            elif "cache" in step:
                self.make_cache("created", step["cache"])
            else:
                made = self.make_operation("created", step["operation"])
                made._compile(
                    self.runtime._loop_bridge(__import__("asyncio").get_running_loop()).queue, ()
                )
        except weir.Invalid as error:
            named = step.get("message", "").replace("_ms", "")  # names have no units here
            if named not in str(error):
                self.problem(f"the message is {error}, without {named}")
            return "invalid"
        return None

    # --- caches, flights, pacers, pools, scopes ---------------------------------------------------

    def cache_named(self, step: Dict[str, Any]) -> Any:
        thing = self.thing(step["cache"])
        return getattr(thing, "cache", thing)

    def do_lookup(self, step: Dict[str, Any]) -> Any:
        missing = object()
        value = self.cache_named(step).lookup(step["key"], missing)
        if value is missing:
            return "not_found"
        if "value" in step:
            self.equal(step, "value", value, step["value"])
        return None

    def do_put(self, step: Dict[str, Any]) -> None:
        cache, ttl = self.cache_named(step), step.get("ttl_ms", ...)
        cache.put(
            step["key"],
            step.get("value"),
            ttl if ttl is ... else None if ttl == "forever" else ttl / 1000,
        )

    def do_put_if_absent(self, step: Dict[str, Any]) -> Any:
        cache = self.cache_named(step)
        put, there = cache._put_if_absent(
            self.runtime._home_queue(), step["key"], step.get("value")
        )
        if not put and "existing" in step:
            self.equal(step, "existing", there, step["existing"])
        return None if put else "exists"

    def do_invalidate(self, step: Dict[str, Any]) -> Any:
        return None if self.cache_named(step).invalidate(step["key"]) else "not_found"

    def do_touch(self, step: Dict[str, Any]) -> Any:
        ttl = step.get("ttl_ms", "forever")
        touched = self.cache_named(step).touch(
            step["key"], None if ttl == "forever" else ttl / 1000
        )
        return None if touched else "not_found"

    def do_clear(self, step: Dict[str, Any]) -> None:
        self.cache_named(step).clear()

    def do_forget(self, step: Dict[str, Any]) -> None:
        self.thing(step["flight"]).forget(step["key"])

    def do_flush(self, step: Dict[str, Any]) -> None:
        self.thing(step["operation"]).pacers[-1].flush(step.get("key"))

    def do_cancel_pacer(self, step: Dict[str, Any]) -> None:
        self.thing(step["operation"]).pacers[-1].cancel(step.get("key"))

    def do_pending(self, step: Dict[str, Any]) -> Any:
        return self.thing(step["operation"]).pacers[-1].pending()

    def do_add(self, step: Dict[str, Any]) -> None:
        self.thing(step["pool"]).pool.add(self.operation(step["operation"]), step.get("input"))

    def do_seal(self, step: Dict[str, Any]) -> None:
        self.thing(step["pool"]).pool.seal()

    def do_cancel_scope(self, step: Dict[str, Any]) -> None:
        self.thing(step["scope"]).cancel()

    def do_set_value(self, step: Dict[str, Any]) -> None:
        value = step["value"]
        self.thing(step["scope"]).set(
            step["key"], value.encode() if isinstance(value, str) else value
        )

    def do_get_value(self, step: Dict[str, Any]) -> Any:
        missing = object()
        value = self.thing(step["scope"]).get(step["key"], missing)
        if value is missing:
            return "not_found"
        if "value" in step:
            self.equal(
                step, "value", value.decode() if isinstance(value, bytes) else value, step["value"]
            )
        return None
