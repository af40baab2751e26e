"""Raw seeds, kept seeds and their check in Dagster's hands."""

import json
from pathlib import Path

import dagster as dg
import pytest

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.defs.checks import every_benchmark_is_compared_with, no_benchmark_overlap
from iterpref_assets.defs.partitions import SHARDS
from iterpref_assets.defs.problems import heldout_problems, raw_seeds, seed_problems
from iterpref_assets.defs.resources import ProjectResource, WorkerResource

from .conftest import PROBLEM, publish_problems

RESOURCES = {"project": ProjectResource(), "workers": WorkerResource()}
ASSETS = [heldout_problems, raw_seeds, seed_problems, no_benchmark_overlap]


def materialize(instance: dg.DagsterInstance, *shards: str) -> dg.ExecuteInProcessResult:
    """Held-out problems first, as `iterpref run` does; then the shards in one run."""
    instance.add_dynamic_partitions(SHARDS, list(shards))
    dg.materialize([heldout_problems], instance=instance, resources=RESOURCES)
    stretch = {
        "dagster/asset_partition_range_start": shards[0],
        "dagster/asset_partition_range_end": shards[-1],
    }
    return dg.materialize(
        ASSETS, instance=instance, resources=RESOURCES, tags=stretch, raise_on_error=False,
        selection=[raw_seeds, seed_problems],
    )  # fmt: skip


def last_event(instance: dg.DagsterInstance, shard: str) -> dg.AssetMaterialization:
    """What Dagster shows of a shard."""
    of_shard = dg.AssetRecordsFilter(asset_key=seed_problems.key, asset_partitions=[shard])
    (record,) = instance.fetch_materializations(of_shard, limit=1).records
    return record.asset_materialization


def test_two_shards_are_filtered_in_one_run_and_say_what_was_dropped(
    seeds: Path, store: ArtifactStore, instance: dg.DagsterInstance
) -> None:
    other = {**PROBLEM, "problem_id": "p3", "prompt": "Double x.", "reference": ""}
    again = {**PROBLEM, "problem_id": "p2", "prompt": "add one to X."}
    (seeds / "b.jsonl").write_text(f"{json.dumps(again)}\n{json.dumps(other)}\n")
    result = materialize(instance, "a", "b")
    assert result.success
    assert [last_event(instance, shard).metadata["dropped"].value for shard in "ab"] == [0, 1]
    assert store.current(ArtifactKey("seed_problems", "a")).manifest.row_count == 1
    assert store.current(ArtifactKey("seed_problems", "b")).manifest.figures["dropped"] == {
        "exact_duplicate": 1
    }


def test_the_check_refuses_a_benchmarks_own_tasks(
    seeds: Path, store: ArtifactStore, instance: dg.DagsterInstance
) -> None:
    assert materialize(instance, "a").success
    task = {**PROBLEM, "problem_id": "HumanEval/3", "source": "llmdebugger"}
    publish_problems(store, ArtifactKey("seed_problems", "a"), task)
    result = dg.materialize(
        ASSETS, instance=instance, resources=RESOURCES, raise_on_error=False,
        selection=dg.AssetSelection.checks(no_benchmark_overlap),
    )  # fmt: skip
    (evaluation,) = result.get_asset_check_evaluations()
    assert not evaluation.passed
    assert "HumanEval/3: benchmark_task of llmdebugger" in str(evaluation.description)


def test_a_named_override_lets_them_through(
    seeds: Path,
    store: ArtifactStore,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ITERPREF_SEED_FILTER", '{"allow_training_on": ["llmdebugger"]}')
    task = {**PROBLEM, "problem_id": "HumanEval/3", "source": "llmdebugger"}
    (seeds / "a.jsonl").write_text(json.dumps(task) + "\n")
    result = materialize(instance, "a")
    assert [each.passed for each in result.get_asset_check_evaluations()] == [True]
    manifest = store.current(ArtifactKey("seed_problems", "a")).manifest
    assert manifest.config["seed_filter"]["allow_training_on"] == ["llmdebugger"]


def check_alone(
    instance: dg.DagsterInstance, check: dg.AssetChecksDefinition
) -> dg.AssetCheckEvaluation:
    result = dg.materialize(
        [*ASSETS, every_benchmark_is_compared_with], instance=instance, resources=RESOURCES,
        selection=dg.AssetSelection.checks(check),
    )  # fmt: skip
    (evaluation,) = result.get_asset_check_evaluations()
    return evaluation


@pytest.fixture
def humaneval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that keep seeds clear of one item of HumanEval and of nothing else."""
    item = {
        "task_id": "HumanEval/7", "prompt": "Reverse it.", "entry_point": "g",
        "canonical_solution": "",
    }  # fmt: skip
    path = tmp_path / "HumanEval.jsonl"
    path.write_text(json.dumps(item) + "\n")
    monkeypatch.setenv("ITERPREF_SEED_FILTER", json.dumps({"benchmark_files": [str(path)]}))


@pytest.mark.usefixtures("seeds", "humaneval")
def test_the_check_says_what_it_compared_with_and_what_not(
    store: ArtifactStore, instance: dg.DagsterInstance
) -> None:
    other = {**PROBLEM, "problem_id": "h1", "prompt": "Double x.", "reference": ""}
    publish_problems(store, ArtifactKey("heldout_problems"), other)
    publish_problems(store, ArtifactKey("seed_problems", "a"), PROBLEM)
    metadata = check_alone(instance, no_benchmark_overlap).metadata
    assert metadata["compared_with"].value == {"HumanEval": 1}
    assert metadata["not_compared_with"].value == ["MBPP", "MBPP+", "BigCodeBench", "LiveCodeBench"]


@pytest.mark.usefixtures("seeds", "humaneval")
def test_benchmarks_that_are_left_out_are_a_warning(
    store: ArtifactStore, instance: dg.DagsterInstance
) -> None:
    instance.add_dynamic_partitions(SHARDS, ["a"])
    publish_problems(store, ArtifactKey("seed_problems", "a"), PROBLEM)
    evaluation = check_alone(instance, every_benchmark_is_compared_with)
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "add mbpp.jsonl.gz" in str(evaluation.description)
