# SPDX-License-Identifier: MIT
"""U2: upload 100 files, five at a time, with progress."""

import asyncio
from typing import List, Optional

import weir
import weir.testing

at_once = most = 0


async def upload(name: str) -> str:
    global at_once, most
    at_once += 1
    most = max(most, at_once)
    await weir.sleep(0.5)
    at_once -= 1
    return f"{name}: done"


async def main() -> None:
    progress: List[int] = []

    def show(done: int, total: Optional[int]) -> None:
        assert total == 100
        progress.append(done)

    async with weir.testing.Runtime() as clock:
        files = [f"file-{number}" for number in range(100)]
        results = await clock.finish(
            weir.parallel_map(upload, files, concurrency=5, on_progress=show)
        )
    assert results[99] == "file-99: done"
    assert most == 5 and progress == list(range(1, 101))


asyncio.run(main())
