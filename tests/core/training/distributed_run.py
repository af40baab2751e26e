"""One process of a training run: model, inputs, folder, config. Started by torchrun."""

import sys
from pathlib import Path

import polars as pl

from iterpref_assets.core.training.config import TrainConfig
from iterpref_assets.core.training.recipes import recipe_named
from iterpref_assets.core.training.trainer import train

if __name__ == "__main__":
    model_dir, inputs, folder = (Path(argument) for argument in sys.argv[1:4])
    train(
        pl.read_parquet(inputs / "pairs.parquet"),
        pl.read_parquet(inputs / "reference.parquet"),
        model_dir,
        recipe_named("focal_rpo"),
        TrainConfig.model_validate_json(sys.argv[4]),
        folder / "out",
        folder / "work",
        lambda _: None,
    )
