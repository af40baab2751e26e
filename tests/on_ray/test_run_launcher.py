"""With dagster-ray's run launcher runs are Ray jobs too, which start workers as further ones."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.ray, pytest.mark.timeout(1800)]

ROOT = Path(__file__).resolve().parents[2]
SECONDS_TO_START = 180
SECONDS_TO_NOTICE = 60
SETTINGS = """
evaluation_engine = {kind = "transformers"}

[seeds]
kind = "lab"
lab = {shards = 1, problems_per_shard = 6, heldout_problems = 6}
"""


@pytest.fixture(scope="module")
def deployment(cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    """A deployment by examples/ray/dagster.yaml, its settings in a file that all hosts see."""
    from ray_deployment import SmallDeployment

    root = tmp_path_factory.mktemp("launched")
    (root / "settings.toml").write_text(SETTINGS)
    (root / "dagster").mkdir()
    shutil.copy(ROOT / "examples" / "ray" / "dagster.yaml", root / "dagster")
    found = SmallDeployment(
        root, cluster.address, {"ITERPREF_SETTINGS": str(root / "settings.toml")}
    )
    with found.serving_both_nodes():
        yield found


@pytest.fixture(scope="module")
def prepared(deployment) -> list[str]:
    """Runs that make what a score is made from."""
    return [
        deployment.materialize(["heldout_problems", "lab_base_model"]),
        deployment.materialize(["base_models"], "lab"),
    ]


def test_runs_are_jobs(cluster, deployment, prepared) -> None:
    for run_id in prepared:
        assert cluster.job_of_run(run_id).status == "SUCCEEDED"


def test_a_run_starts_its_worker_as_a_job(cluster, deployment, prepared) -> None:
    run_id = deployment.materialize(["heldout_scores"], "lab|reference")
    assert [job.status for job in cluster.of_run(run_id)] == ["SUCCEEDED"]
    assert cluster.job_of_run(run_id).status == "SUCCEEDED"


def test_a_cancelled_run_ends_its_job_and_its_workers(cluster, deployment, prepared) -> None:
    import docker_graphql as graphql
    from ray_cluster import until

    run_id = deployment.launch(["heldout_scores"], "lab|reference")
    until("a worker", cluster.workers, SECONDS_TO_START)
    assert graphql.cancel(deployment.deployment, run_id) == "TerminateRunSuccess"
    assert deployment.ended(run_id) == "CANCELED"
    until("its worker to end", lambda: not cluster.workers(), SECONDS_TO_NOTICE)
    assert cluster.job_of_run(run_id).status == "STOPPED"
