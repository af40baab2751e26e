"""A tiny training by two processes under gloo, and what it has to come to."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from places import HELPERS
from safetensors.torch import load_file
from training_examples import random_pairs

from iterpref_assets.core.training.config import Precision, TrainConfig
from iterpref_assets.core.training.recipes import recipe_named
from iterpref_assets.core.training.reference import compute_reference_logprobs
from iterpref_assets.core.training.trainer import TrainOutcome, train

PAIRS = random_pairs(21, seed=2)
"""The last of three batches has 5: two processes take 2 and 2, then 1 and none."""
CONFIG = TrainConfig(
    learning_rate=1e-3,
    epochs=2,
    batch_size=8,
    micro_batch_size=2,
    precision=Precision.FLOAT32,
    gradient_checkpointing=False,
    save_minutes=0,
)
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]


def train_one(model_dir: Path, folder: Path, config: TrainConfig = CONFIG) -> TrainOutcome:
    """What one process makes of pairs that `folder` holds then, with their reference."""
    reference = compute_reference_logprobs(PAIRS, model_dir, config, folder / "reference")
    PAIRS.write_parquet(folder / "pairs.parquet")
    reference.write_parquet(folder / "reference.parquet")
    return train(
        PAIRS,
        reference,
        model_dir,
        recipe_named("focal_rpo"),
        config,
        folder / "out",
        folder / "work",
        lambda _: None,
    )


def run_two(model_dir: Path, inputs: Path, folder: Path, config: TrainConfig, die_after=0) -> int:
    """The exit status of two processes that train on the pairs of `inputs`."""
    script = HELPERS / "distributed_run.py"
    arguments = [script, model_dir, inputs, folder, config.model_dump_json(), str(die_after)]
    return subprocess.run([*TORCHRUN, *arguments], check=False).returncode


def points(folder: Path) -> list[dict[str, float]]:
    """What was logged of each step."""
    lines = (folder / "out" / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def expect_same(one: tuple[TrainOutcome, Path], two: Path) -> None:
    """That both folders' trainings had the same figures and ended with the same weights."""
    outcome, folder = one
    for figure in ("step", "loss", "reward_margin", "focal_logprob", "grad_norm"):
        expected = [point[figure] for point in outcome.curve]
        assert [point[figure] for point in points(two)] == pytest.approx(expected, abs=1e-5), figure
    first, second = (load_file(place / "out" / "model.safetensors") for place in (folder, two))
    assert first.keys() == second.keys()
    for name, weight in first.items():
        assert torch.allclose(weight, second[name], atol=1e-5), name
