# SPDX-License-Identifier: MIT
"""U1: poll a payment until it is no longer pending, five attempts, exponential."""

import asyncio

import weir
import weir.testing

states = iter(["PENDING", "PENDING", "PAID"])


async def payment() -> str:
    return next(states)


async def main() -> None:
    async with weir.testing.Runtime() as clock:
        paid = weir.Retry(
            max_attempts=5,
            backoff="exponential",
            base_delay=1,
            retry_value=lambda state: state == "PENDING",
        )
        assert await clock.finish(paid.run(payment)) == "PAID"

        async def never() -> str:
            return "PENDING"

        try:
            await clock.finish(paid.run(never))
        except weir.Exhausted as error:
            assert error.value == "PENDING" and error.attempts == 5


asyncio.run(main())
