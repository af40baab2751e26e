"""Groups samples and trajectories: what the generator writes, and how it debugs itself."""

import dagster as dg

from iterpref_assets.core import tables
from iterpref_assets.defs import conditions, metadata, partitions
from iterpref_assets.defs.models import lab_base_model
from iterpref_assets.defs.problems import seed_problems, synthesised
from iterpref_assets.defs.resources import ProjectResource, WorkerResource
from iterpref_assets.defs.stage import StageConfig, columns, publish_in_worker, stage_asset


@stage_asset(
    group_name="samples",
    kinds={"vllm", "parquet"},
    partitions_def=partitions.problem_shards,
    deps=[seed_problems, lab_base_model, *synthesised],
    pool="gpu",
    automation_condition=conditions.MAKE,
    metadata=columns(tables.COMPLETIONS),
)
def initial_samples(
    context: dg.AssetExecutionContext,
    config: StageConfig,
    project: ProjectResource,
    workers: WorkerResource,
) -> dg.MaterializeResult:
    """Round 0: the generator's completions of every problem, and programs that came with tasks."""
    settings = project.settings("sampling", config.overrides)
    return publish_in_worker(context, workers, settings, metadata.of_completions)


@stage_asset(
    group_name="trajectories",
    kinds={"vllm", "bubblewrap", "parquet"},
    partitions_def=partitions.problem_shards,
    deps=[seed_problems, initial_samples, lab_base_model],
    pool="gpu",
    automation_condition=conditions.MAKE,
    metadata=columns(tables.VERSIONS),
)
def debug_trajectories(
    context: dg.AssetExecutionContext,
    config: StageConfig,
    project: ProjectResource,
    workers: WorkerResource,
) -> dg.MaterializeResult:
    """Every version of every program: run, shown its failure, rewritten, up to five rounds."""
    settings = project.settings("debugging", config.overrides)
    return publish_in_worker(context, workers, settings, metadata.of_trajectories)
