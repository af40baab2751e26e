"""Windows of diff_augment: the difference widened by whole lines, drawn at random."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from iterpref_assets.core.randomness import derive_rng
from iterpref_assets.core.training.packing import CompletionTokens, TokenPair

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
        completion = CompletionTokens(side.ids, side.difference, window, side.reference)
        widened.append(TokenPair(pair.prompt, pair.chosen, completion))
    return widened


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
