"""What follows an upstream change by itself, and what a failed check holds back."""

import dagster as dg
import pytest

from iterpref_assets.defs.conditions import KEEP_UP, MAKE

FAILING: set[str] = set()
shards = dg.DynamicPartitionsDefinition(name="shards")


@dg.asset(partitions_def=shards)
def parent() -> None: ...


@dg.asset_check(asset=parent, blocking=True)
def parent_is_well(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    tags = context.run.tags
    named = {tags.get("dagster/partition"), tags.get("dagster/asset_partition_range_start")}
    return dg.AssetCheckResult(passed=not named & FAILING)


@dg.asset(partitions_def=shards, deps=[parent], automation_condition=MAKE)
def child() -> None: ...


@dg.asset(partitions_def=shards, deps=[parent], automation_condition=KEEP_UP)
def costly_child() -> None: ...


@dg.asset
def whole() -> None: ...


@dg.asset_check(asset=whole, blocking=True)
def whole_is_well() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed="whole" not in FAILING)


@dg.asset(deps=[whole], automation_condition=MAKE)
def child_of_whole() -> None: ...


DEFS = dg.Definitions(
    assets=[parent, child, costly_child, whole, child_of_whole],
    asset_checks=[parent_is_well, whole_is_well],
)


class Deployment:
    """An instance whose automation is evaluated tick by tick."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.cursor = None
        self.tick()

    def tick(self) -> dict[str, set[str]]:
        """What this tick requests, by asset."""
        result = dg.evaluate_automation_conditions(DEFS, self.instance, cursor=self.cursor)
        self.cursor = result.cursor
        return {
            asset.key.to_user_string(): set(result.get_requested_partitions(asset.key))
            for asset in (child, costly_child, child_of_whole)
        }

    def run(self, *assets: dg.AssetsDefinition, checks: bool = True, **selected) -> None:
        job = DEFS.resolve_implicit_global_asset_job_def()
        checked = None if checks else set()
        subset = job.get_subset(
            asset_selection={asset.key for asset in assets}, asset_check_selection=checked
        )
        subset.execute_in_process(instance=self.instance, raise_on_error=False, **selected)


@pytest.fixture(autouse=True)
def nothing_fails():
    FAILING.clear()


@pytest.fixture
def deployment(instance: dg.DagsterInstance) -> Deployment:
    instance.add_dynamic_partitions("shards", ["a", "b", "c"])
    return Deployment(instance)


def test_a_child_follows_the_shard_whose_parent_was_made(deployment: Deployment) -> None:
    deployment.run(parent, partition_key="a")
    assert deployment.tick()["child"] == {"a"}


def test_a_child_does_not_follow_a_shard_whose_check_failed(deployment: Deployment) -> None:
    FAILING.add("a")
    deployment.run(parent, partition_key="a")
    assert deployment.tick()["child"] == set()


def test_another_shard_that_passes_does_not_let_the_failed_one_through(
    deployment: Deployment,
) -> None:
    FAILING.add("a")
    deployment.run(parent, partition_key="a")
    deployment.run(parent, partition_key="b")
    assert deployment.tick()["child"] == {"b"}


def test_a_deleted_run_that_passed_does_not_let_a_failed_shard_through(
    deployment: Deployment,
) -> None:
    FAILING.add("a")
    deployment.run(parent, partition_key="a")
    deployment.run(parent, partition_key="b")
    newest = deployment.instance.get_runs(limit=1)[0]
    deployment.instance.delete_run(newest.run_id)
    assert deployment.tick()["child"] == set()


def test_a_shard_that_failed_does_not_hold_back_another(deployment: Deployment) -> None:
    deployment.run(parent, partition_key="b")
    FAILING.add("a")
    deployment.run(parent, partition_key="a")
    assert deployment.tick()["child"] == {"b"}


def test_a_failed_shard_is_let_through_once_it_passes(deployment: Deployment) -> None:
    FAILING.add("a")
    deployment.run(parent, partition_key="a")
    deployment.tick()
    FAILING.clear()
    deployment.run(parent, partition_key="a")
    assert deployment.tick()["child"] == {"a"}


def test_what_was_made_without_its_check_is_held_back_until_it_is_checked(
    deployment: Deployment,
) -> None:
    deployment.run(parent, partition_key="a")
    deployment.tick()
    deployment.run(child, partition_key="a")
    deployment.run(parent, checks=False, partition_key="a")
    assert deployment.tick()["child"] == set()
    deployment.run(parent, partition_key="a")
    assert deployment.tick()["child"] == {"a"}


@pytest.mark.parametrize(("failing", "followed"), [(set(), {"a", "b"}), ({"a"}, set())])
def test_a_check_of_a_range_speaks_for_all_of_it(
    deployment: Deployment, failing: set[str], followed: set[str]
) -> None:
    FAILING.update(failing)
    tags = {"dagster/asset_partition_range_start": "a", "dagster/asset_partition_range_end": "b"}
    deployment.run(parent, tags=tags)
    assert deployment.tick()["child"] == followed


def test_what_was_never_asked_for_is_not_made(deployment: Deployment) -> None:
    deployment.run(parent, partition_key="a")
    assert deployment.tick()["costly_child"] == set()


def test_what_was_asked_for_once_keeps_up_with_its_parent(deployment: Deployment) -> None:
    deployment.run(parent, partition_key="a")
    deployment.run(costly_child, partition_key="a")
    deployment.tick()
    deployment.run(parent, partition_key="a")
    assert deployment.tick()["costly_child"] == {"a"}


@pytest.mark.parametrize(("failing", "followed"), [(set(), {None}), ({"whole"}, set())])
def test_an_asset_without_partitions_is_followed_only_if_it_passed(
    deployment: Deployment, failing: set[str], followed: set
) -> None:
    FAILING.update(failing)
    deployment.run(whole)
    assert deployment.tick()["child_of_whole"] == followed
