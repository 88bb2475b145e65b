# SPDX-License-Identifier: MIT
"""U10: a breaker around a retry around a timeout around a fetch, in one call."""

import asyncio

import weir
import weir.testing

tries = 0


async def fetch(url: str) -> str:
    global tries
    tries += 1
    if tries < 3:
        await weir.sleep(60)  # hangs: the timeout cuts it off
    return f"body of {url}"


async def main() -> None:
    async with weir.testing.Runtime() as clock:
        breaker = weir.Breaker(name="api")
        api = weir.Pipeline(breaker, weir.Retry(max_attempts=3, base_delay=0.1), weir.Timeout(2))

        assert await clock.finish(api.run(fetch, "/users")) == "body of /users"
        assert tries == 3 and clock.now() < 10
        assert breaker.stats().succeeded == 1


asyncio.run(main())
