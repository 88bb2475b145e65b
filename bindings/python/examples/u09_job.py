# SPDX-License-Identifier: MIT
"""U9: poll a job every two seconds, at most 30 times, until it is completed."""

import asyncio
from typing import Dict

import weir
import weir.testing

calls = 0


async def job() -> Dict[str, str]:
    global calls
    calls += 1
    return {"status": "completed" if calls == 10 else "running"}


async def main() -> None:
    async with weir.testing.Runtime() as clock:
        began = clock.now()
        done = await clock.finish(
            weir.poll(
                job, interval=2, max_attempts=30, until=lambda job: job["status"] == "completed"
            )
        )
        assert done == {"status": "completed"}
        assert calls == 10 and clock.now() - began == 18


asyncio.run(main())
