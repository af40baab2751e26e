"""Results of the grid that another machine recorded, joined with those that are made here."""

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.experiment.arms import Cell
from iterpref_assets.core.experiment.recorded import RecordedGrid
from iterpref_assets.core.experiment.results import (
    FILES,
    ROUNDS,
    Results,
    write_results,
)

SFT, DPO = "sft@1e-05@0", "dpo@1e-05@0"
EVERYTHING = ("experiment_validation", "experiment_scores", "experiment_benchmarks")


def of(key: str, **values: object) -> dict[str, object]:
    return {**Cell.parse(key).model_dump(), **values}


def tables(*keys: str, machine: str, passed: bool, assets: tuple[str, ...] = EVERYTHING) -> Results:
    """Results of some cells, each of one problem and task."""
    made_of = json.dumps(dict.fromkeys(assets, "d"))
    rows = {
        "cells": {"validation": float(passed), "made_of": made_of, "machine": machine},
        "scores": {"problem_id": "p", "passed": passed},
        "benchmarks": {"problem_id": "b", "passed": passed},
        "curves": {"step": 1, "name": machine, "value": 1.0},
    }
    names = {name.removesuffix(".parquet"): schema for name, schema in FILES.items()}
    frames = {
        name: pl.DataFrame([of(key, **rows[name]) for key in keys if name in rows], schema=schema)
        for name, schema in names.items()
    }
    return Results(**frames)


def always(_asset: str, _key: str) -> bool:
    return True


FRESH = tables(SFT, machine="here", passed=True)


def test_what_is_recorded_of_other_cells_is_joined():
    joined = RecordedGrid(tables(DPO, machine="there", passed=False)).joined(FRESH, always)
    for frame in (joined.scores, joined.benchmarks):
        assert frame.select("arm", "passed").rows() == [("sft", True), ("dpo", False)]
    assert joined.cells.select("arm", "machine").rows() == [("sft", "here"), ("dpo", "there")]
    assert joined.curves["name"].to_list() == ["here", "there"]


def test_what_is_made_here_counts_where_both_have_it():
    joined = RecordedGrid(tables(SFT, machine="there", passed=False)).joined(FRESH, always)
    assert joined.scores["passed"].to_list() == joined.benchmarks["passed"].to_list() == [True]
    assert joined.curves["name"].to_list() == ["here"]
    assert joined.cells.select("machine", "validation").rows() == [("here", 1.0)]


def test_what_does_not_stand_is_left_out():
    recorded = RecordedGrid(tables(DPO, machine="there", passed=False))
    joined = recorded.joined(FRESH, lambda _asset, _key: False)
    assert joined.cells["arm"].to_list() == joined.scores["arm"].to_list() == ["sft"]
    assert joined.curves["arm"].to_list() == ["sft"]


def test_of_a_cell_each_kind_of_result_stands_by_itself():
    recorded = RecordedGrid(tables(DPO, machine="there", passed=False))
    joined = recorded.joined(FRESH, lambda asset, _key: asset == "experiment_scores")
    assert joined.scores["arm"].to_list() == ["sft", "dpo"]
    assert joined.benchmarks["arm"].to_list() == ["sft"]
    assert json.loads(joined.cells["made_of"][1]) == {"experiment_scores": "d"}


def test_a_cell_that_is_scored_here_keeps_its_recorded_validation():
    scored = tables(SFT, machine="here", passed=True, assets=("experiment_scores",))
    fresh = replace(scored, cells=scored.cells.with_columns(validation=pl.lit(None, pl.Float64)))
    joined = RecordedGrid(tables(SFT, machine="there", passed=False)).joined(fresh, always)
    assert joined.cells["validation"].to_list() == [0.0]
    assert set(json.loads(joined.cells["made_of"][0])) == set(EVERYTHING)


def test_recorded_rounds_stand_where_none_are_counted_here():
    rounds = pl.DataFrame([("debugging", "p", 1, 0.5)], schema=ROUNDS, orient="row")
    recorded = replace(tables(DPO, machine="there", passed=False), rounds=rounds)
    assert RecordedGrid(recorded).joined(FRESH, always).rounds.rows() == rounds.rows()


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path):
    recorded = RecordedGrid.read(tmp_path / "none")
    assert (recorded.keys, recorded.made_of("experiment_scores", SFT)) == ([], None)
    assert recorded.joined(FRESH, always) is FRESH


def test_a_folder_that_lacks_a_table_is_refused(tmp_path: Path):
    write_results(FRESH, tmp_path)
    (tmp_path / "scores.parquet").unlink()
    with pytest.raises(InputError, match=r"scores\.parquet"):
        RecordedGrid.read(tmp_path)
