"""What of the grid's results can be reported: the reference, and arms whose rate was chosen."""

from __future__ import annotations

import logging
from dataclasses import replace

import polars as pl

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.experiment.results import Results
from iterpref_assets.core.training.recipes import REFERENCE

_log = logging.getLogger("iterpref")


def reportable(results: Results) -> Results:
    """`results` without scores at a rate that seed 0 is not validated at, and other problems.

    Raises:
        InputError: where no model is scored, or the reference lacks a score.
    """
    scored = _with_validated_rates(results)
    _require_reference(scored)
    names = scored.scores["problem_id"].unique().to_list()
    return replace(scored, tasks=scored.tasks.filter(pl.col("problem_id").is_in(names)))


def _with_validated_rates(results: Results) -> Results:
    tried = results.cells.filter(
        pl.col("validation").is_not_null(), pl.col("seed").fill_null(0) == 0
    ).select("arm", "rate")
    on = ["arm", "rate"]
    for arm, rate in (
        results.scores.join(tried, on=on, how="anti", nulls_equal=True).select(on).unique().rows()
    ):
        _log.warning("%s at %g is left out: its seed 0 is not validated", arm, rate or 0)
    by_cell = ("cells", "scores", "curves", "sampled", "benchmarks")
    kept = {
        name: getattr(results, name).join(
            tried, on=on, how="semi", nulls_equal=True, maintain_order="left"
        )
        for name in by_cell
    }
    return replace(results, **kept)


def _require_reference(results: Results) -> None:
    if results.scores.is_empty():
        raise InputError(
            "no cell of the experiment is scored", remedy="Run iterpref experiment run first"
        )
    validated = results.cells.filter(arm=REFERENCE)["validation"].drop_nulls()
    scored = results.scores.filter(arm=REFERENCE)
    for name, rows in (("validation", validated), ("scores", scored)):
        if rows.is_empty():
            raise InputError(
                f"experiment_{name} of the reference is missing or out of date",
                remedy="Run iterpref experiment run first",
            )
