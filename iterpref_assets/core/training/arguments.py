"""TrainConfig in the words of transformers.Trainer."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.training import workdir
from iterpref_assets.core.training.config import Precision, Sharding, TrainConfig
from iterpref_assets.core.training.processes import world_size

if TYPE_CHECKING:
    from transformers import TrainingArguments


def training_arguments(config: TrainConfig, work_dir: Path) -> TrainingArguments:
    """`config` for a run in `work_dir`; the batch is split over processes and micro-batches.

    Raises:
        InputError: where the batch cannot be split evenly over the processes, or weights are to be
            sharded over a single one or by a library that is not installed.
    """
    import torch
    from transformers import TrainingArguments

    processes = world_size()
    if config.batch_size % (config.micro_batch_size * processes):
        raise InputError(
            f"{config.batch_size} pairs cannot be split over {processes} processes in "
            f"micro-batches of {config.micro_batch_size}",
            field="batch_size",
            remedy="Make it a multiple of processes times micro_batch_size",
        )
    if processes == 1 and config.sharding is not Sharding.NONE:
        raise InputError(
            f"{config.sharding.value} shards over several processes, and this is one",
            field="sharding",
            remedy="Start them with torchrun, or set sharding to none",
        )
    if config.sharding is Sharding.ZERO3 and find_spec("deepspeed") is None:
        raise InputError(
            "zero3 needs DeepSpeed, which is not installed",
            field="sharding",
            remedy="pip install deepspeed, or set sharding to fsdp2",
        )
    return TrainingArguments(
        output_dir=str(workdir.checkpoints(work_dir)),
        per_device_train_batch_size=config.micro_batch_size,
        gradient_accumulation_steps=config.batch_size // (config.micro_batch_size * processes),
        num_train_epochs=config.epochs,
        learning_rate=config.learning_rate,
        lr_scheduler_type=config.schedule.value,
        warmup_steps=config.warmup_ratio,
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        optim="adamw_torch_fused",
        bf16=config.precision is Precision.MIXED_BFLOAT16,
        gradient_checkpointing=config.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False},
        logging_steps=config.logging_steps,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=config.save_steps,
        seed=config.seed,
        disable_tqdm=True,
        report_to=list(config.report_to) or "none",
        remove_unused_columns=False,
        use_cpu=not torch.cuda.is_available(),
        ddp_backend="gloo" if processes > 1 and not torch.cuda.is_available() else None,
        dataloader_pin_memory=torch.cuda.is_available(),
        ddp_find_unused_parameters=False,
        **_sharding(config.sharding),
    )


def _sharding(sharding: Sharding) -> dict[str, Any]:
    match sharding:
        case Sharding.NONE:
            return {}
        case Sharding.FSDP2:
            return {
                "fsdp": True,
                "fsdp_config": {"version": 2, "state_dict_type": "FULL_STATE_DICT"},
            }
        case Sharding.ZERO3:
            return {"deepspeed": _ZERO3}


_ZERO3: dict[str, Any] = {
    "zero_optimization": {
        "stage": 3,
        "overlap_comm": True,
        "contiguous_gradients": True,
        "stage3_gather_16bit_weights_on_model_save": True,
    },
    "bf16": {"enabled": "auto"},
    "gradient_accumulation_steps": "auto",
    "gradient_clipping": "auto",
    "train_batch_size": "auto",
    "train_micro_batch_size_per_gpu": "auto",
}
"""What DeepSpeed is told; `auto` is filled in from the training arguments."""
