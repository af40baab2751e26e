"""One process at a time makes a model."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from held_elsewhere import held_elsewhere, is_free
from safetensors.torch import load_file
from training_examples import random_pairs

from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.training import launch, standalone
from iterpref_assets.core.training.config import Precision, TrainConfig
from iterpref_assets.core.training.recipes import recipe_named
from iterpref_assets.core.training.standalone import Run, prepared_run, train_standalone
from iterpref_assets.core.training.trainer import TrainOutcome, train

PAIRS = random_pairs(8, seed=0)
SFT = recipe_named("sft")
CONFIG = TrainConfig(
    learning_rate=1e-3,
    batch_size=2,
    epochs=1,
    precision=Precision.FLOAT32,
    gradient_checkpointing=False,
)

SECOND = """
import sys
from pathlib import Path
import polars as pl
from iterpref_assets.core.training.config import TrainConfig
from iterpref_assets.core.training.recipes import recipe_named
from iterpref_assets.core.training.trainer import train
pairs, model, folder = map(Path, sys.argv[1:4])
config = TrainConfig.model_validate_json(sys.argv[4])
train(
    pl.read_parquet(pairs), None, model, recipe_named("sft"), config,
    folder / "out", folder / "work", lambda _: None,
)
"""


@pytest.fixture
def run(model_dir: Path, tmp_path: Path) -> Run:
    """A run without Dagster, whose model is to lie in `models/out`."""
    tables.write_table(PAIRS, tables.TOKENIZED_PAIRS, tmp_path / "pairs.parquet")
    place = tmp_path / "models"
    return prepared_run(tmp_path / "pairs.parquet", model_dir, SFT, CONFIG, place / "out")


@pytest.fixture
def nothing_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "train_model", lambda *_: pytest.fail("training began"))


@pytest.mark.slow
def test_a_second_training_in_a_folder_is_refused_and_the_first_goes_on(model_dir, tmp_path):
    PAIRS.write_parquet(tmp_path / "pairs.parquet")
    second = [sys.executable, "-c", SECOND, str(tmp_path / "pairs.parquet"), str(model_dir)]
    second += [str(tmp_path / "shared"), CONFIG.model_dump_json()]
    refused = []

    def train_by_another_too(point: dict[str, float]) -> None:
        if point["step"] == 3:
            refused.append(subprocess.run(second, capture_output=True, check=False))

    for folder, on_metrics in (("shared", train_by_another_too), ("alone", lambda _: None)):
        out, work = (tmp_path / folder / name for name in ("out", "work"))
        train(PAIRS, None, model_dir, SFT, CONFIG, out, work, on_metrics)
    assert b"another process is working on this" in refused[0].stderr
    first, alone = (
        load_file(tmp_path / folder / "out" / "model.safetensors") for folder in ("shared", "alone")
    )
    assert all(torch.equal(weight, alone[name]) for name, weight in first.items())


def test_what_another_process_trains_is_refused_before_training_begins(run, nothing_trains):
    with held_elsewhere(run.work), pytest.raises(InputError, match="another process"):
        train_standalone(run)


def test_what_another_process_has_made_meanwhile_is_refused(run, nothing_trains):
    run.out.mkdir(parents=True)
    with pytest.raises(InputError, match="exists already"):
        train_standalone(run)


def test_the_other_processes_of_a_run_are_not_refused(run, monkeypatch):
    outcome = TrainOutcome({}, [])
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setattr(launch, "train_model", lambda *_: outcome)
    monkeypatch.setattr(launch, "forecast", lambda _: None)
    with held_elsewhere(run.work):
        assert train_standalone(run) is outcome


def test_a_model_is_held_until_it_is_published(run, monkeypatch):
    publish_folder, free = standalone.publish_folder, []

    def publish(folder: Path, target: Path) -> None:
        free.append(is_free(run.work))
        publish_folder(folder, target)

    monkeypatch.setattr(standalone, "publish_folder", publish)
    train_standalone(run)
    assert free == [False]
    assert [each.name for each in run.out.parent.iterdir()] == ["out"]
