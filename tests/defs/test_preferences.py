"""Programs that pairs are made of run where the sandbox can: in a worker."""

from pathlib import Path

import dagster as dg
import pytest
from published_shard import SHARD, publish_trajectories

from iterpref_assets.core.artifacts import ArtifactStore
from iterpref_assets.core.errors import InputError
from iterpref_assets.defs.partitions import SHARDS
from iterpref_assets.defs.preferences import codeflow_pairs
from iterpref_assets.defs.resources import ProjectResource, WorkerResource
from iterpref_assets.settings import Settings
from iterpref_assets.steps.chain import step_of
from iterpref_assets.steps.step import StepContext

ASKED: list[tuple[str, list[str]]] = []


class Recorded(WorkerResource):
    """Writes down what it is asked for and makes nothing."""

    def run(self, context: object, asset: str, partitions: list[str], settings: Settings) -> None:
        """Write it down."""
        ASKED.append((asset, partitions))


def test_pairs_are_made_in_a_worker(
    store: ArtifactStore, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    publish_trajectories(store, tmp_path)
    instance.add_dynamic_partitions(SHARDS, [SHARD])
    ASKED.clear()
    with pytest.raises(InputError, match="codeflow_pairs/a has not been materialized"):
        dg.materialize(
            [codeflow_pairs], instance=instance, partition_key=SHARD,
            resources={"project": ProjectResource(), "workers": Recorded()},
        )  # fmt: skip
    assert ASKED == [("codeflow_pairs", [SHARD])]


class InProcess(WorkerResource):
    """Publishes here what it is asked for."""

    def run(self, context: object, asset: str, partitions: list[str], settings: Settings) -> None:
        """Publish it."""
        step, step_context = step_of(asset), StepContext(settings, ArtifactStore(settings.root))
        step.publish(step_context, [step.plan(step_context, name) for name in partitions])


def test_a_page_that_cannot_be_written_fails_no_step(
    store: ArtifactStore, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    publish_trajectories(store, tmp_path)
    instance.add_dynamic_partitions(SHARDS, [SHARD])
    (store.root / "pages").write_text("in the way")
    result = dg.materialize(
        [codeflow_pairs], instance=instance, partition_key=SHARD,
        resources={"project": ProjectResource(), "workers": InProcess()},
    )  # fmt: skip
    (event,) = result.get_asset_materialization_events()
    assert {"path", "kept"} <= set(event.materialization.metadata)
    assert "page" not in event.materialization.metadata


def test_pairs_wait_for_a_slot_of_the_sandbox() -> None:
    assert codeflow_pairs.op.pool == "sandbox"
