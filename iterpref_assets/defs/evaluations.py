"""Groups evaluations and reports: scores of every variant, and the pages that people read."""

import dagster as dg

from iterpref_assets.core import tables
from iterpref_assets.defs import conditions, metadata, partitions
from iterpref_assets.defs.benchmarks import MODEL_DEPS, leaderboards
from iterpref_assets.defs.checkpoints import checkpoints
from iterpref_assets.defs.preferences import codeflow_pairs, preference_pairs
from iterpref_assets.defs.problems import heldout_problems, seed_problems
from iterpref_assets.defs.resources import ProjectResource, WorkerResource
from iterpref_assets.defs.stage import (
    StageConfig,
    columns,
    publish_here,
    publish_in_worker,
    stage_asset,
)
from iterpref_assets.defs.trajectories import debug_trajectories, initial_samples


@stage_asset(
    group_name="evaluations",
    kinds={"vllm", "bubblewrap", "parquet"},
    partitions_def=partitions.scores,
    deps=[heldout_problems, *MODEL_DEPS],
    pool="gpu",
    metadata=columns(tables.SCORES),
)
def heldout_scores(
    context: dg.AssetExecutionContext,
    config: StageConfig,
    project: ProjectResource,
    workers: WorkerResource,
) -> dg.MaterializeResult:
    """Every held-out problem judged, greedy and sampled, for one variant of one base model."""
    settings = project.settings("evaluation", config.overrides)
    return publish_in_worker(context, workers, settings, metadata.of_scores)


@stage_asset(
    group_name="reports",
    kinds={"markdown", "matplotlib"},
    partitions_def=partitions.base_models,
    deps=[
        heldout_problems,
        dg.AssetDep(seed_problems, partition_mapping=partitions.all_shards),
        dg.AssetDep(initial_samples, partition_mapping=partitions.all_shards),
        dg.AssetDep(debug_trajectories, partition_mapping=partitions.all_shards),
        dg.AssetDep(codeflow_pairs, partition_mapping=partitions.all_shards),
        preference_pairs,
        dg.AssetDep(checkpoints, partition_mapping=partitions.base_model_of),
        dg.AssetDep(heldout_scores, partition_mapping=partitions.base_model_of),
        *leaderboards,
    ],
    automation_condition=conditions.KEEP_UP,
)
def experiment_reports(
    context: dg.AssetExecutionContext, project: ProjectResource
) -> dg.MaterializeResult:
    """Markdown and plots: pass rate by round, filters, focal share, curves, pass@1 by variant."""
    return publish_here(context, project.settings(), metadata.of_report)
