"""The runs that schedules and sensors ask for are executed, on recorded completions."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from recorded import SHARDS, write_deployment
from ticking import Ticker

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.defs import automation
from iterpref_assets.defs.event_size import LARGEST_EVENT
from iterpref_assets.defs.partitions import range_tags
from iterpref_assets.runner import load_definitions
from iterpref_assets.settings import load_settings

pytestmark = [pytest.mark.slow, pytest.mark.sandbox, pytest.mark.timeout(3600)]

SHARD_NAMES = [f"shard-{index}" for index in range(SHARDS)]


class Deployment:
    """An instance, its artifacts and what a daemon does: ticks, and the runs they ask for."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance, self.store = instance, ArtifactStore(load_settings().root)
        self.definitions = load_definitions()
        self.repository = self.definitions.get_repository_def()
        self.ticker = Ticker(instance, self.repository)

    def materialize(self, *assets: str, **selected: object) -> dg.ExecuteInProcessResult:
        job = self.definitions.resolve_implicit_global_asset_job_def()
        return job.execute_in_process(
            instance=self.instance, asset_selection=[dg.AssetKey(name) for name in assets],
            **selected,
        )  # fmt: skip

    def tick(self, automated) -> list[dg.RunRequest]:
        """The runs that the schedule or sensor asks for now."""
        return self.ticker.tick(automated).run_requests or []

    def execute(self, automated, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
        """The run as it would be launched."""
        job = self.repository.get_job(request.job_name or automated.job_name)
        return job.execute_in_process(
            instance=self.instance, partition_key=request.partition_key, tags=request.tags
        )

    def versions(self, asset: str) -> dict[str, Path]:
        names = self.store.partitions(asset)
        return {name: self.store.current(ArtifactKey(asset, name)).folder for name in names}


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Seeds and completions recorded, models and held-out problems materialized."""
    folder, home = tmp_path_factory.mktemp("recorded"), tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch, dg.instance_for_test(temp_dir=str(home)) as opened:
        for name, value in write_deployment(folder).items():
            patch.setenv(name, value)
        patch.setenv("ITERPREF_ROOT", str(folder / "data"))
        found = Deployment(opened)
        found.materialize("heldout_problems", "lab_base_model")
        found.materialize("base_models", partition_key="lab")
        yield found


@pytest.fixture(scope="module")
def codeflow(deployment: Deployment) -> dict[str, Path]:
    """The pairs that the run of the weekly schedule's tick published."""
    (request,) = deployment.tick(automation.rebuild_codeflow)
    assert deployment.execute(automation.rebuild_codeflow, request).success
    return deployment.versions("codeflow_pairs")


def test_no_event_of_the_weekly_run_is_large(deployment: Deployment, codeflow) -> None:
    sizes = [
        (len(dg.serialize_value(entry)), entry.dagster_event_type)
        for run in deployment.instance.get_runs()
        for entry in deployment.instance.all_logs(run.run_id)
    ]
    kinds = {kind for _, kind in sizes}
    assert dg.DagsterEventType.ASSET_MATERIALIZATION in kinds
    assert dg.DagsterEventType.ASSET_CHECK_EVALUATION in kinds
    assert [each for each in sizes if each[0] > LARGEST_EVENT] == []


def test_the_weekly_run_makes_the_pairs_of_every_shard(codeflow: dict[str, Path]) -> None:
    assert sorted(codeflow) == SHARD_NAMES


def test_the_next_weekly_run_keeps_what_is_current(deployment, codeflow) -> None:
    before = {path: path.stat().st_mtime_ns for path in codeflow.values()}
    (request,) = deployment.tick(automation.rebuild_codeflow)
    assert deployment.execute(automation.rebuild_codeflow, request).success
    after = deployment.versions("codeflow_pairs").values()
    assert {path: path.stat().st_mtime_ns for path in after} == before


def test_the_nightly_run_scores_the_reference_model(deployment, codeflow) -> None:
    (request,) = deployment.tick(automation.evaluate_variants)
    assert deployment.execute(automation.evaluate_variants, request).success
    assert "lab/reference" in deployment.versions("heldout_scores")
    scores = deployment.versions("heldout_scores")
    (request,) = deployment.tick(automation.evaluate_variants)
    assert deployment.execute(automation.evaluate_variants, request).success
    assert deployment.versions("heldout_scores") == scores


def test_the_run_for_a_new_checkpoint_scores_it(deployment, codeflow) -> None:
    with deployment.store.publishing(Plan(ArtifactKey("checkpoints", "lab/sft"), "1")) as staging:
        (staging.folder / "weights").write_text("recorded completions stand in for them")
    event = dg.AssetMaterialization("checkpoints", partition="lab|sft")
    deployment.instance.report_runless_asset_event(event)
    (request,) = deployment.tick(automation.new_checkpoints)
    assert deployment.execute(automation.new_checkpoints, request).success
    assert "lab/sft" in deployment.versions("heldout_scores")


def test_the_run_for_changed_seeds_is_followed_downstream(deployment, codeflow) -> None:
    deployment.tick(automation.new_seeds)
    deployment.tick(automation.rebuild_downstream)
    path = load_settings().seeds.folder / "shard-1.jsonl"
    path.write_text(path.read_text().replace("Return the sum", "Give the sum"))
    (request,) = deployment.tick(automation.new_seeds)
    assert deployment.execute(automation.new_seeds, request).success
    (followed,) = deployment.tick(automation.rebuild_downstream)
    cells = set(followed.asset_graph_subset.iterate_asset_partitions())
    assert cells == {
        (dg.AssetKey(asset), shard)
        for asset in ("seed_problems", "initial_samples", "debug_trajectories", "codeflow_pairs")
        for shard in SHARD_NAMES
    }
    tags = {**followed.tags, **range_tags(SHARD_NAMES)}
    assets = {cell.asset_key.to_user_string() for cell in cells}
    assert deployment.materialize(*assets, tags=tags).success
    pairs = deployment.versions("codeflow_pairs")
    assert {shard for shard in SHARD_NAMES if pairs[shard] != codeflow[shard]} == {"shard-1"}
