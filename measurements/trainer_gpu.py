"""This trainer against trl 1.16.0 on a GPU: random weights of the Qwen2.5-Coder shapes, bfloat16.

    pip install --no-deps --target data/peers/trl trl==1.16.0
    python measurements/trainer_gpu.py 0.5B
    python measurements/trainer_gpu.py 7B --batch 16

Pairs of 2,048 tokens a side: real debugging pairs, each stretched to that length, so that prompt,
common prefix and D- keep their shares; the tokens are random. Weights, gradients and AdamW are
bfloat16 in both, with gradient checkpointing in both. `--mixed` adds a run of this project with
float32 weights and optimizer (its default precision). The share of the card's bfloat16 rate, which
is measured by multiplying 8,192 x 8,192 matrices first, counts the multiplications that the packed
tokens need, 2 forward and 4 backward for each weight, and not those that checkpointing repeats.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from trainer_runs import MODEL, PAIRS, Run, measure, random_model
from trainer_speed import COMPARED, DATA, prepare

from iterpref_assets.core import tables
from iterpref_assets.core.training.config import Precision
from iterpref_assets.core.training.dataset import PackedPairs, token_pairs
from iterpref_assets.core.training.recipes import recipe_named

LENGTH = 2048
SHAPES: dict[str, dict[str, Any]] = {
    "tiny": COMPARED,
    "0.5B": {
        "vocab_size": 151_936, "hidden_size": 896, "intermediate_size": 4864,
        "num_hidden_layers": 24, "num_attention_heads": 14, "num_key_value_heads": 2,
        "tie_word_embeddings": True, "rope_theta": 1_000_000.0,
    },
    "7B": {
        "vocab_size": 152_064, "hidden_size": 3584, "intermediate_size": 18_944,
        "num_hidden_layers": 28, "num_attention_heads": 28, "num_key_value_heads": 4,
        "tie_word_embeddings": False, "rope_theta": 1_000_000.0,
    },
}  # fmt: skip


def stretch(row: dict[str, Any], index: int, vocabulary: int, length: int) -> dict[str, Any]:
    """A pair of random tokens, `length` of them on its longer side, shaped like `row`."""
    sides = {side: len(row[f"{side}_ids"]) for side in ("prompt", "chosen", "rejected")}
    factor = length / (sides["prompt"] + max(sides["chosen"], sides["rejected"]))
    rng = np.random.default_rng(index)

    def places(count: int) -> np.ndarray:
        return (np.arange(max(int(count * factor), 1)) / factor).astype(int).clip(max=count - 1)

    agree = zip(row["chosen_ids"], row["rejected_ids"], strict=False)
    common = next((at for at, (a, b) in enumerate(agree) if a != b), 0)
    shared = rng.integers(1, vocabulary, length)
    made: dict[str, Any] = {"pair_id": str(index)}
    made["prompt_ids"] = rng.integers(1, vocabulary, len(places(sides["prompt"]))).tolist()
    for side in ("chosen", "rejected"):
        at = places(sides[side])
        own = rng.integers(1, vocabulary, len(at))
        made[f"{side}_ids"] = np.where(at < common, shared[: len(at)], own).tolist()
        made[f"{side}_mask"] = np.array(row[f"{side}_mask"])[at].tolist()
    return made


def computed_tokens(tokens: pl.DataFrame, recipe: str) -> tuple[float, float]:
    """Tokens a pair that pass through the layers, and through the vocabulary projection."""
    rows = PackedPairs(token_pairs(tokens, None), recipe_named(recipe), LENGTH)
    read = sum(len(rows[index].at) for index in range(len(rows)))
    return float(rows.lengths().sum()) / len(tokens), read / len(tokens)


def operations(shape: dict[str, Any], layers: float, projected: float) -> float:
    """Multiplications and additions a pair, forward and backward, in the weights alone."""
    hidden = shape["hidden_size"]
    heads = hidden // shape["num_attention_heads"] * shape["num_key_value_heads"]
    attention = 2 * hidden * hidden + 2 * hidden * heads
    layer = attention + 3 * hidden * shape["intermediate_size"]
    weights = shape["num_hidden_layers"] * layer
    return 6 * (weights * layers + hidden * shape["vocab_size"] * projected)


def matrix_rate(size: int = 8192, repeats: int = 50) -> float:
    """Operations a second of this card in bfloat16 matrix products."""
    one, other = (torch.randn(size, size, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    for _ in range(5):
        torch.mm(one, other)
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(repeats):
        torch.mm(one, other)
    torch.cuda.synchronize()
    rate = repeats * 2 * size**3 / (time.perf_counter() - start)
    del one, other
    torch.cuda.empty_cache()
    return rate


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of *.jsonl.gz")
    parser.add_argument("--pairs", type=int, default=128)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--micro", type=int, default=4, help="pairs in one of our packed rows")
    parser.add_argument("--peer-micro", type=int, default=4, help="pairs in one of trl's passes")
    parser.add_argument(
        "--length", type=int, default=LENGTH, help="tokens of prompt and completion"
    )
    parser.add_argument("--mixed", action="store_true", help="also with float32 weights")
    given = parser.parse_args()
    shape, on_gpu = SHAPES[given.shape], torch.cuda.is_available()
    rate = matrix_rate() if on_gpu else float("nan")
    print(f"{torch.cuda.get_device_name() if on_gpu else 'CPU'}: {rate / 1e12:.0f} TFLOP/s")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, given.data, given.pairs, COMPARED)
        rows = pl.read_parquet(folder / PAIRS).iter_rows(named=True)
        made = [stretch(row, i, shape["vocab_size"], given.length) for i, row in enumerate(rows)]
        tokens = pl.DataFrame(made, schema=tables.TOKENIZED_PAIRS)
        tables.write_table(tokens, tables.TOKENIZED_PAIRS, folder / PAIRS)
        remake_model(folder, shape)
        base = Run(
            "reference", name, batch=given.batch, micro=given.micro,
            precision=Precision.BFLOAT16, checkpointing=True,
        )  # fmt: skip
        measure(base, threads=torch.get_num_threads())
        runs = [replace(base, who="ours", recipe=recipe) for recipe in ("focal_rpo", "rpo")]
        if given.mixed:
            runs.append(replace(runs[0], precision=Precision.MIXED_BFLOAT16))
        theirs = replace(base, who="trl", micro=given.peer_micro)
        for run in [*runs, theirs, replace(theirs, precompute=True)]:
            found = measure(run, threads=torch.get_num_threads())
            layers, projected = computed_tokens(tokens, run.recipe)
            share = operations(shape, layers, projected) / found["wall"] / rate
            of_rate = f"{share:5.1%} of the rate" if run.who == "ours" else ""
            print(
                f"{run.name:<20}{run.precision.value:<16}{1 / found['wall']:7.2f} pairs/s  "
                f"peak {found['peak'] / 1024:6.1f} GiB  {of_rate}",
                flush=True,
            )


def remake_model(folder: Path, shape: dict[str, Any]) -> None:
    """Put random weights of `shape` in the place of the small model's, beside its tokenizer."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder / MODEL)
    random_model(folder, shape, tokenizer, "bfloat16")
    torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
