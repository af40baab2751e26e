"""Where an earlier process left each trajectory, and which work it may be continued with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from iterpref_assets.core.debugging.trajectory import (
    ANSWERED,
    Generate,
    Judge,
    NextStep,
    Rules,
    after_answer,
    after_version,
)
from iterpref_assets.core.engines.protocol import FinishReason
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.records import Problem
from iterpref_assets.core.sandbox.verdicts import Execution, Verdict
from iterpref_assets.core.tables import COMPLETIONS, validate


class Positions:
    """The next step of every trajectory that occurs in a log; the text of finished ones is let go.

    Attributes:
        solved: trajectories whose last version passed.
    """

    def __init__(self, first: Callable[[str, int], NextStep], rules: Rules) -> None:
        """`first` gives the first step of a trajectory by its problem and sample."""
        self._first, self._rules = first, rules
        self._steps: dict[tuple[str, int], NextStep] = {}
        self.solved = 0

    def note_completion(self, row: dict[str, Any], problem: Problem) -> None:
        """Move on by a logged row of tables.COMPLETIONS."""
        step = self._step_of(row)
        if isinstance(step, Generate):
            reason = FinishReason(row["finish_reason"])
            step = after_answer(step, row["completion"], reason, problem, self._rules)
        self._steps[row["problem_id"], row["sample"]] = step

    def note_version(self, row: dict[str, Any]) -> None:
        """Move on by a logged row of tables.VERSIONS."""
        step = self._step_of(row)
        execution = Execution(Verdict(row["verdict"]), message=row["feedback"])
        if isinstance(step, Judge):
            step = after_version(step, row["code"], execution, self._rules)
        self._steps[row["problem_id"], row["sample"]] = step
        self.solved += execution.passed

    def take(self, problem_id: str, sample: int) -> NextStep:
        """The next step of one trajectory."""
        return self._step_of({"problem_id": problem_id, "sample": sample})

    def _step_of(self, row: dict[str, Any]) -> NextStep:
        key = row["problem_id"], row["sample"]
        return self._steps[key] if key in self._steps else self._first(*key)


def check_initial(initial: pl.DataFrame, problems: Sequence[Problem]) -> None:
    """Refuse initial completions that cannot be debugged.

    Raises:
        InputError: where they are none, a column is wrong, one is not of round 0, two are of the
            same problem and sample, or one's problem is unknown.
    """
    validate(initial, COMPLETIONS)
    known = pl.Series([problem.problem_id for problem in problems], dtype=pl.String())
    if initial.filter(
        pl.col("finish_reason").is_in([reason.value for reason in ANSWERED])
    ).is_empty():
        raise InputError(
            "no initial completion holds a program", remedy="Sample the problems first"
        )
    _refuse(initial.filter(pl.col("round") != 0), "round", "not a completion of round 0")
    pair = pl.struct("problem_id", "sample")
    _refuse(initial.filter(pair.is_duplicated()), "sample", "two completions of the same sample")
    unknown = initial.filter(~pl.col("problem_id").is_in(known.implode()))
    _refuse(unknown, "problem_id", "no such problem")


def _refuse(rows: pl.DataFrame, field: str, problem: str) -> None:
    if not rows.is_empty():
        raise InputError(
            f"{problem}: {rows['key'][0]}",
            field=field,
            remedy="Give the completions that were sampled for these problems",
        )
