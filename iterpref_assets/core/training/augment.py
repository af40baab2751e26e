"""Windows beside the difference: that of diff_augment, widened, and that of focused_dpo."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from iterpref_assets.core.prompts import FENCE
from iterpref_assets.core.randomness import derive_rng
from iterpref_assets.core.training.packing import CompletionTokens, TokenPair
from iterpref_assets.core.training.recipes import Recipe, Tokens

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MAX_EXTRA_LINES = 2


def with_windows(
    pairs: list[TokenPair], recipe: Recipe, model_dir: Path, seed: int
) -> list[TokenPair]:
    """`pairs` with the windows that a reading of `recipe` asks for.

    The widened difference of each side is drawn by `seed` and the pair's place among them.
    """
    read = {tokens for reading in recipe.readings for tokens in (reading.chosen, reading.rejected)}
    if Tokens.WIDENED in read:
        pairs = _with_widened(pairs, model_dir, seed)
    if Tokens.FOCUSED in read:
        pairs = [_with_middles(pair) for pair in pairs]
    return pairs


def _with_widened(pairs: list[TokenPair], model_dir: Path, seed: int) -> list[TokenPair]:
    from transformers import AutoTokenizer

    texts = texts_of_tokens(AutoTokenizer.from_pretrained(model_dir))
    found: list[TokenPair] = []
    for index, pair in enumerate(pairs):
        rng = derive_rng("diff_augment", seed, index)
        rejected = _widened_side(pair.rejected, texts, rng)
        chosen = _widened_side(pair.chosen, texts, rng)
        found.append(TokenPair(pair.prompt, chosen, rejected))
    return found


def _widened_side(side: CompletionTokens, texts: list[str], rng: random.Random) -> CompletionTokens:
    parts = [texts[int(token)] for token in side.ids]
    ends = np.array([part.count("\n") for part in parts], dtype=np.int32)
    lines = (np.cumsum(ends) - ends).astype(np.int32)
    within = is_program(lines, "".join(parts))
    return replace(side, widened=side.difference | widen(side.difference, lines, rng) & within)


def is_program(lines: NDArray[np.int32], text: str) -> NDArray[np.bool_]:
    """[T] whether a token begins between the fences around the program, which end no window.

    Args:
        lines: [T] the line on which each token begins.
        text: what the tokens say.
    """
    fences = [n for n, line in enumerate(text.split("\n")) if line.startswith(FENCE)]
    if not fences:
        return np.ones_like(lines, dtype=np.bool_)
    # Where an answer was cut off its last fence is missing.
    last = fences[-1] if len(fences) > 1 else int(lines[-1]) + 1
    return (lines > fences[0]) & (lines < last)


def _with_middles(pair: TokenPair) -> TokenPair:
    sides = pair.chosen, pair.rejected
    first, second = (
        replace(side, middle=middle)
        for side, middle in zip(sides, middles(*(side.ids for side in sides)), strict=True)
    )
    return TokenPair(pair.prompt, first, second)


def texts_of_tokens(tokenizer: PreTrainedTokenizerBase) -> list[str]:
    """[V] what each token of the vocabulary says."""
    return [str(tokenizer.decode([token])) for token in range(len(tokenizer))]


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
