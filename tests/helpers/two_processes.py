"""A tiny training by two processes under gloo, and what it has to come to."""

import json
import multiprocessing
import socket
from multiprocessing.connection import wait
from pathlib import Path

import pytest
import torch
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
FORKING = multiprocessing.get_context("forkserver")
"""From a process that has imported what takes most of such a short training."""
FORKING.set_forkserver_preload(
    [
        "iterpref_assets.core.training.trainer",
        "iterpref_assets.core.training.pair_trainer",
        "torch.distributed.tensor",
        "torch.distributed.fsdp",
        "transformers.models.qwen2.modeling_qwen2",
    ]
)


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
    """The exit status of two processes that train on the pairs of `inputs`.

    As under torchrun, one that fails ends the other.
    """
    from distributed_run import be_one

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    job = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2"}
    both = [
        FORKING.Process(
            target=be_one,
            args=(
                job | {"RANK": rank, "LOCAL_RANK": rank, "LOCAL_WORLD_SIZE": "2"},
                *(model_dir, inputs, folder, config, die_after),
            ),
        )
        for rank in "01"
    ]
    for each in both:
        each.start()
    wait([each.sentinel for each in both])
    if any(each.exitcode for each in both):
        for each in both:
            each.terminate()
    for each in both:
        each.join()
    return next((each.exitcode for each in both if each.exitcode), 0)


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
