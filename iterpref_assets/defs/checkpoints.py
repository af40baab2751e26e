"""Group checkpoints: a base model trained by a recipe."""

from iterpref_assets.defs import conditions, metadata
from iterpref_assets.defs.stage import stage_asset
from iterpref_assets.steps.checkpoints import CHECKPOINTS

checkpoints = stage_asset(
    CHECKPOINTS,
    description="A base model trained by one recipe on its preference pairs, with its curves.",
    group="checkpoints",
    kinds={"torch", "huggingface", "safetensors"},
    pool="gpu",
    in_worker=True,
    section="training",
    automation=conditions.KEEP_UP,
    describe=metadata.of_checkpoint,
)
