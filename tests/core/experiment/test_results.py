"""What is read out of the result tables."""

from dataclasses import replace

import polars as pl
import pytest
from experiment_examples import RATE, results, with_benchmark, with_samples

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


def test_rate_whose_model_has_no_validation_is_not_tried():
    made = results({"reference": ["0"], "sft": ["1"]})
    unknown = made.cells.with_columns(
        validation=pl.when(pl.col("rate").eq_missing(RATE).not_()).then("validation")
    )
    assert replace(made, cells=unknown).rates_tried("sft") == {10 * RATE: 0.25}


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
    made = with_benchmark(made, "humaneval", {"reference": ["01"], "sft": ["12"]})
    write_results(made, tmp_path / "tables")
    again = read_results(tmp_path / "tables")
    assert all(
        getattr(again, name).equals(getattr(made, name))
        for name in (
            "cells",
            "scores",
            "curves",
            "kinds",
            "tasks",
            "rounds",
            "sampled",
            "benchmarks",
        )
    )


def test_a_benchmark_takes_the_place_of_the_scores_with_base_tests_or_plus_tests():
    made = results({"reference": ["0"], "sft": ["1", "1"]})
    made = with_benchmark(made, "humaneval", {"reference": ["012"], "sft": ["122", "002"]})
    made = with_benchmark(made, "mbpp", {"reference": ["2"]})
    base = made.of_benchmark("humaneval", plus=False)
    plus = made.of_benchmark("humaneval", plus=True)
    assert base.matrix("reference").tolist() == [[0, 1, 1]]
    assert base.matrix("sft").tolist() == [[1, 1, 1], [0, 0, 1]]
    assert plus.matrix("reference").tolist() == [[0, 0, 1]]
    assert plus.matrix("sft").tolist() == [[0, 1, 1], [0, 0, 1]]
    assert made.of_benchmark("mbpp", plus=True).arms == ["reference"]


def test_benchmark_names_are_those_with_results():
    made = results({"reference": ["0"]})
    assert made.benchmark_names == []
    made = with_benchmark(made, "mbpp", {"reference": ["0"]})
    assert with_benchmark(made, "humaneval", {"reference": ["0"]}).benchmark_names == [
        *("humaneval", "mbpp"),
    ]


def test_benchmark_scores_at_another_rate_than_the_chosen_one_are_not_reported():
    made = results({"reference": ["0"], "sft": ["1"]})
    made = with_benchmark(made, "mbpp", {"reference": ["0"]})
    made = with_benchmark(made, "mbpp", {"sft": ["2"]}, rate=10 * RATE)
    assert made.of_benchmark("mbpp", plus=True).arms == ["reference"]
    both = with_benchmark(made, "mbpp", {"sft": ["0"]})
    assert both.of_benchmark("mbpp", plus=True).matrix("sft").tolist() == [[0]]


def test_samples_at_another_rate_than_the_chosen_one_are_not_reported():
    made = results({"reference": ["0"], "sft": ["1"], "dpo": ["1"]})
    for arm in ("sft", "dpo"):
        made = with_samples(made, {arm: [(4, 1)]}, rate=10 * RATE)
    made = with_samples(made, {"sft": [(1, 1)]})
    assert made.of_samples().arms == ["sft"]
    assert made.of_samples().matrix("sft").tolist() == [[0.25]]


def test_all_tasks_are_the_held_out_problems_and_those_of_every_benchmark_with_plus_tests():
    made = results({"reference": ["01"], "sft": ["11", "10"]})
    made = with_benchmark(made, "humaneval", {"reference": ["21"], "sft": ["12", "22"]})
    made = with_benchmark(made, "mbpp", {"reference": ["0"], "sft": ["2", "1"]})
    together = made.of_all_tasks()
    # by name: two tasks of HumanEval+, one of MBPP+, two held-out problems
    assert together.matrix("reference").tolist() == [[1, 0, 0, 0, 1]]
    assert together.matrix("sft").tolist() == [[0, 1, 1, 1, 1], [1, 1, 0, 1, 0]]


def test_a_held_out_problem_that_is_a_benchmarks_task_is_one_task_with_plus_tests():
    made = results({"reference": ["11"]})
    name = pl.col("problem_id").replace("problem-0", "Mbpp/0")
    made = replace(made, scores=made.scores.with_columns(name))
    made = with_benchmark(made, "mbpp", {"reference": ["01"]})
    # Mbpp/0 and mbpp/1 fail the plus tests, problem-1 passes its own
    assert made.of_all_tasks().matrix("reference").tolist() == [[0, 0, 1]]


def test_all_tasks_are_told_of_models_alone_that_every_set_was_asked_of():
    made = results({"reference": ["0"], "sft": ["1", "1"], "dpo": ["1"]})
    made = with_benchmark(made, "humaneval", {"reference": ["0"], "sft": ["2", "2"], "dpo": ["2"]})
    made = with_benchmark(made, "mbpp", {"reference": ["0"], "sft": ["2"]})
    together = made.of_all_tasks()
    assert together.arms == ["reference", "sft"]
    assert together.matrix("sft").tolist() == [[1, 1, 1]]


def test_a_point_gives_a_row_for_each_of_its_figures():
    rows = curve_rows([{"step": 3, "epoch": 0.5, "loss": 0.25, "grad_norm": 2.0}])
    assert rows == [
        {"step": 3, "name": "loss", "value": 0.25},
        {"step": 3, "name": "grad_norm", "value": 2.0},
    ]
