"""The pairs that gpu.py trains on: real debugging pairs, each stretched to one length."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from iterpref_assets.core import tables

LENGTH = 2048
VOCABULARY = 151_936


def prepare(out: Path, data: Path, pairs: int = 64) -> None:
    """Write tables.TOKENIZED_PAIRS of `pairs` stretched pairs of the trajectories in `data`."""
    from trainer_runs import PAIRS
    from trainer_speed import COMPARED
    from trainer_speed import prepare as prepare_real

    with tempfile.TemporaryDirectory() as folder:
        prepare_real(Path(folder), data, None, COMPARED)
        real = pl.read_parquet(Path(folder) / PAIRS)
    # Spread over the whole table, whose order is that of the problems.
    chosen = real.gather_every(max(len(real) // pairs, 1)).head(pairs).iter_rows(named=True)
    made = [stretch(row, index, LENGTH) for index, row in enumerate(chosen)]
    tables.write_table(
        pl.DataFrame(made, schema=tables.TOKENIZED_PAIRS), tables.TOKENIZED_PAIRS, out
    )


def stretch(row: dict[str, Any], index: int, length: int) -> dict[str, Any]:
    """A pair of random tokens, `length` of them on its longer side, shaped like `row`."""
    sides = {side: len(row[f"{side}_ids"]) for side in ("prompt", "chosen", "rejected")}
    factor = length / (sides["prompt"] + max(sides["chosen"], sides["rejected"]))
    rng = np.random.default_rng(index)

    def places(count: int) -> np.ndarray:
        return (np.arange(max(int(count * factor), 1)) / factor).astype(int).clip(max=count - 1)

    agree = zip(row["chosen_ids"], row["rejected_ids"], strict=False)
    common = next((at for at, (a, b) in enumerate(agree) if a != b), 0)
    shared = rng.integers(1, VOCABULARY, length)
    made: dict[str, Any] = {"pair_id": str(index)}
    made["prompt_ids"] = rng.integers(1, VOCABULARY, len(places(sides["prompt"]))).tolist()
    for side in ("chosen", "rejected"):
        at = places(sides[side])
        own = rng.integers(1, VOCABULARY, len(at))
        made[f"{side}_ids"] = np.where(at < common, shared[: len(at)], own).tolist()
        made[f"{side}_mask"] = np.array(row[f"{side}_mask"])[at].tolist()
    return made
