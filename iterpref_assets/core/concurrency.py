"""Bounded concurrency: many items, a fixed number of them in flight, the first error raised."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

ItemT = TypeVar("ItemT")


async def for_each(
    items: Iterable[ItemT], in_flight: int, work: Callable[[ItemT], Awaitable[None]]
) -> None:
    """Do `work` on every item, at most `in_flight` at once, taking items only as they start.

    Raises:
        Exception: the first that `work` raises, after the others in flight were cancelled.
    """
    queue = iter(items)

    async def drain() -> None:
        for item in queue:
            await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(in_flight):
                group.create_task(drain())
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from failures
