r"""Which tokens lie on which lines, from character offsets.

A line's characters are its text and the "\n" that ends it. A token is focal where its characters
overlap a focal line's: a token that straddles a line end counts for both lines, so the focal
tokens always cover the focal lines whole, and for a tokenizer that never crosses a line end
(Qwen's, all that split like it) they cover nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class TokenSpans:
    """The tokens of many texts, laid end to end.

    Attributes:
        starts, ends: each token's characters [start, end) within its own text, shape [tokens].
        bounds: text i's tokens are [bounds[i], bounds[i + 1]), shape [texts + 1].
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    bounds: NDArray[np.int64]


def focal_mask(
    texts: Sequence[str], spans: TokenSpans, lines: Sequence[Sequence[int]]
) -> NDArray[np.bool_]:
    """Whether each token touches one of its text's focal `lines` (numbers from 0), shape [tokens].

    Works on all texts at once: they are laid end to end on one axis of characters, the focal
    lines become sorted, disjoint intervals on it, and each token looks up its interval.
    """
    bases = np.concatenate([[0], np.cumsum([len(text) + 1 for text in texts])])
    return _touching(spans, bases, *_focal_intervals(texts, lines, bases))


def span_mask(
    texts: Sequence[str], spans: TokenSpans, focal: Sequence[Sequence[tuple[int, int]]]
) -> NDArray[np.bool_]:
    """Whether each token touches a focal span of its text, shape [tokens].

    Args:
        texts: what was tokenized.
        spans: its tokens.
        focal: of each text the focal characters [start, end), sorted and without overlap.
    """
    bases = np.concatenate([[0], np.cumsum([len(text) + 1 for text in texts])])
    shifted = [
        (base + start, base + end)
        for base, row in zip(bases.tolist(), focal, strict=False)
        for start, end in row
    ]
    ends = np.array(shifted, dtype=np.int64).reshape(-1, 2)
    return _touching(spans, bases, ends[:, 0], ends[:, 1])


def _touching(
    spans: TokenSpans,
    bases: NDArray[np.int64],
    begins: NDArray[np.int64],
    finishes: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Whether each token overlaps one of the sorted, disjoint intervals on the axis of `bases`."""
    if begins.size == 0:
        return np.zeros(spans.starts.shape, dtype=np.bool_)
    shift = np.repeat(bases[:-1], np.diff(spans.bounds))
    starts, ends = spans.starts + shift, spans.ends + shift
    # The last interval that begins before the token ends; they overlap if it finishes after the
    # token starts. Tokens without characters touch nothing.
    nearest = np.searchsorted(begins, ends, side="left") - 1
    overlaps = (nearest >= 0) & (finishes[nearest] > starts)
    return overlaps & (ends > starts)


def _focal_intervals(
    texts: Sequence[str], lines: Sequence[Sequence[int]], bases: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    begins: list[int] = []
    finishes: list[int] = []
    for text, focal, base in zip(texts, lines, bases.tolist(), strict=False):
        if not focal:
            continue
        starts = [base]
        for line in text.split("\n"):
            starts.append(starts[-1] + len(line) + 1)
        begins.extend([starts[line] for line in focal])
        finishes.extend([starts[line + 1] for line in focal])
    return np.array(begins, dtype=np.int64), np.array(finishes, dtype=np.int64)
