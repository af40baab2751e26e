"""Group preferences: pairs, their tokens, and what the reference model thinks of them."""

import dagster as dg

from iterpref_assets.core import tables
from iterpref_assets.defs import conditions, metadata, partitions
from iterpref_assets.defs.models import base_models, lab_base_model
from iterpref_assets.defs.problems import seed_problems
from iterpref_assets.defs.resources import ProjectResource, WorkerResource
from iterpref_assets.defs.stage import (
    StageConfig,
    columns,
    publish_here,
    publish_in_worker,
    stage_asset,
)
from iterpref_assets.defs.trajectories import debug_trajectories, initial_samples
from iterpref_assets.settings import load_settings


@stage_asset(
    group_name="preferences",
    kinds={"polars", "parquet"},
    partitions_def=partitions.problem_shards,
    deps=[debug_trajectories, seed_problems],
    pool="gpu" if load_settings().pairs.judge else None,
    automation_condition=conditions.MAKE,
    metadata=columns(tables.PAIRS),
)
def codeflow_pairs(
    context: dg.AssetExecutionContext,
    config: StageConfig,
    project: ProjectResource,
    workers: WorkerResource,
) -> dg.MaterializeResult:
    """CodeFlow pairs: the passing version, an earlier failing one, and the lines that differ."""
    settings = project.settings("pairs", config.overrides)
    if settings.pairs.judge:
        return publish_in_worker(context, workers, settings, metadata.of_pairs)
    return publish_here(context, settings, metadata.of_pairs)


@stage_asset(
    group_name="preferences",
    kinds={"polars", "huggingface", "parquet"},
    partitions_def=partitions.base_models,
    deps=[
        dg.AssetDep(codeflow_pairs, partition_mapping=partitions.all_shards),
        base_models,
        lab_base_model,
    ],
    automation_condition=conditions.MAKE,
    metadata=columns(tables.TOKENIZED_PAIRS),
)
def preference_pairs(
    context: dg.AssetExecutionContext,
    config: StageConfig,
    project: ProjectResource,
    workers: WorkerResource,
) -> dg.MaterializeResult:
    """The kept pairs in one base model's tokens, with the masks of D+ and D-."""
    settings = project.settings("pairs", config.overrides)
    return publish_in_worker(context, workers, settings, metadata.of_preference_pairs)


@stage_asset(
    group_name="preferences",
    kinds={"torch", "parquet"},
    partitions_def=partitions.base_models,
    deps=[preference_pairs, base_models, lab_base_model],
    pool="gpu",
    automation_condition=conditions.MAKE,
    metadata=columns(tables.REFERENCE_LOGPROBS),
)
def reference_logprobs(
    context: dg.AssetExecutionContext, project: ProjectResource, workers: WorkerResource
) -> dg.MaterializeResult:
    """The reference model's log-probability of every token of every pair, computed once."""
    return publish_in_worker(context, workers, project.settings(), metadata.of_nothing)


@stage_asset(
    group_name="preferences",
    kinds={"markdown", "matplotlib"},
    partitions_def=partitions.base_models,
    deps=[
        *(
            dg.AssetDep(asset, partition_mapping=partitions.all_shards)
            for asset in (seed_problems, initial_samples, debug_trajectories, codeflow_pairs)
        ),
        preference_pairs,
    ],
    automation_condition=conditions.KEEP_UP,
)
def data_cards(context: dg.AssetExecutionContext, project: ProjectResource) -> dg.MaterializeResult:
    """What the pairs are like: counts by stage, lengths, failures, features, ten pairs to read."""
    return publish_here(context, project.settings(), metadata.of_data_card)
