"""Calls of a generation engine that are finished: logged, and counted against a failure budget."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core.engines.budget import FailureBudget
from iterpref_assets.core.engines.protocol import ASKED_AGAIN, FAILED, Completion, FinishReason
from iterpref_assets.core.journal import Journal
from iterpref_assets.core.tables import Schema


class AnswerLog:
    """The calls of one piece of work in its journal.

    A failure that another try may not meet (ASKED_AGAIN) is in the table that this process ends
    with, and not in the journal, so that a restart asks again.

    Args:
        journal: where answers outlast the process.
        kind: what its records of calls are called.
        share: of the calls that may give no answer.
        total: how much work there is, items.
    """

    def __init__(self, journal: Journal, kind: str, *, share: float, total: int) -> None:
        self._journal, self._kind = journal, kind
        self._budget = FailureBudget(share, total)
        self._not_logged: list[dict[str, Any]] = []

    @property
    def failures(self) -> dict[str, int]:
        """Calls without an answer by kind, those of earlier processes included."""
        return self._budget.kinds

    def note_earlier(self, row: Mapping[str, Any], key: str = "key") -> None:
        """Count a logged row, which the column `key` names.

        Raises:
            InputError: where too many calls gave no answer.
        """
        self._budget.count_earlier(str(row[key]), FinishReason(row["finish_reason"]))

    def keep(self, row: Mapping[str, JsonValue], completion: Completion) -> None:
        """Log the row of a completion and count it.

        Raises:
            InputError: where too many calls gave no answer.
        """
        if completion.finish_reason in ASKED_AGAIN:
            self._not_logged.append(dict(row))
        else:
            self._journal.append(self._kind, row)
        self._budget.count(completion)

    def table(self, schema: Schema, order: list[str]) -> pl.DataFrame:
        """Every row, sorted by the columns of `order`."""
        logged = self._journal.table(self._kind, schema, order)
        return pl.concat([logged, pl.DataFrame(self._not_logged, schema=schema)]).sort(order)

    def tell(self, work: str) -> None:
        """Log what finished work lacks."""
        self._budget.tell(work)


def failures_in(completions: pl.DataFrame) -> dict[str, int]:
    """Calls without an answer by kind in a table with the column `finish_reason`."""
    counts = completions["finish_reason"].value_counts(sort=True).iter_rows()
    return {reason: count for reason, count in counts if FinishReason(reason) in FAILED}
