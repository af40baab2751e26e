"""Completions recorded earlier, handed out again: no model, exactly the same text.

Repeatability: total, at any batch size and in any order.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

import polars as pl

from iterpref_assets.core.engines.config import ReplayConfig
from iterpref_assets.core.engines.protocol import Completion, FinishReason, Request
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.tables import COMPLETIONS, read_table


class ReplayEngine:
    """`Engine` over recorded tables.

    Raises:
        InputError: where a table is missing or malformed, or two rows have the same key.
    """

    def __init__(self, config: ReplayConfig) -> None:
        self._files = config.completions
        self._rows = pl.concat(read_table(path, COMPLETIONS) for path in config.completions)
        self._index = {key: row for row, key in enumerate(self._rows["key"])}
        if len(self._index) < self._rows.height:
            repeated = self._rows.filter(self._rows["key"].is_duplicated())["key"][0]
            raise InputError(
                f"completion {repeated} is recorded twice",
                file=self._files[-1],
                field="key",
                remedy="Replay tables of one run only",
            )

    @property
    def description(self) -> str:
        """The engine that made the recorded completions."""
        return "replay of " + "; ".join(sorted(self._rows["engine"].unique()))

    async def generate(self, request: Request) -> Completion:
        """The recorded completion with the request's key.

        Raises:
            InputError: where there is none.
        """
        row = self._index.get(request.key)
        if row is None:
            raise InputError(
                f"no completion is recorded for {request.key}",
                file=self._files[0],
                field="key",
                remedy="Replay with the problems, rounds and samples that were recorded",
            )
        values = self._rows.row(row, named=True)
        return Completion(
            key=request.key,
            text=values["completion"],
            prompt_tokens=values["prompt_tokens"],
            completion_tokens=values["completion_tokens"],
            finish_reason=FinishReason(values["finish_reason"]),
            seed=values["seed"],
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass
