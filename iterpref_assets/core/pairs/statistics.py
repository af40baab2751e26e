"""What a pair table amounts to: counts by filter, and how much of y- is in focus."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from iterpref_assets.core.frames import TESTS
from iterpref_assets.core.pairs.config import Filter
from iterpref_assets.core.unreachable import names_asked_for, unreachable_lines


@dataclass(frozen=True)
class FilterCounts:
    """Pairs kept, and for every filter the pairs it dropped (zeros included), in filter order."""

    kept: int
    dropped: dict[str, int]


@dataclass(frozen=True)
class UnreachedFocus:
    """D- lines of kept pairs, and how many of them no test reaches: where none, no token is."""

    lines: int
    unreached: int

    @property
    def share(self) -> float:
        """Unreached lines by D- lines; 0 where there is no D-."""
        return self.unreached / self.lines if self.lines else 0.0


def count_by_filter(pairs: pl.DataFrame) -> FilterCounts:
    """The counts of a table with the columns of tables.PAIRS."""
    counts = dict(pairs["dropped_by"].value_counts().iter_rows())
    return FilterCounts(
        kept=counts.get(None, 0), dropped={name.value: counts.get(name, 0) for name in Filter}
    )


def focal_share(table: pl.LazyFrame) -> float:
    """The share of y- tokens that lie on D- lines, over all pairs of tables.TOKENIZED_PAIRS.

    Raises:
        ValueError: where there is no token: no pairs is not a share of zero.
    """
    mask = pl.col("rejected_mask").list
    sums = table.select(marked=mask.sum().sum(), tokens=mask.len().sum()).collect()
    marked, tokens = sums.row(0)
    if not tokens:
        raise ValueError("no rejected token to take a share of")
    return marked / tokens


def unreached_focus(pairs: pl.DataFrame, problems: pl.DataFrame) -> UnreachedFocus:
    """How much of the focus of kept pairs lies on lines that no test reaches.

    Args:
        pairs: `problem_id`, `rejected`, `rejected_diff_lines` and `dropped_by` of tables.PAIRS.
        problems: `problem_id` and `tests` of tables.PROBLEMS; of pairs of other problems, imported
            ones, every line counts as reached.
    """
    kept = pairs.filter(pl.col("dropped_by").is_null())
    kept = kept.join(problems.select("problem_id", "tests"), on="problem_id", how="left")
    lines = unreached = 0
    for code, focus, tests in kept.select("rejected", "rejected_diff_lines", "tests").iter_rows():
        asked = names_asked_for(TESTS.validate_json(tests)) if tests else None
        lines += len(focus)
        unreached += len(set(focus).intersection(unreachable_lines(code, asked)))
    return UnreachedFocus(lines, unreached)
