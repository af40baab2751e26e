"""One training run from tables to a checkpoint folder: resumed where it was killed."""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.progress import track
from iterpref_assets.core.training import workdir
from iterpref_assets.core.training.arguments import training_arguments
from iterpref_assets.core.training.checks import require_room
from iterpref_assets.core.training.config import Optimizer, Sharding, TrainConfig
from iterpref_assets.core.training.curves import CurveWriter, Point
from iterpref_assets.core.training.dataset import (
    PackedPairs,
    mark_middles,
    token_pairs,
    widen_differences,
)
from iterpref_assets.core.training.failures import explain
from iterpref_assets.core.training.processes import rank
from iterpref_assets.core.training.recipes import Recipe, Tokens

if TYPE_CHECKING:
    from iterpref_assets.core.training.pair_trainer import PairTrainer

_FILES_OF_THE_BASE = (
    "config.json", "tokenizer*", "vocab*", "merges.txt", "special_tokens_map.json",
    "added_tokens.json", "chat_template*", "generation_config.json",
)  # fmt: skip

_log = logging.getLogger("iterpref")


@dataclass(frozen=True)
class TrainOutcome:
    """What a run reports: its figures at the end and the points of its curves."""

    figures: dict[str, float]
    curve: list[Point]


def train(
    tokenized: pl.DataFrame,
    reference: pl.DataFrame | None,
    model_dir: Path,
    recipe: Recipe,
    config: TrainConfig,
    out_dir: Path,
    work_dir: Path,
    on_metrics: Callable[[Point], None],
) -> TrainOutcome:
    """Train the model of `model_dir`; write it, its tokenizer and the curves to `out_dir`.

    Args:
        tokenized: tables.TOKENIZED_PAIRS, in the tokens of `model_dir`.
        reference: tables.REFERENCE_LOGPROBS of those pairs; None where the recipe needs none.
        model_dir: a causal language model and its tokenizer.
        recipe: what the loss reads; beta and alpha of `config` go before its own.
        config: how to train.
        out_dir: where the trained model goes; made where it is missing.
        work_dir: where checkpoints live. A killed run resumes from the last whole one, and on the
            CPU ends with the very weights of an undisturbed run.
        on_metrics: called with every point of the curves as it is made.

    Raises:
        InputError: before the model loads, where an input is malformed or there are no pairs.
        TrainingError: disk full, out of memory, loss not finite; checkpoints are kept.
    """
    recipe = recipe.with_strengths(config.beta, config.alpha)
    dataset = load_dataset(tokenized, reference, model_dir, recipe, config)
    checkpoint = workdir.last_checkpoint(work_dir)
    run = workdir.identity(tokenized, reference, model_dir, recipe, config)
    curve = CurveWriter(work_dir / workdir.METRICS, on_metrics)
    if rank() == 0:
        dataset.truncation.warn(recipe, config.max_length)
        workdir.claim(work_dir, run)
        workdir.remove_unfinished(work_dir)
        curve.start_after(workdir.curve_until(checkpoint))
    if checkpoint is not None:
        _log.info("resuming from %s", checkpoint.name)
    try:
        trainer = _build(dataset, model_dir, config, work_dir, curve)
        if config.tensorboard is not None and rank() == 0:
            digest = hashlib.sha256(run.encode()).hexdigest()
            trainer.write_events(config.tensorboard / f"{recipe.name}-{digest[:8]}")
        with track(f"train {recipe.name}", trainer.total_steps) as tracker:
            trainer.show_on(tracker)
            with _steps_compiled_on_a_gpu(config):
                trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        _save(trainer, model_dir, out_dir)
        if rank() == 0:
            shutil.copyfile(curve.file, out_dir / workdir.METRICS)
    except Exception as error:
        failure = explain(error)
        if failure is None:
            raise
        raise failure from error
    points = trainer.state.log_history
    figures = {"pairs": float(len(dataset.pairs)), "steps": float(trainer.state.global_step)}
    last = {name: value for name, value in points[-1].items() if name not in {"step", "epoch"}}
    return TrainOutcome(figures | dataset.truncation.figures() | last, points)


def load_dataset(
    tokenized: pl.DataFrame,
    reference: pl.DataFrame | None,
    model_dir: Path,
    recipe: Recipe,
    config: TrainConfig,
) -> PackedPairs:
    """The checked pairs as packed rows.

    Raises:
        InputError: where there are none, a table is malformed, the reference is missing, or a
            prompt leaves no room for a completion.
    """
    tables.validate(tokenized, tables.TOKENIZED_PAIRS)
    if tokenized.is_empty():
        raise InputError(
            "there are no pairs to train on",
            remedy="Sample more problems or loosen the filters, then build the pairs again",
        )
    if not recipe.needs_reference:
        reference = None
    elif reference is None:
        raise InputError(
            f"recipe {recipe.name!r} needs reference log-probabilities",
            field="reference",
            remedy="Compute them for these pairs, or choose sft",
        )
    else:
        tables.validate(reference, tables.REFERENCE_LOGPROBS)
    require_room(tokenized, config.max_length)
    pairs = token_pairs(tokenized, reference)
    if any(reading.rejected is Tokens.WIDENED for reading in recipe.readings):
        pairs = widen_differences(pairs, model_dir, config.seed)
    if any(reading.chosen is Tokens.FOCUSED for reading in recipe.readings):
        pairs = mark_middles(pairs)
    return PackedPairs(pairs, recipe, config.max_length)


def _build(
    dataset: PackedPairs,
    model_dir: Path,
    config: TrainConfig,
    work_dir: Path,
    curve: CurveWriter,
) -> PairTrainer:
    from transformers import set_seed

    from iterpref_assets.core.training.pair_trainer import PairTrainer
    from iterpref_assets.core.training.policy import (
        attention_for,
        compile_layers,
        load_policy,
        with_adapters,
    )

    set_seed(config.seed)
    args = training_arguments(config, work_dir)
    attention = attention_for(config.attention)
    model: Any = load_policy(model_dir, config, config.precision, attention)
    if config.lora is not None:
        model = with_adapters(model, config.lora)
    if config.compile_layers:
        compile_layers(model)
    trainer = PairTrainer(
        model,
        args,
        dataset,
        attention=attention,
        batch_size=config.batch_size,
        imitation_mean=config.imitation_mean,
        on_point=curve.add,
    )
    if config.sharding is Sharding.FSDP2 and not trainer.accelerator.is_fsdp2:
        raise InputError(
            "fsdp2 shards nothing on a CPU: accelerate would replicate the model instead",
            field="sharding",
            remedy="Set sharding to none, or train on GPUs",
        )
    return trainer


def _steps_compiled_on_a_gpu(config: TrainConfig) -> AbstractContextManager[Any]:
    """Where the 8-bit optimizer would compile its step for a CPU, leave it as it is.

    That takes a C++ compiler and a minute, more than it saves.
    """
    import torch

    if config.optimizer is Optimizer.ADAMW_8BIT and not torch.cuda.is_available():
        return torch.compiler.set_stance("force_eager")
    return nullcontext()


def _save(trainer: PairTrainer, model_dir: Path, out_dir: Path) -> None:
    """Write the whole model in the type of its base (mixed precision trains a float32 copy)."""
    import torch
    from transformers import AutoConfig

    state: dict[str, Any]
    model: Any = trainer.accelerator.unwrap_model(trainer.model)
    if hasattr(model, "merge_and_unload"):
        model = model.merge_and_unload()
        state = model.state_dict()
    else:
        state = cast(Any, trainer.accelerator.get_state_dict(trainer.model_wrapped))
    if rank() != 0:
        return
    # Tied weights are stored once: a second copy would be trained no further than the first.
    for name in getattr(model, "all_tied_weights_keys", {}):
        state.pop(name, None)
    dtype = AutoConfig.from_pretrained(model_dir).dtype
    if isinstance(dtype, torch.dtype):
        state = {name: weight.to(dtype) for name, weight in state.items()}
    out_dir.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(out_dir, state_dict=state)
    for pattern in _FILES_OF_THE_BASE:
        for file in sorted(model_dir.glob(pattern)):
            shutil.copyfile(file, out_dir / file.name)
