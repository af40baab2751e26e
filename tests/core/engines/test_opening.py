from pathlib import Path

import pytest

from iterpref_assets.core.engines.config import TransformersConfig, VllmConfig
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.errors import InputError


def test_a_folder_without_a_checkpoint_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"config\.json is missing") as caught:
        open_engine(VllmConfig(), tmp_path)
    assert caught.value.file == tmp_path


def test_a_missing_folder_is_not_taken_for_a_hub_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"config\.json is missing"):
        open_engine(TransformersConfig(), tmp_path / "gone")


def test_a_description_names_no_folder_of_this_machine(tiny_checkpoint: Path) -> None:
    description = open_engine(TransformersConfig(), tiny_checkpoint).description
    assert tiny_checkpoint.name in description
    assert str(tiny_checkpoint.parent) not in description
