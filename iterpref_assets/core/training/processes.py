"""Which of the processes that torchrun started this one is; the only one without it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iterpref_assets.core.training.config import TrainConfig


def rank() -> int:
    """This process's place among all, over every host."""
    return int(os.environ.get("RANK", "0"))


def world_size() -> int:
    """How many there are, over every host."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def processes_of(config: TrainConfig) -> int:
    """How many processes a run by `config` has: those of torchrun, else as many as it asks for."""
    return world_size() if world_size() > 1 else config.processes


def wait_for_all() -> None:
    """Return once every process is here; each has its own GPU from then on."""
    if world_size() == 1:
        return
    import torch
    from accelerate import PartialState

    cpu = not torch.cuda.is_available()
    PartialState(cpu=cpu, backend="gloo" if cpu else "nccl").wait_for_everyone()
