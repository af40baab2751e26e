"""Whose a work folder is, and what a power cut leaves of its checkpoints."""

import os
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from held_elsewhere import held_elsewhere, is_free

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.training.config import Sharding, TrainConfig
from iterpref_assets.core.training.recipes import recipe_named
from iterpref_assets.core.training.workdir import (
    checkpoints,
    claimed,
    identity,
    keep_only,
    last_checkpoint,
)


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, Path]:
    """A whole checkpoint, and one that was written after it."""
    older, newer = (checkpoints(tmp_path) / f"checkpoint-{step}" for step in (2, 4))
    for folder in (older, newer):
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(b"weights")
    (older / "whole").touch()
    return older, newer


def synced_while(monkeypatch: pytest.MonkeyPatch, holds: Callable[[], bool]) -> list[Path]:
    """What is put on the disk while something holds."""
    fsync, synced = os.fsync, []

    def record(descriptor: int) -> None:
        if holds():
            synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", record)
    return synced


def test_the_newest_whole_checkpoint_alone_is_kept(written, tmp_path) -> None:
    older, newer = written
    keep_only(newer)
    assert not older.exists()
    assert last_checkpoint(tmp_path) == newer


def test_a_checkpoint_is_on_the_disk_before_it_is_marked_as_whole(written, monkeypatch) -> None:
    _, newer = written
    synced = synced_while(monkeypatch, lambda: not (newer / "whole").exists())
    keep_only(newer)
    assert {newer, newer / "model.safetensors"} <= set(synced)


def test_the_mark_is_on_the_disk_before_older_checkpoints_are_removed(written, monkeypatch) -> None:
    older, newer = written
    synced = synced_while(monkeypatch, lambda: older.exists() and (newer / "whole").exists())
    keep_only(newer)
    assert {newer, newer.parent} <= set(synced)


def claim_of(folder: Path, sharding: Sharding) -> None:
    config = TrainConfig(sharding=sharding)
    pairs = pl.DataFrame({"pair_id": ["pair-0"]})
    with claimed(folder, identity(pairs, None, folder / "model", recipe_named("sft"), config)):
        pass


@pytest.mark.parametrize("other", [Sharding.NONE, Sharding.FSDP2])
def test_checkpoints_of_deepspeed_are_no_others_nor_others_its_own(
    tmp_path: Path, other: Sharding
) -> None:
    claim_of(tmp_path / "zero3", Sharding.ZERO3)
    claim_of(tmp_path / "other", other)
    with pytest.raises(InputError, match="another run"):
        claim_of(tmp_path / "zero3", other)
    with pytest.raises(InputError, match="another run"):
        claim_of(tmp_path / "other", Sharding.ZERO3)


def test_a_run_goes_on_sharded_by_pytorch_or_not(tmp_path: Path) -> None:
    claim_of(tmp_path, Sharding.NONE)
    claim_of(tmp_path, Sharding.FSDP2)
    claim_of(tmp_path, Sharding.NONE)


def test_a_folder_that_another_process_trains_in_is_refused(tmp_path: Path) -> None:
    with held_elsewhere(tmp_path / "run.json"), pytest.raises(InputError, match="another process"):
        claim_of(tmp_path, Sharding.NONE)


def test_a_folder_is_held_while_it_is_claimed(tmp_path: Path) -> None:
    with claimed(tmp_path, "run"):
        assert not is_free(tmp_path / "run.json")
    assert is_free(tmp_path / "run.json")
