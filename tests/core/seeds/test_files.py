"""Each file of a folder is a shard of problems."""

from pathlib import Path

import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.seeds.files import FileSeeds
from iterpref_assets.core.seeds.lab import LabSeeds


def test_each_file_of_the_folder_is_a_shard(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").touch()
    (tmp_path / "a.jsonl").touch()
    assert FileSeeds(folder=tmp_path, heldout=tmp_path / "h").shards() == ("a", "b")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no \*\.jsonl"):
        FileSeeds(folder=tmp_path, heldout=tmp_path / "h").shards()


def test_the_lab_gives_the_shards_its_settings_ask_for() -> None:
    seeds = LabSeeds.model_validate({"lab": {"shards": 3}})
    assert seeds.shards() == ("lab-000", "lab-001", "lab-002")


@pytest.mark.parametrize("name", ["a,b", "a|b", "a...b", "a b"])
def test_a_file_whose_name_cannot_be_a_partitions_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.jsonl").touch()
    seeds = FileSeeds(folder=tmp_path, heldout=tmp_path / "heldout.jsonl")
    with pytest.raises(InputError, match="no name for a shard"):
        seeds.shards()
