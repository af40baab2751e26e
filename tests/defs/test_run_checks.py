"""What `iterpref run` does about blocking checks that did not pass."""

from collections.abc import Iterator

import dagster as dg
import pytest

from iterpref_assets.core.artifacts import UNPARTITIONED, Artifact, ArtifactKey, ArtifactStore
from iterpref_assets.core.errors import InputError
from iterpref_assets.defs.problems import heldout_problems, raw_seeds
from iterpref_assets.defs.resources import ProjectResource, WorkerResource
from iterpref_assets.phases import Phase
from iterpref_assets.runner import materialize_chain
from iterpref_assets.settings import load_settings

FAILING: set[str] = set()
PHASES = (Phase(("heldout_problems",), (UNPARTITIONED,)), Phase(("raw_seeds",), ("a",)))
KEYS = {
    "heldout_problems": ArtifactKey("heldout_problems"),
    "raw_seeds": ArtifactKey("raw_seeds", "a"),
}


def check_of(asset: dg.AssetsDefinition) -> dg.AssetChecksDefinition:
    """A blocking check that fails where the test says so."""
    name = asset.key.to_user_string()

    @dg.asset_check(asset=asset, name="is_well", blocking=True)
    def is_well() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=name not in FAILING, description="an offender")

    return is_well


DEFINITIONS = dg.Definitions(
    assets=[heldout_problems, raw_seeds],
    asset_checks=[check_of(heldout_problems), check_of(raw_seeds)],
    resources={"project": ProjectResource(), "workers": WorkerResource()},
)


@pytest.fixture(autouse=True)
def nothing_fails() -> Iterator[None]:
    FAILING.clear()
    yield
    FAILING.clear()


def run(instance: dg.DagsterInstance) -> None:
    materialize_chain(DEFINITIONS, instance, load_settings(), PHASES)


def make_without_checks(instance: dg.DagsterInstance, asset: str) -> None:
    """Record an asset again, as a run does that is killed before its checks begin."""
    job = DEFINITIONS.resolve_implicit_global_asset_job_def().get_subset(
        asset_selection={dg.AssetKey(asset)}, asset_check_selection=set()
    )
    partition = None if KEYS[asset].partition == UNPARTITIONED else KEYS[asset].partition
    job.execute_in_process(instance=instance, partition_key=partition)


def evaluations(instance: dg.DagsterInstance, asset: str) -> list[str]:
    """What the asset's check has said, the oldest first."""
    key = dg.AssetCheckKey(dg.AssetKey(asset), "is_well")
    found = instance.event_log_storage.get_asset_check_execution_history(key, limit=10)
    return [record.status.value for record in reversed(found)]


@pytest.fixture(params=["heldout_problems", "raw_seeds"])
def asset(request: pytest.FixtureRequest) -> str:
    """The asset whose check a test is about: without partitions, or of one shard."""
    return request.param


@pytest.fixture
def failed(store: ArtifactStore, instance: dg.DagsterInstance, asset: str) -> Artifact:
    """What the asset holds after a run that its check failed."""
    FAILING.add(asset)
    with pytest.raises(InputError):
        run(instance)
    return store.current(KEYS[asset])


def test_a_run_after_one_whose_check_failed_fails_too(
    instance: dg.DagsterInstance, failed: Artifact, asset: str
) -> None:
    with pytest.raises(InputError, match=f"{asset}: check .* failed"):
        run(instance)


def test_what_a_failed_check_is_about_is_not_made_again(
    store: ArtifactStore, instance: dg.DagsterInstance, failed: Artifact, asset: str
) -> None:
    made = store.stamp(KEYS[asset])
    FAILING.clear()
    run(instance)
    assert evaluations(instance, asset) == ["FAILED", "SUCCEEDED"]
    assert store.stamp(KEYS[asset]) == made


def test_a_check_that_a_killed_run_did_not_reach_is_made_up_for(
    store: ArtifactStore, instance: dg.DagsterInstance, asset: str
) -> None:
    run(instance)
    make_without_checks(instance, asset)
    assert evaluations(instance, asset) == ["SUCCEEDED"]
    run(instance)
    assert evaluations(instance, asset) == ["SUCCEEDED", "SUCCEEDED"]


def test_a_check_that_passed_is_not_run_again(
    store: ArtifactStore, instance: dg.DagsterInstance, asset: str
) -> None:
    run(instance)
    run(instance)
    assert evaluations(instance, asset) == ["SUCCEEDED"]


def test_a_failed_check_is_told_of_without_a_stack(
    store: ArtifactStore, instance: dg.DagsterInstance, caplog: pytest.LogCaptureFixture
) -> None:
    FAILING.add("raw_seeds")
    with pytest.raises(InputError, match="raw_seeds: check is_well failed: an offender"):
        run(instance)
    assert "Stack Trace" not in caplog.text
