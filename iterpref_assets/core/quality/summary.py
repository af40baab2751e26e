"""The quality of a sample's tests in a few figures."""

from __future__ import annotations

from collections import Counter

import polars as pl

from iterpref_assets.core.quality.ratings import CRITERIA
from iterpref_assets.core.records import Record


class QualitySummary(Record):
    """Figures over the problems that have them; None where none has.

    Attributes:
        problems: rows of the table.
        measured: problems whose reference passes.
        line_coverage, branch_coverage: shares of all statements and branches that tests reach.
        mutation_score: the share of all mutants that tests notice.
        flaky: problems whose reference fails with another hash seed and order.
        one_result: ids of problems whose tests a constant passes.
        verdicts: how references fared.
        ratings: mean score by criterion.
        rating_faults: answers that give no rating, by reason.
    """

    problems: int
    measured: int
    line_coverage: float | None
    branch_coverage: float | None
    mutation_score: float | None
    flaky: int
    one_result: list[str]
    verdicts: dict[str, int]
    ratings: dict[str, float]
    rating_faults: dict[str, int]


def summarize_tests(quality: pl.DataFrame) -> QualitySummary:
    """The summary of a tables.TEST_QUALITY table."""
    means = {name: quality[name].drop_nulls() for name in CRITERIA}
    return QualitySummary(
        problems=quality.height,
        measured=quality["flaky"].count(),
        line_coverage=_share(quality, "covered_lines", "lines"),
        branch_coverage=_share(quality, "covered_branches", "branches"),
        mutation_score=_share(quality, "killed", "mutants"),
        flaky=int(quality["flaky"].sum()),
        one_result=quality.filter("one_result")["problem_id"].to_list(),
        verdicts=_counts(quality["verdict"].fill_null("no reference")),
        ratings={name: sum(scores) / len(scores) for name, scores in means.items() if len(scores)},
        rating_faults=_counts(quality["rating_fault"].drop_nulls()),
    )


def _share(quality: pl.DataFrame, part: str, whole: str) -> float | None:
    total = int(quality[whole].sum())
    return int(quality[part].sum()) / total if total else None


def _counts(values: pl.Series) -> dict[str, int]:
    return dict(sorted(Counter(map(str, values)).items()))
