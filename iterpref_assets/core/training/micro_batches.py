"""The pairs of a step as micro-batches of bounded tokens, spread evenly over processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from iterpref_assets.core.training.dataset import BatchOrder, PackedPairs
from iterpref_assets.core.training.packing import PackedRow

MICRO_BATCHES = "micro_batches"
Share = tuple[tuple[int, ...], ...]
"""The micro-batches of one process in one step, each of rows of the dataset."""


def deal(
    lengths: Sequence[int], tokens: int, processes: int, *, joined: bool
) -> list[list[list[int]]]:
    """Places of `lengths` for each process: its micro-batches, as many as every other has.

    Rows of like length go together, in as few micro-batches as `tokens` allows; of those, the
    largest is as small as it can be. A row that is longer than `tokens` is one of its own. Largest
    come first, and processes take turns in having the larger one; some may be empty.

    Args:
        lengths: input tokens of every row.
        tokens: most tokens of a micro-batch.
        processes: how many share the rows.
        joined: whether rows are joined, so that a micro-batch has the sum of their tokens; else
            they are padded to the longest.
    """
    order = np.argsort(lengths, kind="stable").tolist()

    def groups(most: int) -> list[list[int]]:
        return _grouped(order, lengths, most, joined=joined)

    count = -(-len(groups(tokens)) // processes) * processes
    least, most = 0, tokens
    while least < most:
        middle = (least + most) // 2
        if len(groups(middle)) <= count:
            most = middle
        else:
            least = middle + 1
    dealt = groups(most)
    dealt.sort(key=lambda group: _tokens(group, lengths, joined=joined), reverse=True)
    dealt += [[] for _ in range(count - len(dealt))]
    turns = [dealt[start : start + processes] for start in range(0, count, processes)]
    turns = [turn[:: -1 if number % 2 else 1] for number, turn in enumerate(turns)]
    return [[turn[process] for turn in turns] for process in range(processes)]


def _grouped(
    order: list[int], lengths: Sequence[int], most: int, *, joined: bool
) -> list[list[int]]:
    found: list[list[int]] = []
    group: list[int] = []
    summed = 0
    for place in order:
        size = summed + lengths[place] if joined else (len(group) + 1) * lengths[place]
        if group and size > most:
            found.append(group)
            group, summed = [], 0
        group.append(place)
        summed += lengths[place]
    return [*found, group] if group else found


def _tokens(group: Sequence[int], lengths: Sequence[int], *, joined: bool) -> int:
    if joined:
        return sum(lengths[place] for place in group)
    return len(group) * max(lengths[place] for place in group) if group else 0


class Shares:
    """A sampler: of every step one share for each process in turn."""

    def __init__(self, order: BatchOrder, tokens: int, processes: int, *, joined: bool) -> None:
        self.order, self.tokens = order, tokens
        self.processes, self.joined = processes, joined

    def __len__(self) -> int:
        return self.order.batches * self.processes

    def __iter__(self) -> Iterator[Share]:
        rows, size = list(self.order), self.order.batch_size
        for start in range(0, len(rows), size):
            batch = rows[start : start + size]
            lengths: NDArray[np.int64] = self.order.lengths[batch]
            shares = deal(lengths.tolist(), self.tokens, self.processes, joined=self.joined)
            for share in shares:
                yield tuple(tuple(batch[place] for place in group) for group in share)


class SharedPairs:
    """A dataset of shares: the packed rows of each of its micro-batches."""

    def __init__(self, pairs: PackedPairs) -> None:
        self.pairs = pairs

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, share: Share) -> list[list[PackedRow | None]]:
        return [[self.pairs[row] for row in group] for group in share]


def collate_share(
    collate: Callable[[Sequence[PackedRow | None]], dict[str, Tensor]],
) -> Callable[[Sequence[list[list[PackedRow | None]]]], dict[str, Any]]:
    """How a share becomes tensors, its micro-batches by `collate`."""

    def collate_one(shares: Sequence[list[list[PackedRow | None]]]) -> dict[str, Any]:
        (share,) = shares
        return {MICRO_BATCHES: [collate(rows) for rows in share]}

    return collate_one
