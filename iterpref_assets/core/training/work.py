"""What the pairs of a run come to: steps, tokens, and the largest forward pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from iterpref_assets.core.training.config import Attention, TrainConfig
from iterpref_assets.core.training.dataset import PackedPairs
from iterpref_assets.core.training.packing import lay_out, pack
from iterpref_assets.core.training.processes import processes_of
from iterpref_assets.core.training.recipes import Reading, Tokens

_EVERYTHING = Reading(Tokens.ALL, Tokens.ALL)


class Pass(NamedTuple):
    """A forward pass: rows of `length` input tokens, of which `read` are predicted."""

    rows: int
    length: int
    read: int


@dataclass(frozen=True, slots=True)
class Work:
    """Counts of a whole run, over all its processes.

    Attributes:
        pairs, trained_pairs, steps: of one epoch, of all, of all.
        tokens, read: input tokens computed, and predictions of them projected onto the vocabulary.
        reference_tokens, reference_read: the same of the reference log-probabilities.
        padded: input tokens of an epoch where each side is a row, padded to its pair's longer one.
        prompt_shared: input tokens of an epoch where sides share their prompt alone.
        largest: the largest forward pass of one process.
        passes: forward passes of a step on one process.
    """

    pairs: int
    trained_pairs: int
    steps: int
    tokens: int
    read: int
    reference_tokens: int
    reference_read: int
    padded: int
    prompt_shared: int
    largest: Pass
    passes: int


def work_of(dataset: PackedPairs, config: TrainConfig, attention: Attention) -> Work:
    """The counts of training on `dataset` by `config`."""
    pairs, epochs = len(dataset.pairs), config.epochs
    lengths = dataset.lengths()
    read = np.array([len(row.at) for row in map(dataset.__getitem__, range(len(dataset))) if row])
    readings = len(dataset.readings)
    whole = [lay_out(pair, _EVERYTHING) for pair in dataset.pairs]
    both = [
        (len(pair.prompt), len(pair.chosen.ids), len(pair.rejected.ids)) for pair in dataset.pairs
    ]
    return Work(
        pairs=pairs,
        trained_pairs=epochs * pairs,
        steps=epochs * -(-pairs // config.batch_size),
        tokens=epochs * int(lengths.sum()) // readings,
        read=epochs * int(read.sum()) // readings,
        reference_tokens=sum(layout.inputs for layout in whole),
        reference_read=sum(len(pack(pair, _EVERYTHING).at) for pair in dataset.pairs),
        padded=sum(2 * (prompt + max(sides)) for prompt, *sides in both),
        prompt_shared=sum(map(sum, both)),
        largest=_largest(lengths, read, config, attention),
        passes=_passes(lengths, pairs, config),
    )


def _passes(lengths: NDArray[np.int64], pairs: int, config: TrainConfig) -> int:
    """Forward passes of a step on one process; by tokens at least so many on average."""
    batch, processes = min(config.batch_size, pairs), processes_of(config)
    if config.max_tokens is None:
        return -(-batch // (config.micro_batch_size * processes))
    return int(-(-lengths.mean() * batch // (config.max_tokens * processes)))


def _largest(
    lengths: NDArray[np.int64], read: NDArray[np.int64], config: TrainConfig, attention: Attention
) -> Pass:
    """The longest rows together, as a batch may hold them."""
    longest, tokens = int(lengths.max()), config.max_tokens
    rows = config.micro_batch_size if tokens is None else max(tokens // longest, 1)
    rows = min(rows, len(lengths))
    joined = int(np.sort(lengths)[-rows:].sum())
    predicted = int(np.sort(read)[-rows:].sum())
    if attention is Attention.DENSE:
        return Pass(rows, longest, predicted)
    if tokens is None:
        return Pass(1, joined, predicted)
    joined = max(min(tokens, int(lengths.sum())), longest)
    return Pass(1, joined, -(-joined * int(read.sum()) // int(lengths.sum())))
