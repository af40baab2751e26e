"""Dagster's side of how assets are divided: definitions, mappings, keys, what a run is about."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence

import dagster as dg

from iterpref_assets.core.training.recipes import RECIPE_NAMES, VARIANTS
from iterpref_assets.defs.dagster_private import partition_loading_context
from iterpref_assets.settings import load_settings
from iterpref_assets.steps.partitions import TWO_PARTS, ModelVariant, Partitioning, partitions_of
from iterpref_assets.steps.step import Parent, Step

_BASE_MODELS = dg.StaticPartitionsDefinition(sorted(load_settings().base_models))
_RECIPES = dg.StaticPartitionsDefinition(RECIPE_NAMES)
_VARIANTS = dg.StaticPartitionsDefinition(VARIANTS)

SHARDS = "problem_shards"

problem_shards = dg.DynamicPartitionsDefinition(name=SHARDS)
base_models = _BASE_MODELS
checkpoints = dg.MultiPartitionsDefinition({"base_model": _BASE_MODELS, "recipe": _RECIPES})
scores = dg.MultiPartitionsDefinition({"base_model": _BASE_MODELS, "variant": _VARIANTS})

_TRAINED = (Partitioning.FIRST_CELL, Partitioning.SECOND_CELL)
_OF_EXPERIMENT = (
    Partitioning.RECORDED_SHARD,
    Partitioning.PAIR_SET,
    Partitioning.SECOND_ROUND,
    Partitioning.CELL,
    *_TRAINED,
)

DEFINITIONS: dict[Partitioning, dg.PartitionsDefinition | None] = {
    Partitioning.WHOLE: None,
    Partitioning.SHARD: problem_shards,
    Partitioning.BASE_MODEL: base_models,
    Partitioning.CHECKPOINT: checkpoints,
    Partitioning.SCORE: scores,
    **{
        each: dg.StaticPartitionsDefinition(partitions_of(each, load_settings()))
        for each in _OF_EXPERIMENT
    },
}

_JOIN = "|"
"""What Dagster writes between the dimensions of a key, which it orders by their names."""

_EVERY_SHARD = dg.AllPartitionMapping()
"""A base model's pairs come from every shard."""

_BASE_MODEL = dg.MultiToSingleDimensionPartitionMapping(partition_dimension_name="base_model")
"""A checkpoint or score of a base model comes from that base model's artifacts."""

_CHECKPOINT = dg.MultiPartitionMapping(
    {
        "base_model": dg.DimensionPartitionMapping("base_model", dg.IdentityPartitionMapping()),
        "recipe": dg.DimensionPartitionMapping(
            "variant", dg.StaticPartitionMapping({name: name for name in RECIPE_NAMES})
        ),
    }
)
"""The score of a variant comes from that recipe's checkpoint; the reference has none."""


def deps_of(step: Step) -> list[dg.AssetDep]:
    """What a step's asset depends on under these settings, partition by partition."""
    settings = load_settings()
    return [
        dg.AssetDep(parent.step.asset, partition_mapping=_mapping(parent, step))
        for parent in step.made_of
        if parent.exists(settings)
    ]


def _mapping(parent: Parent, child: Step) -> dg.PartitionMapping | None:
    above, below = parent.step.partitioning, child.partitioning
    if above is Partitioning.WHOLE:
        return None
    if above is Partitioning.SHARD:
        # What selects among shards may select any.
        alike = below is Partitioning.SHARD and parent.select is None
        return None if alike else _EVERY_SHARD
    if (above, below) == (Partitioning.CHECKPOINT, Partitioning.SCORE):
        return _CHECKPOINT
    if below is Partitioning.CELL and above in _TRAINED:
        trained = partitions_of(above, load_settings())
        return dg.StaticPartitionMapping({key: key for key in trained})
    if below in _OF_EXPERIMENT and above is not below:
        return dg.AllPartitionMapping()
    return _BASE_MODEL if above in TWO_PARTS or below in TWO_PARTS else None


def artifact_partition(partition_key: str) -> str:
    """The artifact partition of a Dagster partition key (`lab|focal_rpo` -> `lab/focal_rpo`)."""
    base_model, bar, variant = partition_key.partition(_JOIN)
    return ModelVariant(base_model, variant).key if bar else partition_key


def partition_key(artifact: str) -> str:
    """The Dagster partition key of an artifact partition."""
    if "/" not in artifact:
        return artifact
    model = ModelVariant.parse(artifact)
    return f"{model.base_model}{_JOIN}{model.variant}"


PARTITION_TAG = "dagster/partition"
FIRST_TAG = "dagster/asset_partition_range_start"
LAST_TAG = "dagster/asset_partition_range_end"
REASON_TAG = "iterpref/reason"


def partition_keys_of_run(
    tags: Mapping[str, str], definition: dg.PartitionsDefinition, instance: dg.DagsterInstance
) -> list[str] | None:
    """The partition keys that a run with these tags names; None where it names none."""
    if key := tags.get(PARTITION_TAG):
        return [key]
    if FIRST_TAG not in tags:
        return None
    stretch = dg.PartitionKeyRange(tags[FIRST_TAG], tags[LAST_TAG])
    with partition_loading_context(dynamic_partitions_store=instance):
        return list(definition.get_partition_keys_in_range(stretch))


def stretches(known: Sequence[str], wanted: Collection[str]) -> Iterator[tuple[str, ...]]:
    """The wanted keys, in the order they are known in, as stretches without gaps: a run each."""
    for is_wanted, stretch in itertools.groupby(known, key=set(wanted).__contains__):
        if is_wanted:
            yield tuple(stretch)


def range_tags(stretch: Sequence[str]) -> dict[str, str]:
    """The tags of a run over a stretch of partitions."""
    return {FIRST_TAG: stretch[0], LAST_TAG: stretch[-1]}


def reason(text: str) -> dict[str, str]:
    """The tag that says why a run was started."""
    return {REASON_TAG: text}
