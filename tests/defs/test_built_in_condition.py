"""Why `conditions.ParentsPassed` is not Dagster's own condition with partitioned checks.

Runs here cover ranges. A check with `partitions_def` records the partition of a run over one; of a
run over a range it records none, and Dagster's condition never lets what follows through. Where the
last test fails, Dagster does record them, and its own condition can take the place of ours.
"""

import dagster as dg
import pytest

from iterpref_assets.defs.partitions import range_tags

pytestmark = pytest.mark.filterwarnings("ignore::dagster.PreviewWarning")
OWN_CONDITION = dg.AutomationCondition.all_deps_blocking_checks_passed()
shards = dg.StaticPartitionsDefinition(["a", "b"])


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    @dg.asset(partitions_def=shards)
    def parent() -> None: ...

    @dg.asset_check(asset=parent, blocking=True, partitions_def=shards)
    def is_well() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    @dg.asset(
        partitions_def=shards, deps=[parent],
        automation_condition=dg.AutomationCondition.eager() & OWN_CONDITION,
    )  # fmt: skip
    def child() -> None: ...

    return dg.Definitions([parent, child], asset_checks=[is_well])


def followed(definitions: dg.Definitions, instance: dg.DagsterInstance, **selected) -> set[str]:
    """The shards of the child that are asked for once the parent was made and passed."""
    before = dg.evaluate_automation_conditions(definitions, instance)
    job = definitions.resolve_implicit_global_asset_job_def()
    assert job.get_subset(asset_selection={dg.AssetKey("parent")}).execute_in_process(
        instance=instance, **selected
    ).success  # fmt: skip
    after = dg.evaluate_automation_conditions(definitions, instance, cursor=before.cursor)
    return set(after.get_requested_partitions(dg.AssetKey("child")))


def test_dagsters_own_condition_follows_a_run_over_one_partition(definitions, instance) -> None:
    assert followed(definitions, instance, partition_key="a") == {"a"}


def test_dagsters_own_condition_does_not_follow_a_run_over_a_range(definitions, instance) -> None:
    assert followed(definitions, instance, tags=range_tags(["a", "b"])) == set()
