"""Rows of one forward pass as tensors, and the mask between their branches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from iterpref_assets.core.training.losses import TokenReadings
from iterpref_assets.core.training.packing import PADDING, SHARED, PackedRow

CURVE_GROUPS = ("of_chosen", "of_rejected", "of_difference")
READINGS = ("chosen", "rejected", "imitated", "reference_chosen", "reference_rejected")


def collate(rows: Sequence[PackedRow]) -> dict[str, Tensor]:
    """R rows as one micro-batch, padded on the right to the longest (length L).

    Returns:
        input_ids, position_ids, segments: [R, L]; at: [N] indices into the flattened [R * L];
        targets, pair, the rest of losses.TokenReadings and CURVE_GROUPS: [N].
    """
    length = max(len(row.input_ids) for row in rows)
    counts = [len(row.at) for row in rows]
    batch = {
        "input_ids": _stack([row.input_ids for row in rows], length, 0),
        "position_ids": _stack([row.position_ids for row in rows], length, 0),
        "segments": _stack([row.segments for row in rows], length, PADDING),
        "at": _join([row.at + place * length for place, row in enumerate(rows)]).long(),
        "targets": _join([row.targets for row in rows]).long(),
        "pair": torch.from_numpy(np.repeat(np.arange(len(rows)), counts)),
    }
    weights = (*READINGS, *CURVE_GROUPS)
    return batch | {name: _join([getattr(row, name) for row in rows]) for name in weights}


def token_readings(batch: dict[str, Tensor]) -> TokenReadings:
    """What the loss reads of a collated micro-batch."""
    return TokenReadings(pair=batch["pair"], **{name: batch[name] for name in READINGS})


def branch_mask(segments: Tensor) -> Tensor:
    """[R, 1, L, L] which keys (last) each query sees, as booleans.

    A query sees the keys not after it that are shared or of its own branch. Padding comes last and
    sees the shared keys, so that no query sees nothing.
    """
    key, query = segments[:, None, :], segments[:, :, None]
    seen = (key == SHARED) | (key == query)
    return seen.tril_()[:, None]


def _stack(arrays: Sequence[NDArray[np.integer]], length: int, fill: int) -> Tensor:
    stacked = np.full((len(arrays), length), fill, dtype=np.int64)
    for place, array in enumerate(arrays):
        stacked[place, : len(array)] = array
    return torch.from_numpy(stacked)


def _join(arrays: Sequence[NDArray[np.generic]]) -> Tensor:
    return torch.from_numpy(np.concatenate(arrays))
