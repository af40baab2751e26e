"""Bad input ends a run with one message that says where and what to do, and nothing is lost."""

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.defs.checkpoints import checkpoints
from iterpref_assets.defs.evaluations import heldout_scores
from iterpref_assets.defs.partitions import SHARDS
from iterpref_assets.defs.problems import raw_seeds
from iterpref_assets.defs.resources import ProjectResource, WorkerResource
from iterpref_assets.defs.trajectories import debug_trajectories

ROOT = Path(__file__).resolve().parents[2]
RESOURCES = {"project": ProjectResource(), "workers": WorkerResource()}


def failure_of(asset, instance: dg.DagsterInstance, partition: str, config=None) -> str:
    result = dg.materialize(
        [asset], instance=instance, partition_key=partition, resources=RESOURCES,
        raise_on_error=False, run_config=config,
    )  # fmt: skip
    assert not result.success
    data = result.get_step_failure_events()[0].step_failure_data
    assert data.user_failure_data is not None, data.error
    return data.user_failure_data.description


def test_a_malformed_problem_file_is_named_and_the_earlier_artifact_stays(
    seeds: Path, store: ArtifactStore, instance: dg.DagsterInstance
) -> None:
    instance.add_dynamic_partitions(SHARDS, ["a"])
    dg.materialize([raw_seeds], instance=instance, partition_key="a", resources=RESOURCES)
    before = store.current(ArtifactKey("raw_seeds", "a")).manifest
    (seeds / "a.jsonl").write_text('{"problem_id": "p1"}\n')
    message = failure_of(raw_seeds, instance, "a")
    assert "a.jsonl:1" in message
    assert "'source'" in message
    assert store.current(ArtifactKey("raw_seeds", "a")).manifest == before


def test_a_missing_checkpoint_is_named_with_its_remedy(
    store: ArtifactStore, instance: dg.DagsterInstance
) -> None:
    message = failure_of(heldout_scores, instance, "lab|focal_rpo")
    assert "Materialize" in message


def test_missing_samples_stop_the_run_before_an_engine_starts(
    store: ArtifactStore, instance: dg.DagsterInstance
) -> None:
    instance.add_dynamic_partitions(SHARDS, ["a"])
    message = failure_of(debug_trajectories, instance, "a")
    assert "has not been materialized" in message


def test_a_misspelt_override_is_refused_before_the_run_and_those_there_are_are_named(
    store: ArtifactStore, instance: dg.DagsterInstance
) -> None:
    config = {"ops": {"checkpoints": {"config": {"learning_rat": 1e-4}}}}
    with pytest.raises(dg.DagsterInvalidConfigError, match=r"learning_rat.*learning_rate\?"):
        failure_of(checkpoints, instance, "lab|focal_rpo", config)


def test_an_override_with_a_bad_value_is_named(
    store: ArtifactStore, instance: dg.DagsterInstance
) -> None:
    config = {"ops": {"checkpoints": {"config": {"epochs": 0}}}}
    message = failure_of(checkpoints, instance, "lab|focal_rpo", config)
    assert "training.epochs" in message


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_problem_file_is_refused(
    seeds: Path, store: ArtifactStore, instance: dg.DagsterInstance, text: str
) -> None:
    instance.add_dynamic_partitions(SHARDS, ["a"])
    (seeds / "a.jsonl").write_text(text)
    assert "no problems" in failure_of(raw_seeds, instance, "a")


def test_a_setting_that_cannot_be_is_told_by_dg_launch_without_a_stack(tmp_path: Path) -> None:
    home = {"DAGSTER_HOME": str(tmp_path), "ITERPREF_ROOT": str(tmp_path)}
    done = subprocess.run(
        [Path(sys.executable).with_name("dg"), "launch", "--assets", "lab_base_model"],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, **home, "ITERPREF_TRAINING__EPOCH": "2"},
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    line = done.stderr.splitlines()[-1]
    assert "training.epoch" in line
    assert "Did you mean training.epochs" in line
