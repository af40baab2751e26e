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
def seed_problems(
    context: dg.AssetExecutionContext, project: ProjectResource
) -> dg.MaterializeResult:
    """Training problems: statement, signature, reference solution and tests; one shard each."""
    return publish_here(context, project.settings(), metadata.of_problems)


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
