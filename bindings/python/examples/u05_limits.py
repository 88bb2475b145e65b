# SPDX-License-Identifier: MIT
"""U5: call an API at most five at once and 100 in any minute; the rest wait their turn."""

import asyncio
from typing import List

import weir
import weir.testing


async def main() -> None:
    async with weir.testing.Runtime() as clock:
        api = weir.Limiter(100, 60, algorithm="sliding_window", max_concurrent=5, name="api")
        begun: List[float] = []

        async def call() -> None:
            async with api:
                begun.append(clock.now())
                await weir.sleep(0.1)

        await clock.finish(asyncio.gather(*(call() for _ in range(150))))
        first = begun[0]
        assert sum(1 for moment in begun if moment < first + 60) == 100
        assert api.stats().granted == 150 and api.stats().refused == 0


asyncio.run(main())
