"""A slice of the lab on two Ray nodes: sampled, debugged and scored, cancelled and killed."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.steps.evaluations import GREEDY_FILE

pytestmark = [pytest.mark.ray, pytest.mark.timeout(1800)]

SHARDS = ("lab-000", "lab-001")
SECONDS_TO_START = 180
SECONDS_TO_NOTICE = 60


@pytest.fixture(scope="module")
def deployment(cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    """A deployment with all that sampling is made from."""
    from ray_deployment import SLICE, SmallDeployment

    found = SmallDeployment(tmp_path_factory.mktemp("deployment"), cluster.address, SLICE)
    with found.serving_both_nodes():
        found.materialize(["heldout_problems", "lab_base_model"])
        rest = [
            found.launch(["base_models"], "lab"),
            found.launch(["raw_seeds", "seed_problems"], *SHARDS),
        ]
        list(map(found.succeeded, rest))
        yield found


@pytest.fixture(scope="module")
def sampled(deployment) -> list[str]:
    """A run of each shard, at the same time."""
    runs = [deployment.launch(["initial_samples"], shard) for shard in SHARDS]
    return [deployment.succeeded(run_id) for run_id in runs]


@pytest.fixture(scope="module")
def store(deployment) -> ArtifactStore:
    return ArtifactStore(deployment.root)


def test_shards_are_sampled_on_both_nodes(cluster, sampled) -> None:
    jobs = [job for run_id in sampled for job in cluster.of_run(run_id)]
    assert {job.status for job in jobs} == {"SUCCEEDED"}
    assert len({cluster.of_run(run_id)[0].driver_node_id for run_id in sampled}) == 2


def test_samples_are_those_of_a_local_run(
    deployment, sampled, store: ArtifactStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = ArtifactKey("initial_samples", SHARDS[0])
    without = shutil.ignore_patterns("dagster", "workers", "work", key.asset)
    shutil.copytree(deployment.root, tmp_path / "local", ignore=without)
    monkeypatch.setitem(deployment.environment, "ITERPREF_ENVIRONMENT", "lab")
    monkeypatch.setitem(deployment.environment, "ITERPREF_ROOT", str(tmp_path / "local"))
    deployment.done("dg", "launch", "--assets", key.asset, "--partition", key.partition)
    here, on_ray = ArtifactStore(tmp_path / "local").current(key), store.current(key)
    assert here.manifest.files == on_ray.manifest.files
    assert here.manifest.row_count == on_ray.manifest.row_count


def test_a_shard_is_debugged(deployment, cluster, sampled, store: ArtifactStore) -> None:
    run_id = deployment.materialize(["debug_trajectories"], SHARDS[1])
    assert cluster.of_run(run_id)[0].status == "SUCCEEDED"
    versions = store.current(ArtifactKey("debug_trajectories", SHARDS[1])).folder
    assert tables.read_table(versions / "versions.parquet", tables.VERSIONS).height > 0


def test_a_model_is_scored(deployment, cluster, store: ArtifactStore) -> None:
    run_id = deployment.materialize(["heldout_scores"], "lab|reference")
    assert cluster.of_run(run_id)[0].status == "SUCCEEDED"
    scores = store.current(ArtifactKey("heldout_scores", "lab/reference")).folder
    assert tables.read_table(scores / GREEDY_FILE, tables.SCORES).height == 6


def test_a_cancelled_run_stops_its_job(deployment, cluster, sampled) -> None:
    import docker_graphql as graphql
    from ray_cluster import until

    run_id = deployment.launch(["initial_samples"], SHARDS[0])
    until("a worker", cluster.workers, SECONDS_TO_START)
    assert graphql.cancel(deployment.deployment, run_id) == "TerminateRunSuccess"
    assert deployment.ended(run_id) == "CANCELED"
    until("its worker to end", lambda: not cluster.workers(), SECONDS_TO_NOTICE)
    assert [job.status for job in cluster.of_run(run_id)] == ["STOPPED"]


def test_a_worker_that_dies_fails_its_run_with_what_ray_says_of_it(
    deployment, cluster, sampled
) -> None:
    from ray_cluster import until

    run_id = deployment.launch(["initial_samples"], SHARDS[0])
    until("a worker", cluster.workers, SECONDS_TO_START)
    for worker in cluster.workers():
        worker.kill()
    assert deployment.ended(run_id) == "FAILURE"
    assert [job.status for job in cluster.of_run(run_id)] == ["FAILED"]
    assert "last available logs" in deployment.said(run_id)


def test_runs_leave_no_meeting_place(deployment, sampled) -> None:
    assert names(deployment.root / "workers") == set()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}
