"""The export of what the grid's models did on benchmarks."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
from small_grid import BENCHMARKS, SCORED, a_step, scores, small_grid

from iterpref_assets import exporting
from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactStore
from iterpref_assets.core.experiment.results import read_results
from iterpref_assets.exporting import export_grid
from iterpref_assets.settings import Settings
from iterpref_assets.steps import experiment_benchmarks
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.step import StepContext


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    return small_grid(tmp_path / "root", monkeypatch)


def with_benchmarks(settings: Settings, **scored: Sequence[tuple[str, bool, bool]]) -> Settings:
    """Settings that name benchmarks, and SCORED's scores: task, base passed, plus passed."""
    named = settings.model_dump() | {"benchmarks": {name: {"data": "official"} for name in scored}}
    made = Settings.model_validate(named)
    context = StepContext(made, ArtifactStore(made.root))
    with context.store.publishing(BENCHMARKS.plan(context, SCORED)) as staging:
        for name, rows in scored.items():
            frame = scores(*(base for _, base, _ in rows)).with_columns(
                task_id=pl.Series([task for task, _, _ in rows]),
                plus_passed=pl.Series([plus for _, _, plus in rows]),
            )
            tables.write_table(frame, tables.SCORES, staging.folder / f"{name}.parquet")
    return made


def test_benchmark_scores_are_a_row_a_model_and_task(settings, tmp_path):
    # M/2 is said to pass the plus tests alone: those count with the base tests
    asked = with_benchmarks(
        settings, humaneval=[("H/1", True, False)], mbpp=[("M/1", True, True), ("M/2", False, True)]
    )
    export_grid(asked, tmp_path / "lab")
    found = read_results(tmp_path / "lab").benchmarks
    assert found.rows() == [
        ("sft", 1e-5, 0, "humaneval", "H/1", True, False),
        ("sft", 1e-5, 0, "mbpp", "M/1", True, True),
        ("sft", 1e-5, 0, "mbpp", "M/2", False, False),
    ]


def test_benchmark_tasks_that_rates_are_chosen_on_are_left_out(settings, tmp_path):
    # t0 and t1 are validated on, t2 is reported
    asked = with_benchmarks(settings, mbpp=[("T1", True, True), ("T2", True, True)])
    export_grid(asked, tmp_path / "lab")
    assert read_results(tmp_path / "lab").benchmarks["problem_id"].to_list() == ["T2"]


def test_benchmark_scores_that_no_longer_stand_are_left_out(settings, tmp_path, monkeypatch):
    asked = with_benchmarks(settings, mbpp=[("M/1", True, True)])
    newer = a_step("experiment_benchmarks", Partitioning.CELL, version="2")
    monkeypatch.setattr(exporting, "EXPERIMENT_BENCHMARKS", newer)
    export_grid(asked, tmp_path / "lab")
    assert read_results(tmp_path / "lab").benchmarks.is_empty()


def test_benchmark_scores_that_the_settings_no_longer_ask_for_are_left_out(
    settings, tmp_path, monkeypatch
):
    with_benchmarks(settings, mbpp=[("M/1", True, True)])
    monkeypatch.setattr(
        exporting, "EXPERIMENT_BENCHMARKS", experiment_benchmarks.EXPERIMENT_BENCHMARKS
    )
    export_grid(settings, tmp_path / "lab")
    assert read_results(tmp_path / "lab").benchmarks.is_empty()
