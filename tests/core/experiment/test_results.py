"""What is read out of the result tables."""

from dataclasses import replace

import polars as pl
import pytest
from experiment_examples import RATE, results

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.experiment.results import (
    curve_rows,
    read_results,
    write_results,
)


def test_scores_are_a_row_a_seed_and_a_column_a_problem():
    matrix = results({"reference": ["0110"], "sft": ["1110", "0011"]}).matrix("sft")
    assert matrix.tolist() == [[1, 1, 1, 0], [0, 0, 1, 1]]


def test_the_chosen_rate_is_the_best_on_validation():
    made = results({"reference": ["0"], "sft": ["1"]})
    assert made.rates_tried("sft") == {RATE: 0.5, 10 * RATE: 0.25}
    assert made.chosen_rate("sft") == RATE


def test_better_rate_without_scores_is_not_reported():
    made = results({"reference": ["0"], "sft": ["1"]})
    swapped = made.cells.with_columns(
        validation=pl.when(pl.col("rate") == 10 * RATE).then(0.9).otherwise("validation")
    )
    assert replace(made, cells=swapped).chosen_rate("sft") == RATE


def test_the_reference_has_no_rate():
    assert results({"reference": ["0"]}).chosen_rate("reference") is None


def test_scores_at_another_rate_are_not_reported():
    made = results({"reference": ["0"], "sft": ["1"]})
    other = made.scores.filter(arm="sft").with_columns(rate=pl.lit(10 * RATE), passed=False)
    with_other = replace(made, scores=pl.concat([made.scores, other]))
    assert with_other.matrix("sft").tolist() == [[1]]


def test_seeds_scored_on_different_problems_are_refused():
    with pytest.raises(InputError, match="scored on different problems"):
        results({"reference": ["01"], "sft": ["01", "0"]}).matrix("sft")


def test_tables_are_read_as_they_were_written(tmp_path):
    made = results({"reference": ["01"], "sft": ["11"]})
    write_results(made, tmp_path / "tables")
    again = read_results(tmp_path / "tables")
    assert all(
        getattr(again, name).equals(getattr(made, name))
        for name in ("cells", "scores", "curves", "kinds", "tasks", "rounds", "sampled")
    )


def test_a_point_gives_a_row_for_each_of_its_figures():
    rows = curve_rows([{"step": 3, "epoch": 0.5, "loss": 0.25, "grad_norm": 2.0}])
    assert rows == [
        {"step": 3, "name": "loss", "value": 0.25},
        {"step": 3, "name": "grad_norm", "value": 2.0},
    ]
