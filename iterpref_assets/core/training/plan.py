"""What a training run needs before it starts: memory, disk, steps, tokens, and time on named cards.

Only the model's config.json and the pairs are read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.training.cards import Card
from iterpref_assets.core.training.checks import with_room
from iterpref_assets.core.training.config import (
    Lora,
    Optimizer,
    Precision,
    Sharding,
    TrainConfig,
)
from iterpref_assets.core.training.dataset import PackedPairs
from iterpref_assets.core.training.footprint import Footprint, footprint
from iterpref_assets.core.training.heldout import split_pairs
from iterpref_assets.core.training.processes import processes_of
from iterpref_assets.core.training.recipes import Recipe, recipe_named
from iterpref_assets.core.training.trainer import packed_pairs
from iterpref_assets.core.training.work import Work, work_of

TRUSTED = 0.15
"""How far a plan may be from what a run holds (docs/MEASURED.md): only what is beyond the memory
by more than this is refused."""
GB = 1e9


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be trained, on what: everything of a plan but the settings."""

    model_dir: Path
    recipe: Recipe
    pairs: PackedPairs
    card: Card


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What one run needs; bytes are those of one process, for a card each."""

    subject: Subject
    config: TrainConfig
    work: Work
    held: Footprint

    @property
    def processes(self) -> int:
        """How many share every batch."""
        return processes_of(self.config)

    @property
    def _parts(self) -> int:
        return 1 if self.config.sharding is Sharding.NONE else self.processes

    @property
    def weights(self) -> int:
        """Bytes of weights, and of the copies that are gathered where they are sharded."""
        held = self.held
        if self.config.sharding is Sharding.NONE:
            return held.weights
        half = self.config.precision is Precision.MIXED_BFLOAT16
        gathered = held.outside + 2 * held.layer
        return held.weights // self._parts + (gathered // 2 if half else gathered)

    @property
    def gradients(self) -> int:
        """Bytes of gradients; replicated processes hold them twice, to reduce them in buckets."""
        replicated = self.processes > 1 and self.config.sharding is Sharding.NONE
        return self.held.gradients * (2 if replicated else 1) // self._parts

    @property
    def optimizer(self) -> int:
        """Bytes of the optimizer's states."""
        return self.held.optimizer // self._parts

    @property
    def logits(self) -> int:
        """Bytes of one chunk of logits in float32."""
        rows = min(self.config.vocabulary_chunk, self.work.largest.read)
        return min(4 * rows * self.held.vocabulary, self.held.passing)

    @property
    def activations(self) -> int:
        """Most bytes of all else while rows pass forward and back."""
        return self.held.passing - self.logits

    @property
    def peak(self) -> int:
        """Most bytes held at once."""
        instant = max(self.held.passing, self.stepping)
        return self.weights + self.gradients + self.optimizer + instant

    @property
    def stepping(self) -> int:
        """Most bytes that the optimizer adds for an instant."""
        return self.held.stepping // self._parts

    @property
    def fits(self) -> bool:
        """Whether the peak is within the card's memory."""
        return self.peak <= self.subject.card.memory

    @property
    def cannot_fit(self) -> bool:
        """Whether it is beyond the memory by more than a plan may err."""
        return self.peak > self.subject.card.memory * (1 + TRUSTED)

    @property
    def checkpoints(self) -> int:
        """Bytes of disk at most: a whole checkpoint and the next one while it is written.

        With patience the best one is kept too. A checkpoint holds what is trained, which has as
        many bytes as its gradients, and the optimizer's states.
        """
        heldout = self.config.heldout
        count = 2 if heldout is None or heldout.patience is None else 3
        return count * (self.held.gradients + self.held.optimizer)

    @property
    def copied(self) -> int:
        """Bytes of the host's memory that a process fills while it writes a checkpoint."""
        if not self.subject.card.gpu:
            return 0
        return (self.held.gradients + self.held.optimizer) // self._parts

    @property
    def model(self) -> int:
        """Bytes of the trained model, in the type of its base."""
        return self.held.published

    @property
    def operations(self) -> float:
        """Of the whole run: 2 a weight and token forward, 4 back (2 where weights are frozen)."""
        held, each = self.held, 4 if self.config.lora is not None else 6
        return each * (held.in_layers * self.work.tokens + self._projection * self.work.read)

    @property
    def reference_operations(self) -> float:
        """Of the reference log-probabilities, computed once."""
        if not self.subject.recipe.needs_reference:
            return 0.0
        work = self.work
        return 2 * (
            self.held.in_layers * work.reference_tokens + self._projection * work.reference_read
        )

    @property
    def _projection(self) -> int:
        return self.held.hidden * self.held.vocabulary

    def require_fit(self) -> None:
        """Refuse what cannot fit.

        Raises:
            InputError: with the settings that would.
        """
        if not self.cannot_fit:
            return
        found = [f"{words} ({other.peak / GB:.1f} GB)" for words, other in fitting(self)]
        remedy = (
            f"Would fit: {'; '.join(found)}"
            if found
            else "No other setting would fit: lower max_length, or take cards with more memory"
        )
        card = self.subject.card
        raise InputError(
            f"training would hold {self.peak / GB:.1f} GB a process, "
            f"and {card.name} has {card.memory / GB:.1f} GB",
            field="training",
            remedy=remedy,
        )


def plan(
    tokenized: pl.DataFrame,
    model_dir: Path,
    recipe: Recipe,
    config: TrainConfig,
    card: Card,
) -> TrainingPlan:
    """The plan of a run.

    Args:
        tokenized: tables.TOKENIZED_PAIRS, in the tokens of `model_dir`.
        model_dir: a folder with config.json; weights are not read.
        recipe: what the loss reads.
        config: how to train.
        card: what each process trains on.

    Raises:
        InputError: where the pairs are malformed, or there is no model.
    """
    trained, _ = split_pairs(with_room(tokenized, config.max_length), config.heldout)
    pairs = packed_pairs(trained, None, model_dir, recipe, config)
    return _plan(Subject(model_dir, recipe, pairs, card), config)


def least_plan(model_dir: Path, config: TrainConfig, card: Card) -> TrainingPlan:
    """The plan of training on the shortest pairs there can be: what no run by `config` is below.

    Raises:
        InputError: where there is no model in `model_dir`.
    """
    token, mark = [[0]] * config.batch_size, [[False]] * config.batch_size
    shortest = pl.DataFrame(
        {
            "pair_id": list(map(str, range(config.batch_size))),
            **dict.fromkeys(("prompt_ids", "chosen_ids", "rejected_ids"), token),
            **dict.fromkeys(("chosen_mask", "rejected_mask"), mark),
        },
        schema=tables.TOKENIZED_PAIRS,
    )
    pairs = packed_pairs(shortest, None, model_dir, recipe_named("sft"), config)
    return _plan(Subject(model_dir, recipe_named("sft"), pairs, card), config)


def _plan(subject: Subject, config: TrainConfig) -> TrainingPlan:
    work = work_of(subject.pairs, config, subject.card.attention(config))
    held = footprint(subject.model_dir, config, work.largest, work.passes, subject.card)
    return TrainingPlan(subject, config, work, held)


def fitting(given: TrainingPlan) -> Iterator[tuple[str, TrainingPlan]]:
    """Settings that would fit, those that change the trained weights least first."""
    spare: dict[str, Any] = {"gradient_checkpointing": True}
    small = spare | {"micro_batch_size": 1, "max_tokens": None}
    eight = small | {"precision": Precision.BFLOAT16, "optimizer": Optimizer.ADAMW_8BIT}
    changes = [spare, small, eight]
    if given.config.lora is None:
        shards = {"sharding": Sharding.FSDP2}
        changes += [small | shards | {"processes": count} for count in _more_processes(given)]
        alone = {"sharding": Sharding.NONE, "lora": Lora()}
        changes += [small | alone, eight | alone]
    for change in changes:
        new = {
            name: value for name, value in change.items() if getattr(given.config, name) != value
        }
        if new and (other := _plan(given.subject, given.config.model_copy(update=new))).fits:
            yield ", ".join(_told(name, value) for name, value in new.items()), other


def _more_processes(given: TrainingPlan) -> list[int]:
    """Numbers of processes that a batch can be shared by, each with a GPU; none without a GPU."""
    fewest, batch, card = processes_of(given.config), given.config.batch_size, given.subject.card
    counts = (2, 4, 8) if card.gpu else ()
    most = max(counts, default=0) if card.count is None else card.count
    return [count for count in counts if fewest < count <= most and not batch % count]


def _told(name: str, value: Any) -> str:
    """A setting as TOML has it, which knows no null."""
    if value is None:
        return f"leave {name} out"
    written = f"{{ rank = {value.rank} }}" if isinstance(value, Lora) else json.dumps(value)
    return f"{name} = {written}"
