"""Workers as Ray jobs: what they answer arrives whole, and what stops them is said plainly."""

from pathlib import Path

import dagster as dg
import pytest

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.frames import problems_to_frame
from iterpref_assets.core.records import Problem
from iterpref_assets.defs.resources import WorkerResource
from iterpref_assets.deployment import RayConfig
from iterpref_assets.settings import Environment, Settings
from iterpref_assets.steps.heldout_problems import PROBLEMS_FILE
from iterpref_assets.steps.verification import failing_references

pytestmark = [pytest.mark.ray, pytest.mark.timeout(900)]

SHARD = "lab-000"
LONG = "p" * 40_000
"""An identifier with which any message about its problem is longer than 16 kB."""

WRONG = {
    "problem_id": LONG,
    "source": "mine",
    "prompt": "Add one to x.",
    "entry_point": "f",
    "reference": "def f(x):\n    return x",
    "tests": {
        "kind": "function",
        "entry_point": "f",
        "cases": [{"arguments": "(1,)", "expected": "2"}],
    },
}


def settings_of(root: Path, address: str) -> Settings:
    return Settings(root=root, environment=Environment.RAY, ray=RayConfig(address=address))


def failure_of(settings: Settings, asset: str) -> str:
    """What a run says whose worker is asked for a shard of an asset and fails."""

    @dg.asset
    def published(
        context: dg.AssetExecutionContext, workers: WorkerResource
    ) -> dg.MaterializeResult:
        workers.run(context, asset, [SHARD], settings)
        return dg.MaterializeResult()

    result = dg.materialize(
        [published], resources={"workers": WorkerResource()}, raise_on_error=False
    )
    (failure,) = result.get_step_failure_events()
    return failure.step_failure_data.user_failure_data.description


def test_an_answer_longer_than_a_pipe_arrives_whole(cluster, tmp_path: Path) -> None:
    with ArtifactStore(tmp_path).publishing(Plan(ArtifactKey("seed_problems", SHARD), "1")) as made:
        frame = problems_to_frame([Problem.model_validate(WRONG)])
        tables.write_table(frame, tables.PROBLEMS, made.folder / PROBLEMS_FILE)
    settings = settings_of(tmp_path, cluster.address)
    asked = []

    @dg.asset
    def verified(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        asked.append(WorkerResource().verify(context, failing_references, [SHARD], settings))
        return dg.MaterializeResult()

    assert dg.materialize([verified]).success
    (findings,) = asked
    (line,) = findings.lines
    assert line.startswith(f"{LONG}: ")


def test_bad_input_is_the_failure_of_its_run(cluster, tmp_path: Path) -> None:
    said = failure_of(settings_of(tmp_path, cluster.address), "initial_samples")
    assert "lab_base_model/all has not been materialized" in said
    assert "Traceback" not in said


def test_a_step_sees_the_gpu_that_ray_gave_it(cluster, tmp_path: Path) -> None:
    """Each node says that it has one, and calls it 0; the job ends for lack of a model."""
    before = {job.submission_id for job in cluster.jobs.list_jobs()}
    ray = RayConfig(address=cluster.address, gpus=1)
    settings = Settings(root=tmp_path, environment=Environment.RAY, ray=ray)
    assert "has not been materialized" in failure_of(settings, "initial_samples")
    (ours,) = {job.submission_id for job in cluster.jobs.list_jobs()} - before
    assert "Ray gave this step GPU 0" in cluster.jobs.get_job_logs(ours)


def test_without_a_cluster_the_run_says_where_it_looked(tmp_path: Path) -> None:
    from ray_cluster import free_ports

    (port,) = free_ports(1)
    said = failure_of(settings_of(tmp_path, f"http://127.0.0.1:{port}"), "initial_samples")
    assert f"no Ray cluster takes jobs at http://127.0.0.1:{port}" in said
    assert "ITERPREF_RAY__ADDRESS" in said
