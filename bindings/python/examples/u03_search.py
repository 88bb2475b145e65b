# SPDX-License-Identifier: MIT
"""U3: type-ahead search: 300 ms debounce; calls that a later one replaced are ignored."""

import asyncio
from typing import List

import weir
import weir.testing

searched: List[str] = []


async def main() -> None:
    async with weir.testing.Runtime() as clock:

        @weir.debounce(0.3)
        async def search(text: str) -> str:
            searched.append(text)
            return f"results for {text}"

        shown: List[str] = []

        async def typed(text: str) -> None:
            try:
                shown.append(await search(text))
            except weir.Superseded:
                pass

        keys = [asyncio.ensure_future(typed(text)) for text in ("w", "we")]
        await clock.advance(0.1)
        keys.append(asyncio.ensure_future(typed("weir")))
        await clock.advance(0.3)
        await asyncio.gather(*keys)
    assert searched == ["weir"] and shown == ["results for weir"]


asyncio.run(main())
