"""Asset checks: statements about artifacts that can turn out false.

Blocking ones stop downstream assets of the same run. Each looks at the partitions of its run, or at
all published ones where it is executed alone.
"""

from collections.abc import Sequence

import dagster as dg

from iterpref_assets.core.artifacts import ArtifactStore
from iterpref_assets.defs.checkpoints import checkpoints
from iterpref_assets.defs.evaluations import heldout_scores
from iterpref_assets.defs.partitions import SHARDS, artifact_partition
from iterpref_assets.defs.preferences import codeflow_pairs, preference_pairs
from iterpref_assets.defs.problems import seed_problems
from iterpref_assets.defs.resources import ProjectResource
from iterpref_assets.steps import verification

SHOWN = 5


@dg.asset_check(asset=seed_problems, blocking=True)
def reference_solutions_pass(
    context: dg.AssetCheckExecutionContext, project: ProjectResource
) -> dg.AssetCheckResult:
    """Every reference solution passes its problem's tests in the sandbox."""
    settings = project.settings()
    return _result(
        verification.failing_references(settings, project.store(), _shards(context, project))
    )


@dg.asset_check(asset=seed_problems, blocking=True)
def tests_tell_siblings_apart(
    context: dg.AssetCheckExecutionContext, project: ProjectResource
) -> dg.AssetCheckResult:
    """No program that differs in one feature and behaves differently passes the tests (lab)."""
    return _result(verification.lab_siblings(project.store(), _shards(context, project)))


@dg.asset_check(asset=seed_problems, blocking=True, additional_deps=["heldout_problems"])
def no_benchmark_overlap(
    context: dg.AssetCheckExecutionContext, project: ProjectResource
) -> dg.AssetCheckResult:
    """No training problem is also a held-out one: by id, prompt, reference or feature path."""
    return _result(verification.leaked_problems(project.store(), _shards(context, project)))


@dg.asset_check(asset=codeflow_pairs, blocking=True)
def pairs_differ(
    context: dg.AssetCheckExecutionContext, project: ProjectResource
) -> dg.AssetCheckResult:
    """No kept pair's chosen equals its rejected."""
    return _result(verification.equal_pairs(project.store(), _shards(context, project)))


@dg.asset_check(asset=codeflow_pairs, blocking=True)
def chosen_passes_all_tests(
    context: dg.AssetCheckExecutionContext, project: ProjectResource
) -> dg.AssetCheckResult:
    """Every kept pair's chosen program passes when it is executed again."""
    shards = _shards(context, project)
    return _result(verification.failing_chosen(project.settings(), project.store(), shards))


@dg.asset_check(asset=codeflow_pairs, blocking=True)
def rejected_fails_a_test(
    context: dg.AssetCheckExecutionContext, project: ProjectResource
) -> dg.AssetCheckResult:
    """Every kept pair's rejected program fails when it is executed again."""
    shards = _shards(context, project)
    return _result(verification.passing_rejected(project.settings(), project.store(), shards))


@dg.asset_check(asset=preference_pairs, blocking=True)
def every_pair_has_focal_tokens(
    context: dg.AssetCheckExecutionContext, project: ProjectResource
) -> dg.AssetCheckResult:
    """Every tokenized pair has a D- token to penalise, and there is at least one pair."""
    names = _partitions(context, project.store(), "preference_pairs")
    return _result(verification.unfocused_pairs(project.store(), names))


@dg.asset_check(asset=heldout_scores, additional_deps=[checkpoints])
def checkpoint_not_worse_than_base(
    context: dg.AssetCheckExecutionContext, project: ProjectResource
) -> dg.AssetCheckResult:
    """No checkpoint's greedy held-out pass@1 lies below its reference model's (a warning)."""
    names = _partitions(context, project.store(), "heldout_scores")
    worse = verification.worse_than_reference(project.store(), names)
    return _result(worse, severity=dg.AssetCheckSeverity.WARN)


def _shards(context: dg.AssetCheckExecutionContext, project: ProjectResource) -> list[str]:
    return _partitions(context, project.store(), "codeflow_pairs", "seed_problems")


def _partitions(
    context: dg.AssetCheckExecutionContext, store: ArtifactStore, *assets: str
) -> list[str]:
    """The run's partitions, or every published one where the check is executed alone."""
    tags = context.run.tags
    if key := tags.get("dagster/partition"):
        return [artifact_partition(key)]
    first = tags.get("dagster/asset_partition_range_start")
    if first is not None:
        keys = list(context.instance.get_dynamic_partitions(SHARDS))
        last = keys.index(tags["dagster/asset_partition_range_end"])
        return keys[keys.index(first) : last + 1]
    return sorted({name for asset in assets for name in store.partitions(asset)})


def _result(
    offenders: Sequence[str], severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=not offenders,
        severity=severity,
        description="; ".join(offenders[:SHOWN]),
        metadata={"offenders": len(offenders)},
    )
