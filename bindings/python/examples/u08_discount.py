# SPDX-License-Identifier: MIT
"""U8: user, orders, total, discount: each step fed by the last."""

import asyncio
from typing import List

import weir


async def orders(user: str) -> List[int]:
    return [30, 50, 20] if user == "ada" else []


def total(amounts: List[int]) -> int:
    if not amounts:
        raise ValueError("no orders")
    return sum(amounts)


async def discount(amount: int) -> float:
    return amount * 0.1


async def main() -> None:
    assert await weir.waterfall([orders, total, discount], "ada") == 10.0
    try:
        await weir.waterfall([orders, total, discount], "bob")
    except ValueError as error:
        assert str(error) == "no orders"


asyncio.run(main())
