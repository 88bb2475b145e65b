# SPDX-License-Identifier: MIT
"""U11: process items three at a time, five seconds each; go on after errors and count."""

import asyncio

import weir
import weir.testing


async def process(item: int) -> int:
    if item == 3:
        raise ValueError(item)
    await weir.sleep(60 if item == 5 else 1)
    return item * item


async def main() -> None:
    async with weir.testing.Runtime() as clock:
        results = await clock.finish(
            weir.parallel_map(process, range(8), concurrency=3, item_timeout=5, stop_on_error=False)
        )
    failed = [result for result in results if isinstance(result, Exception)]
    assert len(results) - len(failed) == 6
    assert isinstance(results[3], ValueError) and isinstance(results[5], weir.TimedOut)


asyncio.run(main())
