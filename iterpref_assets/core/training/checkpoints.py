"""Checkpoints of a run: each process writes its part, and any number of processes reads them again.

In torch.distributed.checkpoint's format of safetensors: nothing is pickled. Weights that are not
trained are those of the base model, and are left out.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.hf_storage import (
    HuggingFaceStorageReader,
    HuggingFaceStorageWriter,
)
from torch.distributed.checkpoint.planner import SavePlan
from torch.distributed.checkpoint.state_dict import get_optimizer_state_dict
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import async_save, save
from torch.distributed.tensor import DTensor

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.training.processes import rank, world_size

# One process is what it says, and no cause to warn.
warnings.filterwarnings("ignore", message="torch.distributed is disabled", category=UserWarning)

SHARDS = "shards"
FILE_BYTES = 1 << 30
"""A file's tensors are put together in memory before they are written."""
_OF_ONE_PROCESS = re.compile(r"@\d+of\d+$")
"""Ends the name of a tensor that is one process's own, see `_plain`."""


class CheckpointWriter:
    """Writes a run's checkpoints, one at a time.

    In the background a checkpoint is first copied to the host's memory, and written while training
    goes on.
    """

    def __init__(self, *, in_background: bool) -> None:
        self.in_background = in_background
        self._group: Any = None
        self._pending: Future[Any] | None = None

    def write(
        self,
        folder: Path,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        when_whole: Callable[[], None],
    ) -> None:
        """Write what is trained and the optimizer's states to `folder`; all processes call it.

        Args:
            folder: the checkpoint's.
            model: the one that is trained.
            optimizer: its optimizer.
            when_whole: called on the first process, once all have written their part.

        Raises:
            Exception: whatever kept a process from writing, this checkpoint or the one before.
        """
        self.wait()
        state = {**trained(model), **states(model, optimizer)}
        writer = _Writer(folder / SHARDS, when_whole)
        alone = not dist.is_initialized()
        if self.in_background:
            if self._group is None and not alone:
                # Training's own messages between GPUs must not wait for those about files.
                self._group = dist.new_group(backend="gloo")
            started: Any = async_save(
                state, storage_writer=writer, process_group=self._group, no_dist=alone
            )
            self._pending = started
        else:
            with _causes():
                save(state, storage_writer=writer, no_dist=alone)

    def wait(self) -> None:
        """Return once no checkpoint is being written; raises as `write`."""
        pending, self._pending = self._pending, None
        if pending is not None:
            with _causes():
                pending.result()


def read(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer | None = None) -> None:
    """Take what is trained, and the optimizer's states, from the checkpoint of `folder`.

    All processes call it; it may have been written by another number of them.

    Raises:
        InputError: where it lacks a tensor, such as 8-bit moments of sharded weights that another
            number of processes wrote.
    """
    state = trained(model)
    if optimizer is not None:
        state |= states(model, optimizer)
    reader = HuggingFaceStorageReader(str(folder / SHARDS))
    try:
        with _causes():
            load(state, storage_reader=reader, no_dist=not dist.is_initialized())
    except RuntimeError as error:
        missing = re.search(r"Missing key in checkpoint state_dict: (.+)\.$", str(error))
        if missing is None:
            raise
        raise InputError(
            f"the checkpoint lacks {missing[1]}",
            file=folder,
            remedy=_remedy(missing[1], reader.read_metadata().state_dict_metadata),
        ) from error


def _remedy(missing: str, there: Iterable[str]) -> str:
    """What to do where a checkpoint has the tensors `there`."""
    if _OF_ONE_PROCESS.sub("", missing) in {_OF_ONE_PROCESS.sub("", name) for name in there}:
        return (
            "Resume with as many processes as wrote it: each cuts the 8-bit moments of its part of "
            "the weights in its own way"
        )
    return (
        "A file of it is gone, or other versions of the libraries wrote it. Remove it, and "
        "training starts over"
    )


def save_generators(folder: Path) -> None:
    """Write where this process's random numbers stand."""
    numbers = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        numbers["cuda"] = torch.cuda.get_rng_state()
    save_file(numbers, _generators(folder))


def load_generators(folder: Path) -> None:
    """Go on with this process's random numbers; one that there was not goes on with its own."""
    file = _generators(folder)
    if not file.is_file():
        return
    numbers = load_file(file)
    torch.set_rng_state(numbers["cpu"])
    if "cuda" in numbers and torch.cuda.is_available():
        torch.cuda.set_rng_state(numbers["cuda"])


def _generators(folder: Path) -> Path:
    return folder / f"generators-{rank()}.safetensors"


def trained(model: nn.Module) -> dict[str, Tensor]:
    """The weights that are trained, by name: the model's own tensors."""
    return {
        f"model.{name}": weight.detach()
        for name, weight in model.named_parameters()
        if weight.requires_grad
    }


def states(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimizer's states, by the names of the weights: its own tensors, made where missing."""
    found: dict[str, Any] = get_optimizer_state_dict(model, optimizer)
    of_weights: Mapping[str, Mapping[str, Any]] = found["state"]
    return {
        name: tensor
        for weight, kept in of_weights.items()
        for key, value in kept.items()
        for name, tensor in _plain(f"optimizer.{weight}.{key}", value)
    }


def _plain(name: str, value: Any) -> Generator[tuple[str, Tensor]]:
    """The tensors that a state consists of: a moment of 8 bits has codes and scales.

    Of a sharded one they are this process's own, since torchao cuts its blocks out of the shard.
    """
    whole = not isinstance(value, DTensor)
    local: Any = value if whole else value.to_local()
    if hasattr(local, "__tensor_flatten__"):
        place = "" if whole else f"@{rank()}of{world_size()}"
        parts, _ = local.__tensor_flatten__()
        for part in parts:
            yield f"{name}.{part}{place}", getattr(local, part)
    elif isinstance(value, Tensor):
        # The format has no tensor without a dimension.
        yield name, value.reshape(1) if value.dim() == 0 else value


class _Writer(HuggingFaceStorageWriter):
    """Writes files of about FILE_BYTES, and tells when all processes have written theirs."""

    def __init__(self, folder: Path, when_whole: Callable[[], None]) -> None:
        super().__init__(str(folder), save_distributed=True)
        self._when_whole = when_whole

    def prepare_global_plan(self, plans: list[SavePlan]) -> list[SavePlan]:
        """The first process tells each one which file every tensor of its part goes to."""
        return [
            replace(
                plan, storage_data={"shard_index": part, "fqn_to_index_mapping": _files_of(plan)}
            )
            for part, plan in enumerate(plans, 1)
        ]

    def finish(self, metadata: Any, results: Any) -> None:
        """The first process calls it behind the last write of all."""
        super().finish(metadata, results)
        self._when_whole()


def _files_of(plan: SavePlan) -> dict[str, int]:
    """The number of the file, from 1, that each tensor of a part goes to."""
    files: dict[str, int] = {}
    number, room = 1, FILE_BYTES
    for item in plan.items:
        data: Any = item.tensor_data
        size = data.chunk.sizes.numel() * data.properties.dtype.itemsize
        if size > room and room < FILE_BYTES:
            number, room = number + 1, FILE_BYTES
        files[item.index.fqn] = number
        room -= size
    return files


@contextmanager
def _causes() -> Generator[None]:
    """Raise what kept a process from writing instead of the list of all that failed."""
    try:
        yield
    except CheckpointException as error:
        cause, _ = next(iter(error.failures.values()))
        raise cause from error
