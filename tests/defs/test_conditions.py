"""What follows an upstream change by itself, and what a failed check holds back."""

import dagster as dg
import pytest

from iterpref_assets.defs.conditions import KEEP_UP, MAKE
from iterpref_assets.defs.partitions import partition_keys_of_run, range_tags

FAILING: set[str] = set()
shards = dg.DynamicPartitionsDefinition(name="shards")


@dg.asset(partitions_def=shards)
def parent() -> None: ...


@dg.asset_check(asset=parent, blocking=True)
def parent_is_well(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    tags = context.run.tags
    named = partition_keys_of_run(tags, shards, context.instance)
    looked_at = context.instance.get_dynamic_partitions("shards") if named is None else named
    return dg.AssetCheckResult(passed=not FAILING.intersection(looked_at))


@dg.asset(partitions_def=shards, deps=[parent], automation_condition=MAKE)
def child() -> None: ...


@dg.asset(partitions_def=shards, deps=[parent], automation_condition=KEEP_UP)
def costly_child() -> None: ...


@dg.asset(partitions_def=shards)
def other_parent() -> None: ...


@dg.asset(partitions_def=shards, deps=[parent, other_parent], automation_condition=MAKE)
def child_of_two() -> None: ...


EVERY_SHARD = dg.AssetDep(parent, partition_mapping=dg.AllPartitionMapping())


@dg.asset(deps=[EVERY_SHARD], automation_condition=MAKE)
def child_of_all() -> None: ...


@dg.asset
def whole() -> None: ...


@dg.asset_check(asset=whole, blocking=True)
def whole_is_well() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed="whole" not in FAILING)


@dg.asset(deps=[whole], automation_condition=MAKE)
def child_of_whole() -> None: ...


DEFS = dg.Definitions(
    assets=[
        parent, child, costly_child, other_parent, child_of_two, child_of_all, whole,
        child_of_whole,
    ],
    asset_checks=[parent_is_well, whole_is_well],
)  # fmt: skip
FOLLOWING = (child, costly_child, child_of_two, child_of_all, child_of_whole)


def a_to(last: str) -> dict[str, str]:
    """The tags of a run over a range."""
    return range_tags(["a", last])


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
            for asset in FOLLOWING
        }

    def run(self, *assets: dg.AssetsDefinition, checks: bool = True, **selected) -> None:
        job = DEFS.resolve_implicit_global_asset_job_def()
        checked = None if checks else set()
        subset = job.get_subset(
            asset_selection={asset.key for asset in assets}, asset_check_selection=checked
        )
        subset.execute_in_process(instance=self.instance, raise_on_error=False, **selected)

    def forget(self, shard: str) -> None:
        """As the sensor of seeds does with a shard whose file was removed."""
        self.instance.delete_dynamic_partition("shards", shard)

    def check_alone(self, **selected) -> None:
        """Execute the parent's check and no asset."""
        job = DEFS.resolve_implicit_global_asset_job_def()
        subset = job.get_subset(
            asset_selection=set(), asset_check_selection=set(parent_is_well.check_keys)
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


def test_a_range_that_has_lost_its_end_speaks_for_the_others(deployment: Deployment) -> None:
    deployment.run(parent, tags=a_to("c"))
    deployment.forget("c")
    assert deployment.tick()["child"] == {"a", "b"}


def test_a_range_whose_end_has_moved_speaks_for_no_other_shard(deployment: Deployment) -> None:
    """A shard that was forgotten and came back is the last one: `d` lies before it now."""
    deployment.instance.add_dynamic_partitions("shards", ["d"])
    deployment.run(parent, checks=False, partition_key="d")
    deployment.run(parent, tags=a_to("c"))
    deployment.forget("c")
    deployment.instance.add_dynamic_partitions("shards", ["c"])
    assert deployment.tick()["child"] == {"a", "b", "c"}


def test_a_check_alone_over_a_range_that_has_lost_its_end_lets_nothing_through(
    deployment: Deployment,
) -> None:
    deployment.run(parent, checks=False, tags=a_to("c"))
    deployment.check_alone(tags=a_to("c"))
    deployment.forget("c")
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
    deployment.run(parent, tags=a_to("b"))
    assert deployment.tick()["child"] == followed


def test_a_range_made_without_its_check_is_held_back_until_it_is_checked(
    deployment: Deployment,
) -> None:
    deployment.run(parent, tags=a_to("b"))
    deployment.run(child, tags=a_to("b"))
    deployment.tick()
    deployment.run(parent, checks=False, tags=a_to("b"))
    assert deployment.tick()["child"] == set()
    deployment.run(parent, tags=a_to("b"))
    assert deployment.tick()["child"] == {"a", "b"}


def test_a_shard_that_failed_alone_is_let_through_by_a_range_that_passes(
    deployment: Deployment,
) -> None:
    FAILING.add("a")
    deployment.run(parent, partition_key="a")
    assert deployment.tick()["child"] == set()
    FAILING.clear()
    deployment.run(parent, tags=a_to("c"))
    assert deployment.tick()["child"] == {"a", "b", "c"}


@pytest.mark.parametrize("selected", [{"partition_key": "a"}, {}], ids=["of one", "of all"])
def test_a_check_that_fails_when_it_is_asked_again_holds_back(
    deployment: Deployment, selected: dict[str, str]
) -> None:
    deployment.run(parent, partition_key="a")
    deployment.tick()
    FAILING.add("a")
    deployment.check_alone(**selected)
    deployment.run(other_parent, partition_key="a")
    assert deployment.tick()["child_of_two"] == set()


@pytest.mark.parametrize("selected", [{"partition_key": "a"}, {}], ids=["of one", "of all"])
def test_a_check_that_passes_when_it_is_asked_again_lets_through(
    deployment: Deployment, selected: dict[str, str]
) -> None:
    FAILING.add("a")
    deployment.run(parent, partition_key="a")
    deployment.tick()
    FAILING.clear()
    deployment.check_alone(**selected)
    assert deployment.tick()["child"] == {"a"}


def test_what_is_made_of_every_shard_waits_for_the_one_that_failed(
    deployment: Deployment,
) -> None:
    deployment.run(parent, tags=a_to("b"))
    FAILING.add("c")
    deployment.run(parent, partition_key="c")
    assert deployment.tick()["child_of_all"] == set()
    FAILING.clear()
    deployment.run(parent, partition_key="c")
    assert deployment.tick()["child_of_all"] == {None}


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
