"""Rows of one forward pass as tensors, and the mask between their branches.

A token's code is its segment plus SEGMENTS for every pair before its own in the same row, so that
one rule serves rows of one pair and rows of several.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from iterpref_assets.core.training.config import Attention
from iterpref_assets.core.training.losses import TokenReadings
from iterpref_assets.core.training.packing import NOTHING, PADDING, PackedRow

if TYPE_CHECKING:
    from torch.nn.attention.flex_attention import BlockMask

CURVE_GROUPS = ("of_chosen", "of_rejected", "of_difference")
READINGS = ("chosen", "rejected", "imitated", "reference_chosen", "reference_rejected")
SEGMENTS = PADDING + 1
BLOCK = 128
"""FlexAttention skips the mask in blocks of this many tokens; joined rows fill whole ones."""


def collate(rows: Sequence[PackedRow]) -> dict[str, Tensor]:
    """R pairs as R rows, padded on the right to the longest (length L).

    Returns:
        input_ids, position_ids, codes: [R, L]; at: [N] indices into the flattened [R * L];
        targets, pair, the rest of losses.TokenReadings and CURVE_GROUPS: [N]; pairs: R, a scalar.
    """
    length = max(len(row.input_ids) for row in rows)
    batch = {
        "input_ids": _stack([row.input_ids for row in rows], length, 0),
        "position_ids": _stack([row.position_ids for row in rows], length, 0),
        "codes": _stack([row.segments for row in rows], length, PADDING),
        "at": _join([row.at + place * length for place, row in enumerate(rows)]).long(),
    }
    return batch | _readings(rows)


def collate_joined(rows: Sequence[PackedRow]) -> dict[str, Tensor]:
    """R pairs one after the other in one row of whole blocks; as `collate`, with 1 for R."""
    ends = np.cumsum([len(row.input_ids) for row in rows])
    starts = [0, *ends[:-1].tolist()]
    length = -(-int(ends[-1]) // BLOCK) * BLOCK
    codes = [row.segments.astype(np.int64) + SEGMENTS * place for place, row in enumerate(rows)]
    batch = {
        "input_ids": _stack([np.concatenate([row.input_ids for row in rows])], length, 0),
        "position_ids": _stack([np.concatenate([row.position_ids for row in rows])], length, 0),
        "codes": _stack([np.concatenate(codes)], length, PADDING),
        "at": _join([row.at + start for row, start in zip(rows, starts, strict=True)]).long(),
    }
    return batch | _readings(rows)


def collator(attention: Attention) -> Callable[[Sequence[PackedRow | None]], dict[str, Tensor]]:
    """How the pairs of a micro-batch become rows for `attention`; None is no pair."""
    join = collate_joined if attention is Attention.BLOCKS else collate

    def collate_pairs(rows: Sequence[PackedRow | None]) -> dict[str, Tensor]:
        present = [row for row in rows if row is not None]
        # A process without a pair runs a row that nothing is read from: the others wait for it.
        return join(present) if present else join([NOTHING]) | {"pairs": torch.tensor(0)}

    return collate_pairs


def token_readings(batch: dict[str, Tensor]) -> TokenReadings:
    """What the loss reads of a collated micro-batch."""
    return TokenReadings(pair=batch["pair"], **{name: batch[name] for name in READINGS})


def branch_mask(codes: Tensor) -> Tensor:
    """[R, 1, L, L] which keys (last) each query sees, as booleans.

    A query sees the keys not after it of its own branch and of its pair's shared segment. Padding
    comes last and sees itself, so that no query sees nothing.
    """
    key, query = codes[:, None, :], codes[:, :, None]
    return _same_branch(query, key).tril_()[:, None]


def block_mask(codes: Tensor) -> BlockMask:
    """The rule of `branch_mask` for FlexAttention, which skips blocks that nothing is seen in."""
    from torch.nn.attention.flex_attention import create_block_mask

    def sees(row: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        del head
        return (query >= key) & _same_branch(codes[row, query], codes[row, key])

    rows, length = codes.shape
    # Not compiled: it would be anew for lengths of its own, and what it saves is one boolean a
    # query and key for an instant.
    return create_block_mask(sees, rows, None, length, length, device=codes.device)


def _same_branch(query: Tensor, key: Tensor) -> Tensor:
    """Whether the key's code is the query's own, or that of its pair's shared segment."""
    return (key == query) | (key == query - query % SEGMENTS)


def _readings(rows: Sequence[PackedRow]) -> dict[str, Tensor]:
    counts = [len(row.at) for row in rows]
    return {
        "targets": _join([row.targets for row in rows]).long(),
        "pairs": torch.tensor(len(rows)),
        "pair": torch.from_numpy(np.repeat(np.arange(len(rows)), counts)),
        **{
            name: _join([getattr(row, name) for row in rows]) for name in (*READINGS, *CURVE_GROUPS)
        },
    }


def _stack(arrays: Sequence[NDArray[np.integer]], length: int, fill: int) -> Tensor:
    stacked = np.full((len(arrays), length), fill, dtype=np.int64)
    for place, array in enumerate(arrays):
        stacked[place, : len(array)] = array
    return torch.from_numpy(stacked)


def _join(arrays: Sequence[NDArray[np.generic]]) -> Tensor:
    return torch.from_numpy(np.concatenate(arrays))
