# SPDX-License-Identifier: MIT
"""U7: a breaker around a failing service: five failures open it, a minute later two successes close it."""

import asyncio
from typing import List

import weir
import weir.testing

works = False


async def service() -> str:
    if not works:
        raise ConnectionError("no")
    return "fine"


async def main() -> None:
    global works
    changes: List[str] = []
    async with weir.testing.Runtime() as clock:
        breaker = weir.Breaker(
            failure_threshold=5,
            reset_timeout=60,
            half_open_success_threshold=2,
            on_state_change=lambda change: changes.append(change.after),
            name="service",
        )
        guarded = breaker(service)
        for _ in range(5):
            try:
                await guarded()
            except ConnectionError:
                pass
        try:
            await guarded()
        except weir.BreakerOpen as refusal:
            assert refusal.retry_after == 60.0
            assert "circuit breaker 'service' is open" in str(refusal)

        works = True
        await clock.advance(60)
        assert [await guarded(), await guarded()] == ["fine", "fine"]
        await clock.settle()
    assert breaker.state == "closed" and changes == ["open", "half_open", "closed"]


asyncio.run(main())
