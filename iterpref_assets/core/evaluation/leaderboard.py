"""The leaderboard: variants by benchmark columns, each against the reference model (Table 1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from iterpref_assets.core.evaluation.config import EvaluationConfig
from iterpref_assets.core.evaluation.summary import BASE, PLUS, difference, summarize
from iterpref_assets.core.tables import LEADERBOARD, validate


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the scores of an asset on base or plus tests, of one group where it is named."""

    title: str
    asset: str
    tests: str = BASE
    group: str = ""

    def titled(self, rules: str) -> str:
        """The title, with the rules that programs were judged by where there are several."""
        return f"{self.title} ({rules})" if rules else self.title


COLUMNS = (
    Column("HE", "humaneval_scores"),
    Column("HE+", "humaneval_scores", PLUS),
    Column("MBPP", "mbpp_scores"),
    Column("MBPP+", "mbpp_scores", PLUS),
    Column("BCB-F comp", "bigcodebench_complete_scores"),
    Column("BCB-F inst", "bigcodebench_instruct_scores"),
    Column("BCB-H comp", "bigcodebench_complete_scores", group="hard"),
    Column("BCB-H inst", "bigcodebench_instruct_scores", group="hard"),
    Column("LCB", "livecodebench_scores"),
)
"""The paper's Table 1, in its order."""


def leaderboard(
    cells: Mapping[Column, Mapping[str, pl.DataFrame]],
    reference: str,
    config: EvaluationConfig,
) -> pl.DataFrame:
    """Every cell with its bootstrap interval, and the paired difference to the reference model's.

    Args:
        cells: for each column the scores (tables.SCORES) of each variant.
        reference: which variant is the reference model.
        config: how intervals are drawn.

    Returns:
        tables.LEADERBOARD in the order of `cells`.

    Raises:
        InputError: where a variant was scored on other tasks than the reference model.
    """
    rows = [
        _cell(column, variant, scores, variants.get(reference), config)
        | ({} if variant != reference else _NO_DIFFERENCE)
        for column, variants in cells.items()
        for variant, scores in variants.items()
    ]
    return validate(pl.DataFrame(rows, schema=LEADERBOARD), LEADERBOARD)


_NO_DIFFERENCE = dict.fromkeys(("difference", "difference_low", "difference_high"))


def _cell(
    column: Column,
    variant: str,
    scores: pl.DataFrame,
    reference: pl.DataFrame | None,
    config: EvaluationConfig,
) -> dict[str, str | int | float | None]:
    summary = summarize(scores, config)
    rate = summary.plus if column.tests == PLUS and summary.plus else summary
    gain = None if reference is None else difference(scores, reference, config, column.tests)
    return {
        "column": column.title,
        "variant": variant,
        "tasks": rate.n,
        "pass_at_1": rate.pass_at_1,
        "low": rate.low,
        "high": rate.high,
        "difference": gain and gain.estimate,
        "difference_low": gain and gain.low,
        "difference_high": gain and gain.high,
    }
