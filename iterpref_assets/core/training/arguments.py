"""TrainConfig in the words of transformers.Trainer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from iterpref_assets.core.training import workdir
from iterpref_assets.core.training.checks import require_runnable
from iterpref_assets.core.training.config import Optimizer, Precision, Sharding, TrainConfig
from iterpref_assets.core.training.heldout import LOSS
from iterpref_assets.core.training.processes import world_size

if TYPE_CHECKING:
    from transformers import TrainingArguments


_OPTIMIZERS: dict[Optimizer, dict[str, Any]] = {
    Optimizer.ADAMW: {"optim": "adamw_torch_fused"},
    Optimizer.ADAMW_8BIT: {
        "optim": "adamw_torch_8bit",
        "optim_args": "bf16_stochastic_round=True",
    },
}


def training_arguments(config: TrainConfig, work_dir: Path) -> TrainingArguments:
    """`config` for a run in `work_dir`; the batch is split over processes and micro-batches.

    Raises:
        InputError: as require_runnable.
    """
    import torch
    from transformers import TrainingArguments

    processes = world_size()
    require_runnable(config, processes)
    # By tokens, what the data loader hands out is all that a process does of a step.
    whole = config.max_tokens is not None
    passes = 1 if whole else config.batch_size // (config.micro_batch_size * processes)
    arguments = TrainingArguments(
        output_dir=str(workdir.checkpoints(work_dir)),
        per_device_train_batch_size=config.micro_batch_size,
        gradient_accumulation_steps=passes,
        num_train_epochs=config.epochs,
        learning_rate=config.learning_rate,
        lr_scheduler_type=config.schedule.value,
        warmup_steps=config.warmup_ratio,
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        **_OPTIMIZERS[config.optimizer],
        # DeepSpeed is told of it in its own words.
        bf16=config.precision is Precision.MIXED_BFLOAT16 and config.sharding is not Sharding.ZERO3,
        gradient_checkpointing=config.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False},
        logging_steps=config.logging_steps,
        logging_nan_inf_filter=False,
        **_measuring(config),
        seed=config.seed,
        disable_tqdm=True,
        report_to=list(config.report_to) or "none",
        remove_unused_columns=False,
        use_cpu=not torch.cuda.is_available(),
        ddp_backend="gloo" if processes > 1 and not torch.cuda.is_available() else None,
        dataloader_pin_memory=torch.cuda.is_available(),
        ddp_find_unused_parameters=False,
        **_sharding(config.sharding, config.precision),
    )
    if config.sharding is Sharding.ZERO3 and not torch.cuda.is_available():
        # accelerate has joined the processes without it, and DeepSpeed would count one.
        import deepspeed  # pyright: ignore[reportMissingImports] - no package here needs it

        deepspeed.init_distributed(dist_backend="gloo")
    if config.sharding is Sharding.FSDP2 and config.precision is Precision.MIXED_BFLOAT16:
        from torch.distributed.fsdp import MixedPrecisionPolicy

        # accelerate's own policy also reduces gradients in bfloat16, and rounds log-probabilities
        # to it.
        plugin = cast("dict[str, Any]", arguments.fsdp_plugin_args)
        plugin["mixed_precision_policy"] = MixedPrecisionPolicy(
            param_dtype=torch.bfloat16, reduce_dtype=torch.float32
        )
    return arguments


def _measuring(config: TrainConfig) -> dict[str, Any]:
    """When the model is measured on held-out pairs, and checkpoints that are written then."""
    heldout = config.heldout
    if heldout is None:
        return {"save_strategy": "no"}
    measuring = {
        "eval_strategy": "steps",
        "eval_steps": heldout.every,
        "per_device_eval_batch_size": config.micro_batch_size,
    }
    if heldout.patience is None:
        return {"save_strategy": "no", **measuring}
    # Whichever measurement turns out to be the lowest, its weights must be there.
    return {
        "save_strategy": "steps",
        "save_steps": heldout.every,
        **measuring,
        "load_best_model_at_end": True,
        "metric_for_best_model": LOSS,
        "greater_is_better": False,
    }


def _sharding(sharding: Sharding, precision: Precision) -> dict[str, Any]:
    match sharding:
        case Sharding.NONE:
            return {}
        case Sharding.FSDP2:
            return {
                "fsdp": True,
                "fsdp_config": {"version": 2, "state_dict_type": "FULL_STATE_DICT"},
                # Without it, gradients would stay whole on each process until the last micro-batch.
                "accelerator_config": {"gradient_accumulation_kwargs": {"sync_each_batch": True}},
            }
        case Sharding.ZERO3:
            mixed = {"enabled": precision is Precision.MIXED_BFLOAT16, **_AUTOCAST}
            return {"deepspeed": {**_ZERO3, "torch_autocast": mixed}}


_ZERO3: dict[str, Any] = {
    "zero_optimization": {
        "stage": 3,
        "overlap_comm": True,
        "contiguous_gradients": True,
        "stage3_gather_16bit_weights_on_model_save": True,
    },
    "gradient_accumulation_steps": "auto",
    "gradient_clipping": "auto",
    "train_batch_size": "auto",
    "train_micro_batch_size_per_gpu": "auto",
}
"""What DeepSpeed is told; `auto` is filled in from the training arguments."""

_AUTOCAST: dict[str, Any] = {"dtype": "bfloat16", "lower_precision_safe_modules": []}
"""Mixed precision as without DeepSpeed: weights and gradients cross in float32, of which no module
is excepted."""
