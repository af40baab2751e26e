"""Group problems: what to train on and what to score on."""

import dagster as dg

from iterpref_assets.core import tables
from iterpref_assets.defs import metadata, partitions
from iterpref_assets.defs.resources import ProjectResource
from iterpref_assets.defs.stage import columns, publish_here, stage_asset


@stage_asset(
    group_name="problems",
    kinds={"python", "parquet"},
    partitions_def=partitions.problem_shards,
    code_version="1",
    metadata=columns(tables.PROBLEMS),
)
def raw_seeds(context: dg.AssetExecutionContext, project: ProjectResource) -> dg.MaterializeResult:
    """Problems as their source gives them, and which of its records give none."""
    return publish_here(context, project.settings(), metadata.of_raw_seeds)


@stage_asset(
    group_name="problems",
    kinds={"python", "parquet"},
    code_version="1",
    metadata=columns(tables.PROBLEMS),
)
def heldout_problems(
    context: dg.AssetExecutionContext, project: ProjectResource
) -> dg.MaterializeResult:
    """Problems that no model is trained on, to score the reference model and checkpoints."""
    return publish_here(context, project.settings(), metadata.of_problems)


@stage_asset(
    group_name="problems",
    kinds={"python", "parquet"},
    partitions_def=partitions.problem_shards,
    deps=[
        dg.AssetDep(raw_seeds, partition_mapping=partitions.all_shards),
        heldout_problems,
    ],
    code_version="2",
    metadata=columns(tables.PROBLEMS),
)
def seed_problems(
    context: dg.AssetExecutionContext, project: ProjectResource
) -> dg.MaterializeResult:
    """Training problems: raw seeds without duplicates and without what benchmarks ask."""
    return publish_here(context, project.settings(), metadata.of_seeds)
