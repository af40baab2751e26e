"""How the page marks the learning rates that were tried."""

from dataclasses import replace

import polars as pl
import pytest
from experiment_examples import RATE, results

from iterpref_assets.core.experiment.outcomes import rates_text


@pytest.mark.parametrize(
    ("shares", "row"),
    [
        ((0.25, 0.5, 0.25), "| sft | 25.0 | **50.0** | 25.0 |"),
        ((0.5, 0.25, 0.25), "| sft | **50.0** edge | 25.0 | 25.0 |"),
        ((0.25, 0.25, 0.5), "| sft | 25.0 | 25.0 | **50.0** edge |"),
        ((0.25, 0.5, 0.5), "| sft | 25.0 | **50.0** | 50.0 tie |"),
    ],
)
def test_chosen_rate_is_bold_and_marked_at_an_edge_others_where_they_tie(shares, row):
    rates = [RATE, 10 * RATE, 100 * RATE]
    made = results({"reference": ["0"], "sft": ["1"]})
    cell, scores = made.cells.filter(arm="sft")[:1], made.scores.filter(arm="sft")
    tried = [
        cell.with_columns(rate=pl.lit(rate), validation=pl.lit(share))
        for rate, share in zip(rates, shares, strict=True)
    ]
    made = replace(
        made,
        cells=pl.concat([made.cells.filter(arm="reference"), *tried]),
        scores=pl.concat([made.scores, *(scores.with_columns(rate=pl.lit(r)) for r in rates[1:])]),
    )
    assert row in rates_text(made, ["reference", "sft"])


def test_a_rate_that_solves_more_and_is_not_scored_is_marked():
    made = results({"reference": ["0"], "sft": ["1"]})
    tried = pl.when(pl.col("rate") == 10 * RATE).then(0.75).otherwise("validation")
    better = replace(made, cells=made.cells.with_columns(validation=tried))
    assert "| sft | **50.0** edge | 75.0 not scored |" in rates_text(better, ["sft"])
