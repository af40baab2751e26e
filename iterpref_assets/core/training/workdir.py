"""The folder of an unfinished run: what run it is, its whole checkpoints, its curves so far."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from iterpref_assets.core.digests import file_sha256
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import held, replace_text, sync, sync_tree
from iterpref_assets.core.training.config import Sharding, TrainConfig
from iterpref_assets.core.training.curves import Point
from iterpref_assets.core.training.recipes import Recipe

METRICS = "metrics.jsonl"
_WHOLE = "whole"
"""A file in a checkpoint's folder, written last: without it the checkpoint is not whole."""
_IDENTITY = "run.json"


def checkpoints(work_dir: Path) -> Path:
    """Where checkpoints are written."""
    return work_dir / "checkpoints"


def identity(
    tokenized: pl.DataFrame,
    reference: pl.DataFrame | None,
    model_dir: Path,
    recipe: Recipe,
    config: TrainConfig,
) -> str:
    """What a run is made of, as JSON; only the same run may resume from its checkpoints."""
    parts = {
        "recipe": recipe.for_result(),
        "config": {**config.for_result(), "sharding": _format(config.sharding)},
        "data": [table_digest(frame) for frame in (tokenized, reference) if frame is not None],
        "model": model_digest(model_dir),
    }
    return json.dumps(parts, sort_keys=True)


def _format(sharding: Sharding) -> str | None:
    """Whose checkpoints a run has: DeepSpeed's, or those that are read sharded or not."""
    return str(sharding) if sharding is Sharding.ZERO3 else None


def model_digest(model_dir: Path) -> str:
    """The hash of a model's configuration and weights."""
    digest = hashlib.sha256()
    for file in sorted([*model_dir.glob("config.json"), *model_dir.glob("*.safetensors")]):
        digest.update(bytes.fromhex(file_sha256(file)))
    return digest.hexdigest()


@contextmanager
def claimed(work_dir: Path, run: str) -> Generator[None]:
    """Have `work_dir` for `run` alone within the block; the first process of a run calls it.

    Raises:
        InputError: where another process trains in it, or it holds the checkpoints of another run.
    """
    file = work_dir / _IDENTITY
    with held(file):
        if file.is_file() and file.read_text() != run:
            raise InputError(
                "this folder belongs to another run (other pairs, model, recipe or config)",
                file=work_dir,
                remedy="Remove it to start over, or give another",
            )
        replace_text(file, run)
        yield


def last_checkpoint(work_dir: Path) -> Path | None:
    """The newest whole checkpoint, or None."""
    whole = [file.parent for file in checkpoints(work_dir).glob(f"checkpoint-*/{_WHOLE}")]
    return max(whole, key=lambda folder: int(folder.name.rpartition("-")[2]), default=None)


def remove_unfinished(work_dir: Path) -> None:
    """Remove the checkpoints that a kill left unfinished."""
    for folder in checkpoints(work_dir).glob("checkpoint-*"):
        if not (folder / _WHOLE).is_file():
            shutil.rmtree(folder)


def keep_only(checkpoint: Path, best: Path | None = None) -> None:
    """Mark `checkpoint` as whole and remove those before it, but for the `best`.

    Each waits for the disk, so that a power cut leaves either them or a checkpoint that is whole.
    """
    sync_tree(checkpoint)
    (checkpoint / _WHOLE).touch()
    sync(checkpoint)
    sync(checkpoint.parent)
    for folder in checkpoint.parent.glob("checkpoint-*"):
        if folder not in (checkpoint, best):
            shutil.rmtree(folder)


def curve_until(checkpoint: Path | None) -> list[Point]:
    """The points of the curves up to `checkpoint`."""
    if checkpoint is None:
        return []
    return json.loads((checkpoint / "trainer_state.json").read_text())["log_history"]


def table_digest(frame: pl.DataFrame) -> str:
    """The hash of a table's rows in their order."""
    digest = hashlib.sha256()
    digest.update(frame.hash_rows(seed=0).to_numpy().tobytes())
    return digest.hexdigest()
