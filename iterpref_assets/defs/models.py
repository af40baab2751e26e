"""Group models: the lab's own model, and the base models that are trained."""

from iterpref_assets.defs import conditions, metadata
from iterpref_assets.defs.stage import stage_asset
from iterpref_assets.steps.models import BASE_MODELS, LAB_BASE_MODEL

lab_base_model = stage_asset(
    LAB_BASE_MODEL,
    description="The lab's Qwen2-architecture language model, trained on composed problems.",
    group="models",
    kinds={"torch", "safetensors"},
    describe=metadata.of_lab_model,
)

base_models = stage_asset(
    BASE_MODELS,
    description="The models to train, one partition each, pinned by the hashes of their files.",
    group="models",
    kinds={"huggingface", "safetensors"},
    automation=conditions.MAKE,
    describe=metadata.of_nothing,
)
