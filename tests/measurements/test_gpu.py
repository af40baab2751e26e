"""The measurement for a GPU runs on a CPU at a tiny shape."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from training_examples import random_pairs

from iterpref_assets.core import tables

SCRIPT = Path(__file__).resolve().parents[2] / "measurements" / "gpu.py"
EXACT, MIXED = "parity float32", "parity mixed_bfloat16"
PEER = "7B trl rpo precomputed"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict:
    folder = tmp_path_factory.mktemp("gpu")
    pairs = random_pairs(4, seed=1)
    tables.write_table(pairs, tables.TOKENIZED_PAIRS, folder / "pairs.parquet")
    wanted = f"matrix rate,{EXACT},{MIXED},{PEER}"
    subprocess.run(
        [
            *(sys.executable, SCRIPT, "measure", folder / "pairs.parquet", folder / "results.json"),
            *("--tiny", "--only", wanted, "--budget", "500"),
        ],
        check=True,
    )
    return json.loads((folder / "results.json").read_text())


@pytest.mark.slow
def test_losses_in_bfloat16_are_near_those_in_float32(results):
    exact, mixed = (results["runs"][name]["losses"] for name in (EXACT, MIXED))
    assert len(exact) == 3
    assert mixed == pytest.approx(exact, rel=0.01)
    furthest = results["summary"]["furthest_loss_from_float32"]
    assert furthest[MIXED] == max(abs(a - b) for a, b in zip(exact, mixed, strict=True))


@pytest.mark.slow
def test_share_of_the_matrix_rate_follows_from_what_was_measured(results):
    rate = results["runs"]["matrix rate"]["matrix_operations_a_second"]
    run = results["runs"][EXACT]
    share = results["summary"]["share_of_matrix_rate"][EXACT]
    assert share == pytest.approx(run["operations_a_pair"] * run["pairs_a_second"] / rate)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("trl") is not None, reason="trl is installed here")
def test_run_that_fails_is_told_and_ends_no_other(results):
    assert "No module named 'trl'" in results["runs"][PEER]["failed"]
    assert set(results["runs"]) == {"matrix rate", EXACT, MIXED, PEER}


def test_parameters_are_those_of_the_model():
    from gpu import parameters
    from gpu_runs import SHAPES
    from transformers import AutoModelForCausalLM, Qwen2Config

    model = AutoModelForCausalLM.from_config(Qwen2Config(**SHAPES["tiny"]))
    assert parameters(SHAPES["tiny"]) == sum(p.numel() for p in model.parameters())


def test_pairs_are_stretched_to_the_length_and_keep_their_common_prefix():
    from gpu_pairs import stretch

    (row,) = random_pairs(1, seed=3).iter_rows(named=True)
    longer = max(len(row["chosen_ids"]), len(row["rejected_ids"]))
    # Twice as long: every place stands twice.
    made = stretch(row, 0, 2 * (len(row["prompt_ids"]) + longer))
    common = next(
        at
        for at, (a, b) in enumerate(zip(row["chosen_ids"], row["rejected_ids"], strict=False))
        if a != b
    )
    assert len(made["prompt_ids"]) == 2 * len(row["prompt_ids"])
    assert made["chosen_ids"][: 2 * common] == made["rejected_ids"][: 2 * common]
    marks = pl.Series(row["rejected_mask"])
    assert sum(made["rejected_mask"]) == 2 * int(marks.sum())
