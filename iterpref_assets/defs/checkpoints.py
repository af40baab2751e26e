"""Group checkpoints: a base model trained by a recipe."""

import dagster as dg

from iterpref_assets.defs import conditions, metadata, partitions
from iterpref_assets.defs.models import base_models, lab_base_model
from iterpref_assets.defs.preferences import preference_pairs, reference_logprobs
from iterpref_assets.defs.resources import ProjectResource, WorkerResource
from iterpref_assets.defs.stage import StageConfig, publish_in_worker, stage_asset


@stage_asset(
    group_name="checkpoints",
    kinds={"torch", "huggingface", "safetensors"},
    partitions_def=partitions.checkpoints,
    deps=[
        dg.AssetDep(preference_pairs, partition_mapping=partitions.base_model_of),
        dg.AssetDep(reference_logprobs, partition_mapping=partitions.base_model_of),
        dg.AssetDep(base_models, partition_mapping=partitions.base_model_of),
        lab_base_model,
    ],
    pool="gpu",
    automation_condition=conditions.KEEP_UP,
)
def checkpoints(
    context: dg.AssetExecutionContext,
    config: StageConfig,
    project: ProjectResource,
    workers: WorkerResource,
) -> dg.MaterializeResult:
    """A base model trained by one recipe on its preference pairs, with its curves."""
    settings = project.settings("training", config.overrides)
    return publish_in_worker(context, workers, settings, metadata.of_checkpoint)
