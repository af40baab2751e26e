"""Two processes whose weights DeepSpeed's ZeRO-3 divides train as one does."""

import json
from pathlib import Path

import pytest
from two_processes import CONFIG, PAIRS, expect_same, points, run_two

from iterpref_assets.core.training.config import Precision, Sharding
from iterpref_assets.core.training.reference import compute_reference_logprobs
from iterpref_assets.core.training.workdir import last_checkpoint

pytestmark = pytest.mark.deepspeed
ZERO3 = CONFIG.model_copy(update={"sharding": Sharding.ZERO3})


def expect_ran(two: Path) -> None:
    """That DeepSpeed ran, and every process held a part of every parameter."""
    found = json.loads((two / "ran.json").read_text())
    assert found["zero_stage"] == 3
    assert found["partitioned"] == found["parameters"] > 0


def test_two_gloo_processes_have_the_losses_and_weights_of_one(model_dir, one, tmp_path):
    assert run_two(model_dir, one[1], tmp_path, ZERO3) == 0
    expect_ran(tmp_path)
    expect_same(one, tmp_path)


def test_two_processes_that_were_killed_resume(model_dir, one, tmp_path):
    assert run_two(model_dir, one[1], tmp_path, ZERO3, die_after=5) != 0
    whole = last_checkpoint(tmp_path / "work")
    assert whole is not None
    assert run_two(model_dir, one[1], tmp_path, ZERO3) == 0
    assert json.loads((tmp_path / "ran.json").read_text())["steps_before"] == 4
    expect_same(one, tmp_path)


def test_mixed_precision_begins_at_the_reference(model_dir, tmp_path):
    config = ZERO3.model_copy(update={"precision": Precision.MIXED_BFLOAT16, "learning_rate": 1e-9})
    inputs = tmp_path / "inputs"
    reference = compute_reference_logprobs(PAIRS, model_dir, config, inputs / "parts")
    PAIRS.write_parquet(inputs / "pairs.parquet")
    reference.write_parquet(inputs / "reference.parquet")
    assert run_two(model_dir, inputs, tmp_path, config) == 0
    expect_ran(tmp_path)
    assert [point["reward_margin"] for point in points(tmp_path)] == pytest.approx(
        [0] * 6, abs=1e-3
    )
