"""Options that contradict each other, the pairs or this machine, found before a model loads."""

from __future__ import annotations

from importlib.util import find_spec

import polars as pl

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.training.config import Attention, Sharding, TrainConfig
from iterpref_assets.core.training.processes import world_size

MOST_WITHOUT_ROOM = 0.1
"""Share of pairs that may be left out because their prompt fills all of max_length."""


def require_runnable(config: TrainConfig, processes: int) -> None:
    """Refuse what `processes` processes of this machine could not train by.

    Raises:
        InputError: where there are fewer GPUs than processes, the batch cannot be split evenly over
            the processes, weights are to be sharded over a single one or by a library that is not
            installed, attention needs a GPU that is not there, or a tracker is unknown or not
            installed.
    """
    require_gpus(config)
    _require_even_batches(config, processes)
    _require_sharding(config.sharding, processes)
    if config.in_four_bits and processes > 1:
        raise InputError(
            "weights in 4 bits cannot be shared by several processes",
            field="lora.nf4",
            remedy="Train by one process, or leave nf4 out",
        )
    _require_attention(config.attention)
    _require_trackers(config.report_to)


def require_gpus(config: TrainConfig) -> None:
    """Refuse more processes than this host has GPUs, where it has some and starts them itself.

    Raises:
        InputError: with both numbers.
    """
    if config.processes == 1 or world_size() > 1:
        return
    import torch

    if torch.cuda.is_available() and torch.cuda.device_count() < config.processes:
        raise InputError(
            f"{config.processes} processes need a GPU each, and {torch.cuda.device_count()} are "
            "seen here",
            field="processes",
            remedy="Lower it, make more visible (CUDA_VISIBLE_DEVICES), or plan for a named card "
            "(--plan --card)",
        )


def with_room(tokenized: pl.DataFrame, max_length: int) -> pl.DataFrame:
    """`tokenized` (tables.TOKENIZED_PAIRS) without pairs whose prompt fills all of `max_length`.

    Nothing of their completions would be trained on. A few long statements are no reason to train
    on no pair at all.

    Raises:
        InputError: where more than MOST_WITHOUT_ROOM are such pairs, with the one that has the
            longest prompt.
    """
    lengths = tokenized["prompt_ids"].list.len()
    long = lengths >= max_length
    if long.sum() > MOST_WITHOUT_ROOM * tokenized.height:
        row = int(lengths.arg_max() or 0)
        raise InputError(
            f"the prompts of {long.sum()} of {tokenized.height} pairs leave no room for their "
            f"completions, that of pair {tokenized['pair_id'][row]} with {lengths[row]} tokens",
            field="max_length",
            remedy=f"Raise max_length above it (now {max_length}), or drop these pairs",
        )
    return tokenized.filter(~long)


def _require_even_batches(config: TrainConfig, processes: int) -> None:
    if config.max_tokens is not None:
        if config.sharding is Sharding.ZERO3:
            raise InputError(
                "DeepSpeed steps after every micro-batch, where their number is not fixed",
                field="max_tokens",
                remedy="Set micro_batch_size instead, or set sharding to fsdp2",
            )
        return
    if config.batch_size % (config.micro_batch_size * processes):
        raise InputError(
            f"{config.batch_size} pairs cannot be split over {processes} processes in "
            f"micro-batches of {config.micro_batch_size}",
            field="batch_size",
            remedy="Make it a multiple of processes times micro_batch_size",
        )


def _require_sharding(sharding: Sharding, processes: int) -> None:
    if processes == 1 and sharding is not Sharding.NONE:
        raise InputError(
            f"{sharding.value} shards over several processes, and this is one",
            field="sharding",
            remedy="Set processes, start them with torchrun, or set sharding to none",
        )
    if sharding is Sharding.ZERO3 and find_spec("deepspeed") is None:
        raise InputError(
            "zero3 needs DeepSpeed, which is not installed",
            field="sharding",
            remedy="pip install deepspeed, or set sharding to fsdp2",
        )


def _require_attention(attention: Attention | None) -> None:
    if attention is not Attention.BLOCKS:
        return
    import torch

    if not torch.cuda.is_available():
        raise InputError(
            "flex_attention needs a GPU: it has no backward pass on a CPU",
            field="attention",
            remedy="Set attention to sdpa, or leave it unset",
        )


def _require_trackers(names: tuple[str, ...]) -> None:
    if not names:
        return
    from transformers.integrations.integration_utils import get_reporting_integration_callbacks

    try:
        # transformers itself makes them only once the model is in memory.
        for callback in get_reporting_integration_callbacks(list(names)):
            callback()
    except (ValueError, RuntimeError, ImportError) as error:
        raise InputError(
            str(error), field="report_to", remedy="Install it, or leave it out"
        ) from None
