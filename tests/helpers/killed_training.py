"""A training run that kills itself with SIGKILL: model, inputs, folder, when, config.

`when` is a step, after which it dies, or `checkpoint-STEP`, in the midst of writing which it does.
"""

import os
import signal
import sys
from pathlib import Path

import polars as pl
from torch.distributed.checkpoint import HuggingFaceStorageWriter
from training_examples import before_an_even_step

from iterpref_assets.core.training.checkpointed import CheckpointedTrainer
from iterpref_assets.core.training.config import TrainConfig
from iterpref_assets.core.training.recipes import recipe_named
from iterpref_assets.core.training.trainer import train

if __name__ == "__main__":
    model_dir, inputs, folder = (Path(argument) for argument in sys.argv[1:4])
    when = sys.argv[4]
    written = HuggingFaceStorageWriter.write_data

    def die(point: dict[str, float]) -> None:
        if str(point["step"]) == when:
            os.kill(os.getpid(), signal.SIGKILL)

    def die_while_saving(self, plan, planner):
        if when in Path(self.path).parts:
            (Path(self.path) / "half.safetensors").write_bytes(b"half")
            os.kill(os.getpid(), signal.SIGKILL)
        return written(self, plan, planner)

    HuggingFaceStorageWriter.write_data = die_while_saving
    CheckpointedTrainer.wants_checkpoint = before_an_even_step

    train(
        pl.read_parquet(inputs / "pairs.parquet"),
        pl.read_parquet(inputs / "reference.parquet"),
        model_dir=model_dir,
        recipe=recipe_named("focal_rpo"),
        config=TrainConfig.model_validate_json(sys.argv[5]),
        out_dir=folder / "out",
        work_dir=folder / "work",
        on_metrics=die,
    )
