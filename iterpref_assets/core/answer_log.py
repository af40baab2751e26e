"""Calls of a generation engine that are finished: logged, and counted against a failure budget."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core.engines.budget import FailureBudget
from iterpref_assets.core.engines.protocol import ASKED_AGAIN, FAILED, Completion, FinishReason
from iterpref_assets.core.journal import Journal
from iterpref_assets.core.tables import Schema

_log = logging.getLogger("iterpref")


class AnswerLog:
    """The calls of one piece of work in its journal.

    A failure that another try may not meet (ASKED_AGAIN) is in the table that this process ends
    with, and not in the journal, so that a restart asks again. Every failure leaves the journal
    where an earlier process logged more of them than may be: it ended by them, and what the server
    or the settings lacked may be there now.

    Args:
        journal: where answers outlast the process; read it when this is made, not before.
        kind: what its records of calls are called.
        share: of the calls that may give no answer.
        total: how much work there is, items.
        key: the column of a record that names the call.
    """

    def __init__(
        self, journal: Journal, kind: str, *, share: float, total: int, key: str = "key"
    ) -> None:
        self._journal, self._kind, self._key = journal, kind, key
        self._not_logged: list[dict[str, Any]] = []
        self._budget = self._of_earlier(share, total)
        if failed := self._budget.is_exceeded and sum(self.failures.values()):
            _log.warning("%d calls that gave no answer are made again", failed)
            journal.drop(lambda kind, row: kind == self._kind and _failed(row))
            self._budget = self._of_earlier(share, total)

    @property
    def failures(self) -> dict[str, int]:
        """Calls without an answer by kind, those of earlier processes included."""
        return self._budget.kinds

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

    def _of_earlier(self, share: float, total: int) -> FailureBudget:
        budget = FailureBudget(share, total)
        for kind, row in self._journal.records():
            if kind == self._kind:
                budget.count_earlier(str(row[self._key]), FinishReason(row["finish_reason"]))
        return budget


def _failed(row: Mapping[str, Any]) -> bool:
    return FinishReason(row["finish_reason"]) in FAILED


def failures_in(completions: pl.DataFrame) -> dict[str, int]:
    """Calls without an answer by kind in a table with the column `finish_reason`."""
    counts = completions["finish_reason"].value_counts(sort=True).iter_rows()
    return {reason: count for reason, count in counts if FinishReason(reason) in FAILED}
