"""Asset checks: statements about artifacts that can turn out false.

Blocking ones stop downstream assets of the same run. Each looks at the partitions of its run, or at
all published ones that there still are where it is executed alone, and its metadata name them. They
have no `partitions_def`: Dagster 1.13 records none of the partitions of a run over a range, which
is how shards are made, and shows every one of them as never checked.
"""

import dagster as dg

from iterpref_assets.core.decontamination.items import Benchmark, count_by_benchmark
from iterpref_assets.defs.checkpoints import checkpoints
from iterpref_assets.defs.evaluations import heldout_scores
from iterpref_assets.defs.offenders import check_result
from iterpref_assets.defs.partitions import (
    artifact_partition,
    partition_key,
    partition_keys_of_run,
)
from iterpref_assets.defs.preferences import codeflow_pairs, preference_pairs
from iterpref_assets.defs.problems import seed_problems
from iterpref_assets.defs.resources import (
    ProjectResource,
    WorkerResource,
    bad_input_as_failure,
)
from iterpref_assets.defs.step_limit import ended_in_time
from iterpref_assets.defs.trajectories import debug_trajectories
from iterpref_assets.steps import verification
from iterpref_assets.steps.contamination import (
    benchmark_items,
    contaminated_problems,
    uncompared_benchmarks,
)


@dg.asset_check(asset=seed_problems, blocking=True, pool="sandbox")
def reference_solutions_pass(
    context: dg.AssetCheckExecutionContext, project: ProjectResource, workers: WorkerResource
) -> dg.AssetCheckResult:
    """Every reference solution passes its problem's tests in the sandbox."""
    return _executed(context, project, workers, seed_problems, verification.failing_references)


@dg.asset_check(asset=seed_problems, blocking=True)
def tests_tell_siblings_apart(
    context: dg.AssetCheckExecutionContext, project: ProjectResource
) -> dg.AssetCheckResult:
    """No program that differs in one feature and behaves differently passes the tests (lab)."""
    store, shards = project.store(), _partitions(context, project, seed_problems)
    return check_result(lambda: verification.lab_siblings(store, shards), store, shards)


@dg.asset_check(asset=seed_problems, blocking=True, additional_deps=["heldout_problems"])
def no_benchmark_overlap(
    context: dg.AssetCheckExecutionContext, project: ProjectResource
) -> dg.AssetCheckResult:
    """No training problem is a held-out one's twin, nor shares anything with a benchmark's item."""
    settings, store = project.settings(), project.store()
    shards = _partitions(context, project, seed_problems)
    with ended_in_time(settings.operations.step_hours), bad_input_as_failure():
        items = benchmark_items(settings)
    result = check_result(
        lambda: (
            verification.leaked_problems(store, shards)
            + contaminated_problems(settings, store, shards, items)
        ),
        store,
        shards,
    )
    counts = count_by_benchmark(items)
    return _with_metadata(
        result,
        compared_with=counts,
        not_compared_with=[each.value for each in Benchmark if each not in counts],
    )


@dg.asset_check(asset=seed_problems)
def every_benchmark_is_compared_with(
    context: dg.AssetCheckExecutionContext, project: ProjectResource
) -> dg.AssetCheckResult:
    """Seeds from elsewhere than the lab are compared with all of the benchmarks (a warning)."""
    settings, store = project.settings(), project.store()
    shards = _partitions(context, project, seed_problems)
    return check_result(
        lambda: uncompared_benchmarks(settings, store, shards),
        store,
        shards,
        severity=dg.AssetCheckSeverity.WARN,
    )


@dg.asset_check(asset=debug_trajectories)
def prompts_leak_no_tests(
    context: dg.AssetCheckExecutionContext, project: ProjectResource
) -> dg.AssetCheckResult:
    """No debugging prompt tells more of the tests than the failures shown (a warning)."""
    store, shards = project.store(), _partitions(context, project, debug_trajectories)
    return check_result(
        lambda: verification.leaking_prompts(store, shards),
        store,
        shards,
        severity=dg.AssetCheckSeverity.WARN,
    )


@dg.asset_check(asset=codeflow_pairs, blocking=True)
def pairs_differ(
    context: dg.AssetCheckExecutionContext, project: ProjectResource
) -> dg.AssetCheckResult:
    """No kept pair's chosen equals its rejected, nor that of another pair of the same problem."""
    store, shards = project.store(), _partitions(context, project, codeflow_pairs)
    return check_result(lambda: verification.equal_pairs(store, shards), store, shards)


@dg.asset_check(asset=codeflow_pairs, blocking=True, pool="sandbox")
def chosen_passes_all_tests(
    context: dg.AssetCheckExecutionContext, project: ProjectResource, workers: WorkerResource
) -> dg.AssetCheckResult:
    """Every kept pair's chosen program passes when it is executed again."""
    return _executed(context, project, workers, codeflow_pairs, verification.failing_chosen)


@dg.asset_check(asset=codeflow_pairs, blocking=True, pool="sandbox")
def rejected_fails_a_test(
    context: dg.AssetCheckExecutionContext, project: ProjectResource, workers: WorkerResource
) -> dg.AssetCheckResult:
    """Every kept pair's rejected program fails when it is executed again."""
    return _executed(context, project, workers, codeflow_pairs, verification.unfailing_rejected)


@dg.asset_check(asset=preference_pairs, blocking=True)
def every_pair_has_focal_tokens(
    context: dg.AssetCheckExecutionContext, project: ProjectResource
) -> dg.AssetCheckResult:
    """Every tokenized pair has a D- token to penalise."""
    store, names = project.store(), _partitions(context, project, preference_pairs)
    return check_result(lambda: verification.unfocused_pairs(store, names), store, names)


@dg.asset_check(asset=heldout_scores, additional_deps=[checkpoints])
def checkpoint_not_worse_than_base(
    context: dg.AssetCheckExecutionContext, project: ProjectResource
) -> dg.AssetCheckResult:
    """No checkpoint's greedy held-out pass@1 lies below its reference model's (a warning)."""
    store, names = project.store(), _partitions(context, project, heldout_scores)
    return check_result(
        lambda: verification.worse_than_reference(store, names),
        store,
        names,
        severity=dg.AssetCheckSeverity.WARN,
    )


def _with_metadata(result: dg.AssetCheckResult, **metadata: object) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=result.passed,
        severity=result.severity,
        description=result.description,
        metadata={**(result.metadata or {}), **metadata},
    )


def _executed(
    context: dg.AssetCheckExecutionContext,
    project: ProjectResource,
    workers: WorkerResource,
    asset: dg.AssetsDefinition,
    find: verification.Verification,
) -> dg.AssetCheckResult:
    shards = _partitions(context, project, asset)
    return check_result(
        lambda: workers.verify(context, find, shards, project.settings()), project.store(), shards
    )


def _partitions(
    context: dg.AssetCheckExecutionContext, project: ProjectResource, asset: dg.AssetsDefinition
) -> list[str]:
    """The run's partitions of the checked asset; where it is checked alone, all that are published.

    What was published of a shard that is forgotten since, or of a base model that the settings no
    longer have, is read by nothing.
    """
    definition = asset.partitions_def
    keys = definition and partition_keys_of_run(context.run.tags, definition, context.instance)
    if keys is None:
        published = project.store().partitions(asset.key.to_user_string())
        known = definition and definition.get_partition_keys(
            dynamic_partitions_store=context.instance
        )
        return [name for name in published if known is None or partition_key(name) in known]
    return [artifact_partition(key) for key in keys]
