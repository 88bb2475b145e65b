# SPDX-License-Identifier: MIT
"""U13: add work to a pool while it runs; results when it is drained."""

import asyncio

import weir
import weir.testing


async def crawl(pool: weir.Pool, page: int) -> str:
    await weir.sleep(1)
    if page < 4:  # what it finds is added while the pool runs
        pool.add(crawl, pool, page * 2)
        pool.add(crawl, pool, page * 2 + 1)
    return f"page {page}"


async def main() -> None:
    async with weir.testing.Runtime() as clock:

        async def site() -> list:  # type: ignore[type-arg]
            pool = weir.Pool(concurrency=2)
            pool.add(crawl, pool, 1)
            run = asyncio.ensure_future(pool.run())
            while pool.stats().succeeded < 7:
                await weir.sleep(1)
            pool.seal()
            return await run

        pages = await clock.finish(site())
    assert pages == [f"page {number}" for number in range(1, 8)]


asyncio.run(main())
