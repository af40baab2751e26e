"""One of the processes of a training run, which torch knows by what the environment says."""

import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path

import polars as pl
from accelerate.state import AcceleratorState, DistributedType, PartialState
from torch.distributed.tensor import DTensor

from iterpref_assets.core.training import checkpointed
from iterpref_assets.core.training.checkpoints import CheckpointWriter
from iterpref_assets.core.training.config import Sharding, TrainConfig
from iterpref_assets.core.training.pair_trainer import PairTrainer
from iterpref_assets.core.training.recipes import recipe_named
from iterpref_assets.core.training.trainer import train


def shard_on_a_cpu() -> None:
    """Let accelerate shard over gloo: it knows a list of devices, on which a CPU is not."""
    plain = AcceleratorState.__init__

    def widened(self, *args, **kwargs) -> None:
        if not AcceleratorState._shared_state:
            PartialState(cpu=True, backend="gloo")
            PartialState._shared_state["distributed_type"] = DistributedType.MULTI_GPU
        plain(self, *args, **kwargs)

    AcceleratorState.__init__ = widened


def write_in_the_background() -> None:
    """As on GPUs, which sharded weights are for."""

    def writer(*, in_background: bool) -> CheckpointWriter:
        assert not in_background
        return CheckpointWriter(in_background=True)

    checkpointed.CheckpointWriter = writer


def tell_what_ran(file: Path) -> None:
    """Write to `file` what shards the parameters, how many of them, and the steps before."""
    plain = PairTrainer.compute_loss
    steps: list[int] = []

    def told(self, model, *args, **kwargs):
        steps.append(self.state.global_step)
        parameters = list(model.parameters())
        found = {
            "is_fsdp2": self.accelerator.is_fsdp2,
            "dtensors": sum(isinstance(p, DTensor) for p in parameters),
            "zero_stage": getattr(model, "zero_optimization_stage", int)(),
            "partitioned": sum(
                p.ds_tensor.numel() < p.ds_numel for p in parameters if hasattr(p, "ds_tensor")
            ),
            "parameters": len(parameters),
            "steps_before": steps[0],
        }
        if self.is_world_process_zero():
            file.write_text(json.dumps(found))
        return plain(self, model, *args, **kwargs)

    PairTrainer.compute_loss = told


def be_one(
    variables: Mapping[str, str],
    model_dir: Path,
    inputs: Path,
    folder: Path,
    config: TrainConfig,
    last: int,
) -> None:
    """Train with the others, and die after the step `last`, unless that is 0."""
    os.environ.update(variables)
    if config.sharding is Sharding.FSDP2:
        shard_on_a_cpu()
        write_in_the_background()
    folder.mkdir(parents=True, exist_ok=True)
    tell_what_ran(folder / "ran.json")

    def die(point: dict[str, float]) -> None:
        if point["step"] == last:
            os.kill(os.getpid(), signal.SIGKILL)

    train(
        pl.read_parquet(inputs / "pairs.parquet"),
        pl.read_parquet(inputs / "reference.parquet"),
        model_dir,
        recipe_named("focal_rpo"),
        config,
        folder / "out",
        folder / "work",
        die,
    )
