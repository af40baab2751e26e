"""Every partitions definition, and how partition keys and artifacts correspond."""

from __future__ import annotations

import dagster as dg

from iterpref_assets.core.training.recipes import RECIPE_NAMES, VARIANTS
from iterpref_assets.settings import load_settings

_BASE_MODELS = dg.StaticPartitionsDefinition(sorted(load_settings().base_models))
_RECIPES = dg.StaticPartitionsDefinition(RECIPE_NAMES)
_VARIANTS = dg.StaticPartitionsDefinition(VARIANTS)

SHARDS = "problem_shards"

problem_shards = dg.DynamicPartitionsDefinition(name=SHARDS)
base_models = _BASE_MODELS
checkpoints = dg.MultiPartitionsDefinition({"base_model": _BASE_MODELS, "recipe": _RECIPES})
scores = dg.MultiPartitionsDefinition({"base_model": _BASE_MODELS, "variant": _VARIANTS})

all_shards = dg.AllPartitionMapping()
"""A base model's pairs come from every shard."""

base_model_of = dg.MultiToSingleDimensionPartitionMapping(partition_dimension_name="base_model")
"""A checkpoint or score of a base model comes from that base model's artifacts."""

checkpoint_of_score = dg.MultiPartitionMapping(
    {
        "base_model": dg.DimensionPartitionMapping("base_model", dg.IdentityPartitionMapping()),
        "recipe": dg.DimensionPartitionMapping(
            "variant", dg.StaticPartitionMapping({name: name for name in RECIPE_NAMES})
        ),
    }
)
"""The score of a variant comes from that recipe's checkpoint; the reference has none."""


def artifact_partition(partition_key: str) -> str:
    """The artifact partition of a Dagster partition key (`lab|focal_rpo` -> `lab/focal_rpo`)."""
    return partition_key.replace("|", "/")


def partition_key(artifact: str) -> str:
    """The Dagster partition key of an artifact partition."""
    return artifact.replace("/", "|")
