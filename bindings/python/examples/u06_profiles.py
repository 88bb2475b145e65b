# SPDX-License-Identifier: MIT
"""U6: user profiles: equal calls load once; cached a minute; stale when the backend is down."""

import asyncio

import weir
import weir.testing

loads = 0
down = False


async def main() -> None:
    async with weir.testing.Runtime() as clock:

        @weir.cache(ttl=60, stale_if_error=3600)
        async def profile(user: int) -> str:
            global loads
            loads += 1
            await weir.sleep(0.2)
            if down:
                raise ConnectionError("the backend is down")
            return f"profile of {user}, load {loads}"

        three = await clock.finish(asyncio.gather(profile(7), profile(7), profile(7)))
        assert list(three) == ["profile of 7, load 1"] * 3 and loads == 1
        await clock.advance(30)
        assert await profile(7) == "profile of 7, load 1"

        global down
        down = True
        await clock.advance(60)
        assert await clock.finish(profile(7)) == "profile of 7, load 1"
        assert loads == 2


asyncio.run(main())
