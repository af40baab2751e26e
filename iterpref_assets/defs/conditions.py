"""When an asset follows its parents by itself, where automation is switched on."""

from __future__ import annotations

import dagster as dg

from iterpref_assets.defs.dagster_private import EntitySubset
from iterpref_assets.defs.passed import passed_keys, passed_whole


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
    """The partitions of `asked` whose present content the check has not passed."""
    definition = asked.partitions_def
    if definition is None:
        return asked if not passed_whole(instance, check) else asked.compute_difference(asked)
    keys = set(asked.expensively_compute_partition_keys())
    passed = passed_keys(instance, check, definition, keys)
    return asked.compute_difference(asked.compute_intersection_with_partition_keys(passed))


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
