"""When an asset follows its parents by itself, where automation is switched on."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from iterpref_assets.defs.dagster_private import (
    AssetCheckExecutionRecord,
    AssetCheckExecutionRecordStatus,
    EntitySubset,
)
from iterpref_assets.defs.partitions import partition_keys_of_run

HISTORY_PAGE = 100


class ParentsPassed(dg.AutomationCondition[dg.AssetKey]):
    """True of partitions whose parents' blocking checks passed on what the parents now hold.

    Dagster's own `all_deps_blocking_checks_passed` asks of a check without partitions only whether
    its last evaluation passed, whichever partition it was about: a shard that failed is let through
    as soon as another one passes. Of a check with `partitions_def` it knows nothing after a run
    over a range, and lets no shard through (tests/defs/test_built_in_condition.py).
    """

    @property
    def name(self) -> str:
        """What the UI calls it."""
        return "parents_passed"

    @property
    def description(self) -> str:
        """What the UI says of it."""
        return "The parents' blocking checks passed on what the parents hold now"

    def evaluate(
        self, context: dg.AutomationContext[dg.AssetKey]
    ) -> dg.AutomationResult[dg.AssetKey]:
        """The candidates, without the children of partitions that did not pass."""
        view, graph, passed = (
            context.asset_graph_view,
            context.asset_graph,
            context.candidate_subset,
        )
        for parent in sorted(graph.get(context.key).parent_keys):
            for check in sorted(graph.get(parent).check_keys):
                if not graph.get(check).blocking or passed.is_empty:
                    continue
                asked = view.compute_parent_subset(parent, passed)
                failed = _not_passed(view.instance, asked, check)
                passed = passed.compute_difference(failed.compute_child_subset(context.key))
        return dg.AutomationResult(context, passed)


def _not_passed(
    instance: dg.DagsterInstance, asked: EntitySubset[dg.AssetKey], check: dg.AssetCheckKey
) -> EntitySubset[dg.AssetKey]:
    """The partitions of `asked` whose present content the check has not passed.

    Going back in time, the first evaluation that covers a partition decides about it; it must have
    seen what the partition holds. One that is planned, or that never came, has not passed. Of one
    whose run was deleted nobody can tell which partitions it covered: it vouches for none.
    """
    definition = asked.partitions_def
    if definition is None:
        return asked if not _passed_whole(instance, check) else asked.compute_difference(asked)
    undecided = set(asked.expensively_compute_partition_keys())
    held = instance.event_log_storage.get_latest_storage_id_by_partition(
        asked.key, dg.DagsterEventType.ASSET_MATERIALIZATION, undecided
    )
    passed: set[str] = set()
    for record in _history(instance, check):
        if not undecided:
            break
        run = instance.get_run_by_id(record.run_id)
        if run is None:
            continue
        covered = undecided.intersection(
            partition_keys_of_run(run.tags, definition, instance) or undecided
        )
        seen = _seen(record)
        passed |= {key for key in covered if key in held and held[key] <= seen}
        undecided -= covered
    return asked.compute_difference(asked.compute_intersection_with_partition_keys(passed))


def _passed_whole(instance: dg.DagsterInstance, check: dg.AssetCheckKey) -> bool:
    """Whether the check of an asset without partitions passed what the asset holds."""
    held = instance.fetch_materializations(check.asset_key, limit=1).records
    newest = next(_history(instance, check), None)
    return bool(held) and newest is not None and held[0].storage_id <= _seen(newest)


def _seen(record: AssetCheckExecutionRecord) -> int:
    """The last materialization that an evaluation vouches for; 0 where it did not pass."""
    if record.status is not AssetCheckExecutionRecordStatus.SUCCEEDED or record.event is None:
        return 0
    evaluation = record.event.asset_check_evaluation
    target = None if evaluation is None else evaluation.target_materialization_data
    return 0 if target is None else target.storage_id


def _history(
    instance: dg.DagsterInstance, check: dg.AssetCheckKey
) -> Iterator[AssetCheckExecutionRecord]:
    """The check's evaluations, planned ones included, the newest first."""
    cursor: int | None = None
    while page := instance.event_log_storage.get_asset_check_execution_history(
        check, HISTORY_PAGE, cursor
    ):
        yield from page
        cursor = page[-1].id


MAKE = (dg.AutomationCondition.eager() & ParentsPassed()).with_label("made_when_parents_passed")
"""Made as soon as the parents are there, and again whenever one of them changes."""

KEEP_UP = (
    dg.AutomationCondition.any_deps_updated().since_last_handled()
    & ~dg.AutomationCondition.missing()
    & ~dg.AutomationCondition.any_deps_in_progress()
    & ~dg.AutomationCondition.in_progress()
    & ParentsPassed()
).with_label("kept_up_to_date_once_made")
"""Made again when a parent changes, but only what was asked for once: a recipe costs hours."""
