"""Windows beside the difference: that of diff_augment, widened, and that of focused_dpo."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from iterpref_assets.core.randomness import derive_rng
from iterpref_assets.core.training.packing import TokenPair

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MAX_EXTRA_LINES = 2


def widen_differences(pairs: list[TokenPair], model_dir: Path, seed: int) -> list[TokenPair]:
    """`pairs` with the window of y- drawn for each, seeded by its place among them."""
    from transformers import AutoTokenizer

    newlines = newlines_by_token(AutoTokenizer.from_pretrained(model_dir))
    widened: list[TokenPair] = []
    for index, pair in enumerate(pairs):
        side = pair.rejected
        ends = newlines[side.ids]
        lines = (np.cumsum(ends) - ends).astype(np.int32)
        window = widen(side.difference, lines, derive_rng("diff_augment", seed, index))
        widened.append(TokenPair(pair.prompt, pair.chosen, replace(side, window=window)))
    return widened


def mark_middles(pairs: list[TokenPair]) -> list[TokenPair]:
    """`pairs` with their windows set to the tokens between common prefix and suffix."""
    return [_with_middles(pair) for pair in pairs]


def _with_middles(pair: TokenPair) -> TokenPair:
    sides = pair.chosen, pair.rejected
    first, second = (
        replace(side, window=window)
        for side, window in zip(sides, middles(*(side.ids for side in sides)), strict=True)
    )
    return TokenPair(pair.prompt, first, second)


def newlines_by_token(tokenizer: PreTrainedTokenizerBase) -> NDArray[np.int32]:
    """[V] how many line ends each token of the vocabulary holds."""
    texts = tokenizer.batch_decode([[token] for token in range(len(tokenizer))])
    return np.array([text.count("\n") for text in texts], dtype=np.int32)


def widen(
    difference: NDArray[np.bool_], lines: NDArray[np.int32], rng: random.Random
) -> NDArray[np.bool_]:
    """[T] `difference` and the 1 or 2 lines before and after each hunk of it.

    Args:
        difference: [T] which tokens belong to the lines of D-.
        lines: [T] the line on which each token begins, not falling.
        rng: draws how many lines, for each hunk and side.
    """
    marked = np.unique(lines[difference])
    if marked.size == 0:
        return difference
    window = difference.copy()
    for hunk in np.split(marked, np.flatnonzero(np.diff(marked) > 1) + 1):
        first = hunk[0] - rng.randint(1, MAX_EXTRA_LINES)
        last = hunk[-1] + rng.randint(1, MAX_EXTRA_LINES)
        window |= (lines >= first) & (lines <= last)
    return window


def middles(
    chosen: NDArray[np.int32], rejected: NDArray[np.int32]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """[T+] and [T-] the tokens between what both sequences begin and end with in common.

    Focused-DPO (arXiv 2502.11475) holds these to be where programs go wrong. The prefix is taken
    first, so that no token belongs to both.
    """
    shorter = min(len(chosen), len(rejected))
    differ = np.flatnonzero(chosen[:shorter] != rejected[:shorter])
    prefix = int(differ[0]) if differ.size else shorter
    left = shorter - prefix
    tails = chosen[len(chosen) - left :][::-1] != rejected[len(rejected) - left :][::-1]
    differ = np.flatnonzero(tails)
    suffix = int(differ[0]) if differ.size else left
    return _between(len(chosen), prefix, suffix), _between(len(rejected), prefix, suffix)


def _between(length: int, prefix: int, suffix: int) -> NDArray[np.bool_]:
    places = np.arange(length)
    return (places >= prefix) & (places < length - suffix)
