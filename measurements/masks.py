"""Focal masks against tokenization alone, on the pairs of the LLMDebugger trajectories.

    python measurements/masks.py

A byte-level BPE of at most 32k tokens is trained on the trajectories' programs. "sides alone" is
the tokenizer's own batched call on the fenced programs, "masks" adds offsets, ids as arrays and
masks. "pairs alone" tokenizes the prompts too, and "pairs" is `tokenize_pairs` whole, up to the
table. The recorded verdicts are taken as they are, because only the text matters here.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
from published import LLMDEBUGGER
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from iterpref_assets.core.frames import problems_to_frame
from iterpref_assets.core.pairs.build import build_pairs
from iterpref_assets.core.pairs.config import PairConfig
from iterpref_assets.core.pairs.masks import focal_mask
from iterpref_assets.core.pairs.recorded import Recorded, read_trajectories
from iterpref_assets.core.pairs.tokenization import (
    encode_completions,
    tokenize_pairs,
)
from iterpref_assets.core.prompts import fenced
from iterpref_assets.core.sandbox.verdicts import Verdict

DATA = LLMDEBUGGER
QWEN_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
BATCH = 1024


def _tokenizer(corpus: list[str]) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN_SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=32_000,
        special_tokens=["<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>")


def claimed(recorded: Recorded) -> pl.DataFrame:
    """Versions whose last passes where that was claimed, and all others fail."""
    last = pl.col("round") == pl.col("round").max().over("trajectory_id")
    passed = last & pl.col("is_solved")
    return (
        recorded.versions.join(recorded.claims, on="trajectory_id", maintain_order="left")
        .with_columns(
            verdict=pl.when(passed)
            .then(pl.lit(Verdict.PASSED.value))
            .otherwise(pl.lit(Verdict.WRONG_ANSWER.value)),
            error_type=pl.lit(""),
            feedback=pl.lit(""),
        )
        .drop("is_solved")
    )


def _rates(pairs: int, works: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Pairs a second of each work, the best of `repeats` runs; they take turns."""
    best = dict.fromkeys(works, float("inf"))
    for _ in range(repeats):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            best[name] = min(best[name], time.perf_counter() - start)
    return {name: pairs / seconds for name, seconds in best.items()}


def main() -> None:
    """Measure and print the rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of *.jsonl.gz")
    parser.add_argument("--copies", type=int, default=20, help="how often the pairs are repeated")
    parser.add_argument("--repeats", type=int, default=5, help="runs, the best of which count")
    arguments = parser.parse_args()

    recorded = read_trajectories(sorted(arguments.data.glob("*.jsonl.gz")))
    problems, versions = problems_to_frame(recorded.problems), claimed(recorded)
    config = PairConfig()
    kept = build_pairs(versions, problems, config).filter(pl.col("dropped_by").is_null())
    tokenizer = _tokenizer([*versions["code"], *problems["prompt"]])
    pairs = pl.concat([kept] * arguments.copies)
    texts = [fenced(code) for side in ("chosen", "rejected") for code in pairs[side]]
    lines = [
        [line + 1 for line in row]
        for side in ("chosen_diff_lines", "rejected_diff_lines")
        for row in pairs[side].to_list()
    ]

    prompts = pairs["prompt"].to_list()

    def alone(corpus: list[str]) -> None:
        for start in range(0, len(corpus), BATCH):
            tokenizer(corpus[start : start + BATCH], add_special_tokens=False)

    def masks() -> None:
        for start in range(0, len(texts), BATCH):
            batch = texts[start : start + BATCH]
            _, spans = encode_completions(batch, tokenizer)
            focal_mask(batch, spans, lines[start : start + BATCH])

    tokens = sum(len(row) for row in tokenizer(texts, add_special_tokens=False).input_ids)
    print(f"{kept.height} pairs x {arguments.copies}, {tokens / len(texts):.0f} tokens a side")
    rates = _rates(
        pairs.height,
        {
            "sides alone": lambda: alone(texts),
            "masks": masks,
            "pairs alone": lambda: alone([*prompts, *texts]),
            "pairs": lambda: tokenize_pairs(pairs, tokenizer, config),
        },
        arguments.repeats,
    )
    for name, rate in rates.items():
        print(f"{name:<12} {rate:8,.0f} pairs/s")
    print(f"masks / sides alone {rates['masks'] / rates['sides alone']:.2f}x")
    print(f"pairs / pairs alone {rates['pairs'] / rates['pairs alone']:.2f}x")


if __name__ == "__main__":
    main()
