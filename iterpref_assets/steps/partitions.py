"""How assets are divided: kinds of partitions, and the keys of those that have two parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from iterpref_assets.core.artifacts import UNPARTITIONED
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.experiment.arms import ARMS, SECOND_ROUNDS, Arm, PairSet, cell_keys
from iterpref_assets.core.experiment.config import ExperimentConfig
from iterpref_assets.core.training.recipes import REFERENCE
from iterpref_assets.settings import Settings
from iterpref_assets.steps.recorded_files import programs_files


class Partitioning(StrEnum):
    """What one partition of an asset is about."""

    WHOLE = "whole"
    """The asset has no partitions."""
    SHARD = "shard"
    RECORDED_SHARD = "recorded_shard"
    """A shard whose debugged programs another machine recorded."""
    BASE_MODEL = "base_model"
    CHECKPOINT = "checkpoint"
    """A base model and a recipe."""
    SCORE = "score"
    """A base model and a variant: a recipe, or the reference model itself."""
    PAIR_SET = "pair_set"
    """A set of pairs that arms of the experiment are trained on."""
    CELL = "cell"
    """An arm of the experiment at one learning rate with one seed, or the reference model."""
    FIRST_CELL = "first_cell"
    """A cell that is trained from the base model."""
    SECOND_ROUND = "second_round"
    """An arm that goes on from another arm's model."""
    SECOND_CELL = "second_cell"
    """A cell of such an arm."""


_ALIKE = (Partitioning.SHARD, Partitioning.RECORDED_SHARD)
"""Kinds of one and the same keys, of which the second has some."""

TWO_PARTS = {Partitioning.CHECKPOINT, Partitioning.SCORE}


@dataclass(frozen=True, slots=True)
class ModelVariant:
    """A base model and a variant of it: the partition of a checkpoint or score."""

    base_model: str
    variant: str

    @classmethod
    def parse(cls, partition: str) -> ModelVariant:
        """The two parts of an artifact's partition.

        Raises:
            InputError: where it has not two.
        """
        base_model, slash, variant = partition.partition("/")
        if not (base_model and slash and variant) or "/" in variant:
            raise InputError(
                f"{partition!r} is no base model and variant",
                field="partition",
                remedy="Write it BASE_MODEL/VARIANT, as in lab/focal_rpo",
            )
        return cls(base_model, variant)

    @property
    def key(self) -> str:
        """The partition, as artifacts are stored under it."""
        return f"{self.base_model}/{self.variant}"

    @property
    def is_reference(self) -> bool:
        """Whether it is the base model itself, untrained."""
        return self.variant == REFERENCE


def base_model_of(partition: str) -> str:
    """The base model that a partition is about, be it divided by variants or not."""
    return ModelVariant.parse(partition).base_model if "/" in partition else partition


def partitions_of(partitioning: Partitioning, settings: Settings) -> tuple[str, ...]:
    """Every partition that the settings name, in their order."""
    match partitioning:
        case Partitioning.WHOLE:
            return (UNPARTITIONED,)
        case Partitioning.SHARD:
            return settings.seeds.shards()
        case Partitioning.BASE_MODEL:
            return tuple(settings.base_models)
        case Partitioning.CHECKPOINT | Partitioning.SCORE:
            return tuple(
                name
                for base_model in settings.base_models
                for name in variants_of(partitioning, base_model, settings)
            )
        case _:
            return _of_experiment(partitioning, settings)


def _of_experiment(partitioning: Partitioning, settings: Settings) -> tuple[str, ...]:
    match partitioning:
        case Partitioning.RECORDED_SHARD:
            return tuple(programs_files(settings))
        case Partitioning.PAIR_SET:
            return tuple(each.value for each in PairSet if _has_pairs(settings, each))
        case Partitioning.SECOND_ROUND:
            return tuple(arm.name for arm in SECOND_ROUNDS)
        case Partitioning.FIRST_CELL:
            return _cells(settings, [arm for arm in _arms(settings) if not arm.after])
        case Partitioning.SECOND_CELL:
            return _cells(settings, SECOND_ROUNDS)
        case _:
            return (REFERENCE, *_cells(settings, _arms(settings)))


def _arms(settings: Settings) -> list[Arm]:
    return [arm for arm in ARMS if _has_pairs(settings, arm.pairs)]


def _has_pairs(settings: Settings, pairs: PairSet) -> bool:
    """Half of the pairs are those of every other shard, and one shard has no half."""
    return pairs is not PairSet.HALF or len(settings.seeds.shards()) > 1


def _cells(settings: Settings, arms: Sequence[Arm]) -> tuple[str, ...]:
    sizes = settings.experiment or ExperimentConfig()
    return cell_keys(arms, sizes.rates, sizes.seeds)


def variants_of(partitioning: Partitioning, base_model: str, settings: Settings) -> tuple[str, ...]:
    """The partitions of one base model, of an asset divided by variants too."""
    found = (ModelVariant(base_model, variant) for variant in settings.variants)
    scores = partitioning is Partitioning.SCORE
    return tuple(each.key for each in found if scores or not each.is_reference)


def upstream_partitions(
    parent: Partitioning, child: Partitioning, partition: str, settings: Settings
) -> tuple[str, ...]:
    """The partitions of a parent that one partition of its child is made of.

    Raises:
        ValueError: where nothing is known to join the two kinds.
    """
    match parent, child:
        case Partitioning.WHOLE, _:
            return (UNPARTITIONED,)
        case Partitioning.CHECKPOINT, Partitioning.SCORE:
            return () if ModelVariant.parse(partition).is_reference else (partition,)
        case Partitioning.BASE_MODEL, Partitioning.CHECKPOINT | Partitioning.SCORE:
            return (ModelVariant.parse(partition).base_model,)
        case Partitioning.CHECKPOINT | Partitioning.SCORE, Partitioning.BASE_MODEL:
            return variants_of(parent, partition, settings)
        case Partitioning.SHARD, (
            Partitioning.BASE_MODEL | Partitioning.PAIR_SET | Partitioning.SECOND_ROUND
        ):
            return settings.seeds.shards()
        case _ if parent is child or (parent, child) == _ALIKE:
            return (partition,)
        case _:
            raise ValueError(f"no {child} comes from a {parent}")
