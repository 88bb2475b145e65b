# SPDX-License-Identifier: MIT
"""U4: fetch from two regions: the first success wins, five seconds at most, all failures listed."""

import asyncio

import weir
import weir.testing


async def from_region(region: str, seconds: float, works: bool = True) -> str:
    await weir.sleep(seconds)
    if not works:
        raise ConnectionError(region)
    return f"from {region}"


async def main() -> None:
    async with weir.testing.Runtime() as clock:
        first = weir.race(
            [lambda: from_region("eu", 0.3), lambda: from_region("us", 0.1)], deadline=5
        )
        assert await clock.finish(first) == "from us"

        try:
            await clock.finish(
                weir.race(
                    [lambda: from_region("eu", 0.3, False), lambda: from_region("us", 0.1, False)],
                    deadline=5,
                )
            )
        except weir.AggregateError as error:
            assert [str(cause) for cause in error.causes] == ["eu", "us"]

        try:
            await clock.finish(weir.race([lambda: from_region("eu", 60)], deadline=5))
        except weir.TimedOut:
            assert clock.now() < 10


asyncio.run(main())
