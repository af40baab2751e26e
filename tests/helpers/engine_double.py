"""What doubles of engines share."""

from types import TracebackType
from typing import Self


class OpenEngine:
    """An engine with nothing to start or to free; a double adds how it answers."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass
