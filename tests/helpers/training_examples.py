"""Hand-made and random pairs."""

from typing import Any

import numpy as np
import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.training.packing import CompletionTokens, TokenPair

VOCABULARY = 50


def completion(ids: list[int], marked: list[int], seed: int) -> CompletionTokens:
    """A completion whose tokens at `marked` are the difference, with random references."""
    difference = np.zeros(len(ids), dtype=np.bool_)
    difference[marked] = True
    reference = -np.random.default_rng(seed).random(len(ids), dtype=np.float32) * 5
    return CompletionTokens(
        np.array(ids, dtype=np.int32), difference, difference, difference, reference
    )


def pair(
    prompt: list[int],
    chosen: list[int],
    rejected: list[int],
    chosen_marked: list[int],
    rejected_marked: list[int],
) -> TokenPair:
    """A pair whose references agree on the common prefix, as those of one model do."""
    first = completion(chosen, chosen_marked, seed=len(chosen))
    second = completion(rejected, rejected_marked, seed=sum(rejected))
    limit = min(len(chosen), len(rejected))
    differ = np.flatnonzero(first.ids[:limit] != second.ids[:limit])
    common = int(differ[0]) if differ.size else limit
    second.reference[:common] = first.reference[:common]
    return TokenPair(np.array(prompt, dtype=np.int32), first, second)


EDGE_PAIRS = {
    "ordinary": pair([1, 2, 3], [4, 5, 6, 7, 8, 0], [4, 5, 9, 10, 8, 0], [2, 3], [2, 3]),
    "empty common prefix": pair([1, 2], [4, 5, 0], [6, 7, 8, 0], [0, 1], [0, 2]),
    "empty D-": pair([1], [4, 5, 6, 7, 0], [4, 5, 7, 0], [2], []),
    "y- a prefix of y+": pair([1, 2], [4, 5, 6, 7], [4, 5], [2, 3], [1]),
    "y+ a prefix of y-": pair([1, 2], [4, 5], [4, 5, 6, 7], [1], [2, 3]),
    "D- begins in the common prefix": pair(
        [1, 2, 3], [4, 5, 6, 7, 0], [4, 5, 6, 9, 0], [1, 2, 3], [1, 2, 3]
    ),
    "D- within the common prefix": pair([3], [4, 5, 6, 7, 0], [4, 5, 6, 9, 0], [3], [1, 2]),
    "one differing token each": pair([1, 2, 3], [4, 0], [5, 0], [0], [0]),
    "D- is last": pair([9, 9], [4, 5, 6], [4, 5, 7], [2], [2]),
}


def random_pairs(count: int, seed: int) -> pl.DataFrame:
    """tables.TOKENIZED_PAIRS of `count` pairs of 10 to 60 tokens."""
    rng = np.random.default_rng(seed)
    rows = []
    for index in range(count):
        prompt = rng.integers(1, VOCABULARY, rng.integers(2, 12)).tolist()
        chosen = rng.integers(1, VOCABULARY, rng.integers(5, 24)).tolist()
        rejected = list(chosen)
        start = int(rng.integers(0, len(chosen)))
        width = int(rng.integers(1, 5))
        rejected[start : start + 2] = rng.integers(1, VOCABULARY, width).tolist()
        rows.append(
            {
                "pair_id": f"pair-{index:03d}",
                "prompt_ids": prompt,
                "chosen_ids": [*chosen, 0],
                "rejected_ids": [*rejected, 0],
                "chosen_mask": [start <= i < start + 2 for i in range(len(chosen) + 1)],
                "rejected_mask": [start <= i < start + width for i in range(len(rejected) + 1)],
            }
        )
    return pl.DataFrame(rows, schema=tables.TOKENIZED_PAIRS)


def before_an_even_step(trainer: Any) -> bool:
    """In place of the clock that says when a checkpoint is due: after steps 2, 4 and so on."""
    return trainer.state.global_step % 2 == 1
