"""The focal tokens of pairs: by lines, or by something finer where the difference is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq

from iterpref_assets.core.pairs.config import Difference
from iterpref_assets.core.pairs.masks import TokenSpans, focal_mask, span_mask
from iterpref_assets.core.pairs.nodes import Span, node_difference

FocalMask = NDArray[np.bool_]


@dataclass(frozen=True)
class EncodedSide:
    """One side of many pairs.

    Attributes:
        codes: the programs.
        texts: the programs in their fences.
        lines: of each text the numbers (from 0) of its D+ or D- lines.
        ids: [tokens] of all texts end to end.
        spans: their characters.
    """

    codes: Sequence[str]
    texts: Sequence[str]
    lines: Sequence[Sequence[int]]
    ids: NDArray[np.int32]
    spans: TokenSpans

    def by_lines(self) -> FocalMask:
        """[tokens] those that touch a line of the difference."""
        return focal_mask(self.texts, self.spans, self.lines)

    def rows(self) -> list[NDArray[np.int32]]:
        """The ids of each text."""
        return np.split(self.ids, self.spans.bounds[1:-1])


def focal_masks(
    chosen: EncodedSide, rejected: EncodedSide, method: Difference
) -> tuple[FocalMask, FocalMask]:
    """[tokens of y+] and [tokens of y-] which are of D+ and of D-."""
    if method is Difference.TOKENS:
        finer = _by_tokens(chosen, rejected)
    elif method is Difference.FORKS:
        by_tokens = _by_tokens(chosen, rejected)
        finer = _firsts(chosen, by_tokens[0]), _firsts(rejected, by_tokens[1])
    elif method is Difference.NODES:
        finer = _by_nodes(chosen, rejected)
    else:
        return chosen.by_lines(), rejected.by_lines()
    return _or_lines(chosen, finer[0]), _or_lines(rejected, finer[1])


def _by_tokens(chosen: EncodedSide, rejected: EncodedSide) -> tuple[FocalMask, FocalMask]:
    masks = [np.zeros(side.ids.size, dtype=np.bool_) for side in (chosen, rejected)]
    starts = [side.spans.bounds.tolist() for side in (chosen, rejected)]
    for row, (ours, theirs) in enumerate(zip(chosen.rows(), rejected.rows(), strict=True)):
        for edit in LCSseq.editops(ours.tolist(), theirs.tolist()):
            if edit.tag == "delete":
                masks[0][starts[0][row] + edit.src_pos] = True
            else:
                masks[1][starts[1][row] + edit.dest_pos] = True
    return masks[0], masks[1]


def _firsts(side: EncodedSide, marked: FocalMask) -> FocalMask:
    """The first token of every run of marked ones; no run goes on from one text to the next."""
    after = np.zeros_like(marked)
    after[1:] = marked[:-1]
    after[side.spans.bounds[:-1]] = False
    return marked & ~after


def _by_nodes(chosen: EncodedSide, rejected: EncodedSide) -> tuple[FocalMask, FocalMask]:
    ours: list[list[Span]] = []
    theirs: list[list[Span]] = []
    for first, second in zip(chosen.codes, rejected.codes, strict=True):
        # The fence strips blank lines at both ends, so places are counted without them.
        found = node_difference(first.strip("\n"), second.strip("\n"))
        ours.append(found.chosen if found else [])
        theirs.append(found.rejected if found else [])
    return _of_spans(chosen, ours), _of_spans(rejected, theirs)


def _of_spans(side: EncodedSide, spans: list[list[Span]]) -> FocalMask:
    fenced = [
        [(start + shift, end + shift) for start, end in row]
        for text, row in zip(side.texts, spans, strict=True)
        for shift in [text.index("\n") + 1]
    ]
    return span_mask(side.texts, side.spans, fenced)


def _or_lines(side: EncodedSide, finer: FocalMask) -> FocalMask:
    """`finer`, and the lines of those texts of which it marks nothing."""
    bounds, lines = side.spans.bounds, side.by_lines()
    marked = np.concatenate([[0], np.cumsum(finer)])
    empty = marked[bounds[1:]] == marked[bounds[:-1]]
    return finer | (lines & np.repeat(empty, np.diff(bounds)))
