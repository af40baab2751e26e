"""One process of a training run: model, inputs, folder, config, step to die after or 0.

Started by torchrun.
"""

import os
import signal
import sys
from pathlib import Path

import polars as pl

from iterpref_assets.core.training.config import TrainConfig
from iterpref_assets.core.training.recipes import recipe_named
from iterpref_assets.core.training.trainer import train

if __name__ == "__main__":
    model_dir, inputs, folder = (Path(argument) for argument in sys.argv[1:4])
    last = int(sys.argv[5])

    def die(point: dict[str, float]) -> None:
        if point["step"] == last:
            os.kill(os.getpid(), signal.SIGKILL)

    train(
        pl.read_parquet(inputs / "pairs.parquet"),
        pl.read_parquet(inputs / "reference.parquet"),
        model_dir,
        recipe_named("focal_rpo"),
        TrainConfig.model_validate_json(sys.argv[4]),
        folder / "out",
        folder / "work",
        die,
    )
