"""Problems as a table and back."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl
from pydantic import TypeAdapter

from iterpref_assets.core import tables
from iterpref_assets.core.records import Problem, Tests

TESTS: TypeAdapter[Tests] = TypeAdapter(Tests)


def problems_to_frame(problems: Iterable[Problem]) -> pl.DataFrame:
    """A PROBLEMS table, ordered by problem id."""
    rows = [
        {**problem.model_dump(exclude={"tests"}), "tests": problem.tests.model_dump_json()}
        for problem in problems
    ]
    return pl.DataFrame(rows, schema=tables.PROBLEMS).sort("problem_id")


def frame_to_problems(frame: pl.DataFrame) -> list[Problem]:
    """The problems of a PROBLEMS table, in its order."""
    rows = frame.iter_rows(named=True)
    return [
        Problem.model_validate({**row, "tests": TESTS.validate_json(row["tests"])}) for row in rows
    ]
