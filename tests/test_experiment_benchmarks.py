"""The grid's reference model on slices of HumanEval+ and MBPP+, with real parts."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import UNPARTITIONED, ArtifactKey, ArtifactStore
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.model_scoring import JOURNAL
from iterpref_assets.settings import Settings
from iterpref_assets.steps.benchmarks import SCORES_FILE
from iterpref_assets.steps.chain import step_of
from iterpref_assets.steps.experiment_benchmarks import (
    EXPERIMENT_BENCHMARKS,
    benchmarks_of,
    scores_file,
)
from iterpref_assets.steps.step import StepContext

SLICES = {
    "humaneval": ("HumanEvalPlus.jsonl.gz", ["HumanEval/0", "HumanEval/2"]),
    "mbpp": ("MbppPlus.jsonl.gz", ["Mbpp/2", "Mbpp/3"]),
}
ENGINE = {"kind": "transformers", "dtype": "float32"}
BEFORE = [
    ("lab_base_model", UNPARTITIONED),
    ("base_models", "lab"),
    ("humaneval_tasks", UNPARTITIONED),
    ("mbpp_tasks", UNPARTITIONED),
]


def sliced(shared_data: Path, folder: Path) -> dict[str, dict[str, Path]]:
    """The settings of benchmarks with two tasks each."""
    benchmarks: dict[str, dict[str, Path]] = {}
    for name, (file, wanted) in SLICES.items():
        with gzip.open(shared_data / "benchmarks" / file, "rt") as lines:
            kept = [line for line in lines if json.loads(line)["task_id"] in wanted]
        (folder / f"{name}.jsonl").write_text("".join(kept))
        benchmarks[name] = {"data": folder / f"{name}.jsonl"}
    return benchmarks


def publish(context: StepContext, asset: str, partition: str) -> Path:
    step = step_of(asset)
    step.publish(context, [context.store.pinned(step.plan(context, partition))])
    return context.store.current(ArtifactKey(asset, partition)).folder


@pytest.fixture(scope="module")
def context(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> StepContext:
    root = tmp_path_factory.mktemp("grid")
    asked = {
        "root": root, "experiment": {}, "evaluation": {"max_tokens": 64},
        "evaluation_engine": ENGINE, "benchmarks": sliced(shared_data, root),
    }  # fmt: skip
    made = StepContext(Settings.model_validate(asked), ArtifactStore(root))
    for asset, partition in BEFORE:
        publish(made, asset, partition)
    return made


@pytest.fixture(scope="module")
def scored(context: StepContext) -> Path:
    return publish(context, "experiment_benchmarks", "reference")


@pytest.mark.slow
@pytest.mark.parametrize("name", SLICES)
def test_a_cell_is_scored_as_the_benchmarks_own_asset_scores_its_model(
    context: StepContext, scored: Path, name: str
) -> None:
    folder = publish(context, f"{name}_scores", "lab/reference")
    own = tables.read_table(folder / SCORES_FILE, tables.SCORES)
    cell = tables.read_table(scored / f"{name}.parquet", tables.SCORES)
    assert own["task_id"].to_list() == SLICES[name][1]
    told = pl.col("task_id", "completion", "code", "verdict", "base_passed", "plus_passed")
    assert cell.select(told).equals(own.select(told))


@pytest.mark.slow
def test_both_benchmarks_are_in_one_artifact(context: StepContext, scored: Path) -> None:
    names = benchmarks_of(context.settings)
    assert [scores_file(name) for name in names] == ["humaneval.parquet", "mbpp.parquet"]
    assert {path.name for path in scored.glob("*.parquet")} == set(map(scores_file, names))


@pytest.mark.slow
def test_a_damaged_log_of_one_benchmark_is_told_as_such(context: StepContext) -> None:
    other = context.settings.model_dump() | {"evaluation": {"max_tokens": 8}}
    again = replace(context, settings=Settings.model_validate(other))
    plan = again.store.pinned(EXPERIMENT_BENCHMARKS.plan(again, "reference"))
    log = again.store.work_folder(plan) / "mbpp" / JOURNAL
    log.parent.mkdir()
    log.write_text("no log\n" * 2)
    with pytest.raises(InputError, match=str(log)):
        publish(again, "experiment_benchmarks", "reference")


def test_a_grid_without_benchmarks_has_none_of_their_scores(tmp_path: Path) -> None:
    asked = Settings.model_validate({"root": tmp_path, "experiment": {}})
    assert not EXPERIMENT_BENCHMARKS.exists(asked)


def test_a_cell_is_made_of_its_model_and_both_benchmarks_tasks(context: StepContext) -> None:
    plan = EXPERIMENT_BENCHMARKS.plan(context, "sft@0.0001@0")
    assert {
        ArtifactKey("experiment_models", "sft@0.0001@0"),
        ArtifactKey("humaneval_tasks"),
    } <= set(plan.parents)
    assert ArtifactKey("mbpp_tasks") in plan.parents
