"""Group models: the lab's own model, and the base models that are trained."""

import dagster as dg

from iterpref_assets.defs import conditions, metadata, partitions
from iterpref_assets.defs.resources import ProjectResource
from iterpref_assets.defs.stage import publish_here, stage_asset


@stage_asset(group_name="models", kinds={"torch", "safetensors"})
def lab_base_model(
    context: dg.AssetExecutionContext, project: ProjectResource
) -> dg.MaterializeResult:
    """The lab's Qwen2-architecture language model, trained from scratch on composed problems."""
    return publish_here(context, project.settings(), metadata.of_lab_model)


@stage_asset(
    group_name="models",
    kinds={"huggingface", "safetensors"},
    partitions_def=partitions.base_models,
    deps=[lab_base_model],
    automation_condition=conditions.MAKE,
)
def base_models(
    context: dg.AssetExecutionContext, project: ProjectResource
) -> dg.MaterializeResult:
    """The models to train, one partition each, pinned by the hashes of their files."""
    return publish_here(context, project.settings(), metadata.of_nothing)
