"""Two processes train as one does."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from training_examples import random_pairs

from iterpref_assets.core.training.config import Precision, TrainConfig
from iterpref_assets.core.training.recipes import recipe_named
from iterpref_assets.core.training.reference import compute_reference_logprobs
from iterpref_assets.core.training.trainer import train

CONFIG = TrainConfig(
    learning_rate=1e-3,
    epochs=1,
    batch_size=8,
    micro_batch_size=2,
    precision=Precision.FLOAT32,
    gradient_checkpointing=False,
    save_steps=2,
)


@pytest.mark.slow
def test_two_gloo_processes_have_the_losses_and_weights_of_one(model_dir, tmp_path):
    pairs = random_pairs(24, seed=2)
    reference = compute_reference_logprobs(pairs, model_dir, CONFIG, tmp_path / "reference")
    one = train(
        pairs,
        reference,
        model_dir,
        recipe_named("focal_rpo"),
        CONFIG,
        tmp_path / "one" / "out",
        tmp_path / "one" / "work",
        lambda _: None,
    )
    pairs.write_parquet(tmp_path / "pairs.parquet")
    reference.write_parquet(tmp_path / "reference.parquet")
    script = Path(__file__).with_name("distributed_run.py")
    arguments = [script, model_dir, tmp_path, tmp_path / "two", CONFIG.model_dump_json()]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    subprocess.run([*torchrun, "--nproc-per-node=2", *arguments], check=True)

    lines = (tmp_path / "two" / "out" / "metrics.jsonl").read_text().splitlines()
    two = [json.loads(line) for line in lines]
    for figure in ("loss", "reward_margin", "focal_logprob", "grad_norm"):
        expected = [point[figure] for point in one.curve]
        assert [point[figure] for point in two] == pytest.approx(expected, abs=1e-5), figure
    weights = [load_file(tmp_path / n / "out" / "model.safetensors") for n in ("one", "two")]
    for name, weight in weights[0].items():
        assert torch.allclose(weight, weights[1][name], atol=1e-5), name
