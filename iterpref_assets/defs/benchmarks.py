"""Group benchmarks: those that the settings give data for, and every variant's scores on them."""

from collections.abc import Sequence

import dagster as dg

from iterpref_assets.core import tables
from iterpref_assets.core.evaluation.benchmark_config import BenchmarkName
from iterpref_assets.defs import conditions, metadata, partitions
from iterpref_assets.defs.checkpoints import checkpoints
from iterpref_assets.defs.models import base_models, lab_base_model
from iterpref_assets.defs.offenders import offenders_result
from iterpref_assets.defs.resources import ProjectResource, WorkerResource
from iterpref_assets.defs.stage import (
    StageConfig,
    columns,
    publish_here,
    publish_in_worker,
    stage_asset,
)
from iterpref_assets.settings import load_settings
from iterpref_assets.steps.benchmarks import (
    ScoreAsset,
    failing_references,
    score_assets_of,
    tasks_key,
)

MODEL_DEPS = [
    dg.AssetDep(base_models, partition_mapping=partitions.base_model_of),
    lab_base_model,
    dg.AssetDep(checkpoints, partition_mapping=partitions.checkpoint_of_score),
]


def _tasks(benchmark: BenchmarkName) -> dg.AssetsDefinition:
    @stage_asset(
        name=tasks_key(benchmark).asset,
        description=f"Which tasks of {benchmark} can be run here, or why not: reference solutions.",
        group_name="benchmarks",
        kinds={"bubblewrap", "parquet"},
        pool="sandbox",
        metadata=columns(tables.BENCHMARK_TASKS),
        automation_condition=conditions.MAKE,
    )
    def tasks(
        context: dg.AssetExecutionContext, project: ProjectResource, workers: WorkerResource
    ) -> dg.MaterializeResult:
        return publish_in_worker(context, workers, project.settings(), metadata.of_benchmark_tasks)

    return tasks


def _references_pass(
    benchmark: BenchmarkName, tasks: dg.AssetsDefinition
) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=tasks,
        name="reference_solutions_pass",
        description="Every reference solution that nothing here keeps from running passes.",
        blocking=True,
    )
    def check(project: ProjectResource) -> dg.AssetCheckResult:
        return offenders_result(lambda: failing_references(project.store(), benchmark))

    return check


def _scores(asked: ScoreAsset, tasks: dg.AssetsDefinition) -> dg.AssetsDefinition:
    @stage_asset(
        name=asked.asset,
        description=f"{asked.title}: every task judged, for one variant of one base model.",
        group_name="benchmarks",
        kinds={"vllm", "bubblewrap", "parquet"},
        partitions_def=partitions.scores,
        deps=[tasks, *MODEL_DEPS],
        pool="gpu",
        metadata=columns(tables.SCORES),
    )
    def scores(
        context: dg.AssetExecutionContext,
        config: StageConfig,
        project: ProjectResource,
        workers: WorkerResource,
    ) -> dg.MaterializeResult:
        settings = project.settings("evaluation", config.overrides)
        return publish_in_worker(context, workers, settings, metadata.of_benchmark_scores)

    return scores


def _leaderboard(scores: Sequence[dg.AssetsDefinition]) -> dg.AssetsDefinition:
    @stage_asset(
        name="leaderboard",
        group_name="reports",
        kinds={"markdown", "matplotlib", "parquet"},
        partitions_def=partitions.base_models,
        deps=[
            *benchmark_tasks.values(),
            *(dg.AssetDep(each, partition_mapping=partitions.base_model_of) for each in scores),
        ],
        metadata=columns(tables.LEADERBOARD),
        automation_condition=conditions.KEEP_UP,
    )
    def leaderboard(
        context: dg.AssetExecutionContext, project: ProjectResource
    ) -> dg.MaterializeResult:
        """Variants by benchmark, as in the paper's Table 1, against the reference model."""
        return publish_here(context, project.settings(), metadata.of_leaderboard)

    return leaderboard


benchmark_tasks = {name: _tasks(name) for name in load_settings().benchmarks.names()}
task_assets = list(benchmark_tasks.values())
task_checks = [_references_pass(name, tasks) for name, tasks in benchmark_tasks.items()]
score_assets = [
    _scores(asked, benchmark_tasks[asked.benchmark]) for asked in score_assets_of(load_settings())
]
leaderboards = [_leaderboard(score_assets)] if score_assets else []
