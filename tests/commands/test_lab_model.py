"""The command that trains the lab's model: how strong it becomes is how long it learns."""

from pathlib import Path

import pytest

from iterpref_assets.commands import lab_model
from iterpref_assets.core.lab.config import LabConfig
from iterpref_assets.core.lab.pretraining import PretrainConfig
from iterpref_assets.core.lab.shipped import PROVENANCE_FILE, Provenance, pretrained_dir


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[PretrainConfig]:
    """The configurations of the models that would be built."""
    asked: list[PretrainConfig] = []
    shipped = Provenance.model_validate_json((pretrained_dir() / PROVENANCE_FILE).read_bytes())

    def build(config: PretrainConfig, _heldout: LabConfig, _out: Path) -> Provenance:
        asked.append(config)
        return shipped

    monkeypatch.setattr(lab_model, "build_lab_model", build)
    return asked


def test_without_options_the_shipped_model_is_trained(asked, tmp_path):
    lab_model.main(["--out", str(tmp_path)])
    assert asked == [PretrainConfig()]


def test_fewer_steps_are_the_beginning_of_the_shipped_models_training(asked, tmp_path):
    lab_model.main(["--out", str(tmp_path), "--steps", "300"])
    assert asked == [PretrainConfig(steps=300)]


def test_more_steps_than_the_learning_rate_lasts_lengthen_its_decay(asked, tmp_path):
    lab_model.main(["--out", str(tmp_path), "--steps", "800"])
    assert asked == [PretrainConfig(steps=800, decay_steps=800)]
