# SPDX-License-Identifier: MIT
"""U12: a scope with a default TTL and a deadline, that opens and closes its resources."""

import asyncio
from typing import List

import weir
import weir.testing

events: List[str] = []


async def connect() -> str:
    events.append("open")
    return "connection"


async def disconnect(connection: str) -> None:
    events.append(f"close {connection}")


async def load(connection: str) -> int:
    scope = weir.current_scope()
    assert scope["ttl"] == 300
    await weir.sleep(1)
    return len(connection)


async def slow() -> None:
    await weir.sleep(3600)


async def main() -> None:
    async with weir.testing.Runtime() as clock:

        async def work() -> int:
            async with weir.Scope(name="import", deadline=30) as scope:
                scope["ttl"] = 300
                connection = await scope.open(connect, disconnect)
                size: int = await weir.retry(load, connection)
                try:
                    await weir.retry(slow)
                except weir.TimedOut:
                    events.append("deadline")
                return size

        assert await clock.finish(work()) == 10
    assert events == ["open", "deadline", "close connection"]


asyncio.run(main())
