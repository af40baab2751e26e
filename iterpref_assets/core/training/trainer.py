"""One training run from tables to a checkpoint folder: resumed where it was killed."""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.progress import track
from iterpref_assets.core.training import workdir
from iterpref_assets.core.training.arguments import training_arguments
from iterpref_assets.core.training.augment import with_windows
from iterpref_assets.core.training.checks import with_room
from iterpref_assets.core.training.config import Optimizer, Sharding, TrainConfig
from iterpref_assets.core.training.curves import CurveWriter, Point
from iterpref_assets.core.training.dataset import PackedPairs, token_pairs
from iterpref_assets.core.training.failures import explain
from iterpref_assets.core.training.heldout import best_step, split_pairs
from iterpref_assets.core.training.host_memory import is_tight, return_freed_memory
from iterpref_assets.core.training.processes import rank
from iterpref_assets.core.training.recipes import Recipe

if TYPE_CHECKING:
    from iterpref_assets.core.training.pair_trainer import PairTrainer

_FILES_OF_THE_BASE = (
    "config.json", "tokenizer*", "vocab*", "merges.txt", "special_tokens_map.json",
    "added_tokens.json", "chat_template*", "generation_config.json",
)  # fmt: skip

_log = logging.getLogger("iterpref")


@dataclass(frozen=True)
class TrainOutcome:
    """What a run reports: its figures at the end, the points of its curves, and its trackers.

    Attributes:
        figures: at the end.
        curve: the points.
        links: the address of the run at each tracker of `report_to`.
    """

    figures: dict[str, float]
    curve: list[Point]
    links: dict[str, str] = field(default_factory=dict[str, str])


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
        InputError: before the model loads, where an input is malformed, there are no pairs, or
            another process trains in `work_dir`.
        TrainingError: disk full, out of memory, loss not finite; checkpoints are kept.
    """
    recipe = recipe.with_strengths(config.beta, config.alpha)
    tables.validate(tokenized, tables.TOKENIZED_PAIRS)
    fitting = with_room(tokenized, config.max_length)
    trained_on, kept_out = split_pairs(fitting, config.heldout)
    dataset = load_dataset(trained_on, reference, model_dir, recipe, config)
    heldout = None
    if config.heldout is not None:
        heldout = load_dataset(kept_out, reference, model_dir, recipe, config)
    without_room = tokenized.height - fitting.height
    run = workdir.identity(tokenized, reference, model_dir, recipe, config)
    curve = CurveWriter(work_dir / workdir.METRICS, on_metrics)
    if rank() == 0:
        dataset.truncation.warn(recipe, config.max_length)
        _warn_of_long_prompts(without_room, tokenized.height, config.max_length)
    with workdir.claimed(work_dir, run) if rank() == 0 else nullcontext():
        checkpoint = _begin(work_dir, curve)
        try:
            trainer = _build(dataset, heldout, model_dir, config, work_dir, curve)
            name = f"{recipe.name}-{hashlib.sha256(run.encode()).hexdigest()[:8]}"
            links = trainer.report_as(name)
            if config.tensorboard is not None and rank() == 0:
                trainer.write_events(config.tensorboard / name)
            with track(f"train {recipe.name}", trainer.total_steps) as tracker:
                trainer.show_on(tracker)
                with _steps_compiled_on_a_gpu(config):
                    trainer.train(resume_from_checkpoint=checkpoint)
            links.finish()
            _save(trainer, model_dir, out_dir)
            points: list[Point] = trainer.state.log_history
            if rank() == 0:
                curve.start_after(points)
                shutil.copyfile(curve.file, out_dir / workdir.METRICS)
        except Exception as error:
            failure = explain(error)
            if failure is None:
                raise
            raise failure from error
    figures = {"pairs": float(len(dataset.pairs)), "steps": float(points[-1]["step"])}
    figures["pairs_without_room"] = float(without_room)
    figures |= dataset.truncation.figures() | _last_figures(points)
    if heldout is not None:
        figures["heldout_pairs"] = float(len(heldout.pairs))
    if config.heldout is not None and config.heldout.patience is not None:
        figures["best_step"] = float(best_step(points))
    return TrainOutcome(figures, points, links.links)


def _begin(work_dir: Path, curve: CurveWriter) -> str | None:
    """The folder of the checkpoint that a run resumes from; its curve begins with those points."""
    checkpoint = workdir.last_checkpoint(work_dir)
    if rank() == 0:
        workdir.remove_unfinished(work_dir)
        curve.start_after(workdir.curve_until(checkpoint))
    if checkpoint is None:
        return None
    _log.info("resuming from %s", checkpoint.name)
    return str(checkpoint)


def _warn_of_long_prompts(count: int, of_pairs: int, max_length: int) -> None:
    if count:
        _log.warning(
            "max_length %d leaves no room behind the prompts of %d of %d pairs: left out",
            *(max_length, count, of_pairs),
        )


def _last_figures(points: list[Point]) -> dict[str, float]:
    """The figures of the last point of training, and of the last measurement on held-out pairs."""
    last: dict[str, float] = {}
    for point in points:
        last |= point
    return {name: value for name, value in last.items() if name not in {"step", "epoch"}}


def load_dataset(
    tokenized: pl.DataFrame,
    reference: pl.DataFrame | None,
    model_dir: Path,
    recipe: Recipe,
    config: TrainConfig,
) -> PackedPairs:
    """The pairs of `tokenized`, which is a checked table, as packed rows.

    Raises:
        InputError: where there are none, or the reference is malformed or missing.
    """
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
    return packed_pairs(tokenized, reference, model_dir, recipe, config)


def packed_pairs(
    tokenized: pl.DataFrame,
    reference: pl.DataFrame | None,
    model_dir: Path,
    recipe: Recipe,
    config: TrainConfig,
) -> PackedPairs:
    """As load_dataset, from checked tables; without a reference, to be counted alone."""
    if tokenized.is_empty():
        raise InputError(
            "there are no pairs to train on",
            remedy="Sample more problems or loosen the filters, then build the pairs again",
        )
    pairs = token_pairs(tokenized, reference)
    pairs = with_windows(pairs, recipe, model_dir, config.seed)
    return PackedPairs(pairs, recipe, config.max_length)


def _build(
    dataset: PackedPairs,
    heldout: PackedPairs | None,
    model_dir: Path,
    config: TrainConfig,
    work_dir: Path,
    curve: CurveWriter,
) -> PairTrainer:
    from torch.cuda import is_available
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
    if not is_available() and is_tight(model):
        return_freed_memory()
    if config.compile_layers:
        compile_layers(model)
    trainer = PairTrainer(
        model,
        args,
        dataset,
        attention=attention,
        batch_size=config.batch_size,
        max_tokens=config.max_tokens,
        imitation_mean=config.imitation_mean,
        on_point=curve.add,
        heldout=heldout,
        patience=config.heldout.patience if config.heldout else None,
        save_minutes=config.save_minutes,
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

    That takes a C++ compiler, and of a small model more time than it saves.
    """
    import torch

    if config.optimizer is Optimizer.ADAMW_8BIT and not torch.cuda.is_available():
        return torch.compiler.set_stance("force_eager")
    return nullcontext()


def _save(trainer: PairTrainer, model_dir: Path, out_dir: Path) -> None:
    """Write the whole model in the type of its base (mixed precision trains a float32 copy)."""
    import torch
    from transformers import AutoConfig, GenerationConfig

    from iterpref_assets.core.training.policy import hold_whole

    state: dict[str, Any]
    model: Any = trainer.accelerator.unwrap_model(trainer.model)
    if hasattr(model, "merge_and_unload"):
        hold_whole(model)
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
    if (model_dir / "generation_config.json").is_file():
        # The library reads such files of many models and refuses to write them. It is copied below.
        model.generation_config = GenerationConfig()
    model.save_pretrained(out_dir, state_dict=state)
    for pattern in _FILES_OF_THE_BASE:
        for file in sorted(model_dir.glob(pattern)):
            shutil.copyfile(file, out_dir / file.name)
