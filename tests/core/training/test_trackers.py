"""Runs that are reported to MLflow's file store and to W&B offline; they skip where that is absent.

`pip install mlflow-skinny wandb` brings both; the project needs neither.
"""

from pathlib import Path

import polars as pl
import pytest
from training_examples import random_pairs

from iterpref_assets.core.training.config import HeldoutConfig, Precision, TrainConfig
from iterpref_assets.core.training.recipes import recipe_named
from iterpref_assets.core.training.reference import compute_reference_logprobs
from iterpref_assets.core.training.trainer import TrainOutcome, train

PAIRS = random_pairs(12, seed=2)
CONFIG = TrainConfig(
    epochs=1,
    batch_size=4,
    precision=Precision.FLOAT32,
    gradient_checkpointing=False,
    heldout=HeldoutConfig(share=0.3, every=1),
)


@pytest.fixture(scope="module")
def reference(model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    return compute_reference_logprobs(PAIRS, model_dir, CONFIG, tmp_path_factory.mktemp("parts"))


def run(model_dir: Path, folder: Path, reference: pl.DataFrame, tracker: str) -> TrainOutcome:
    config = CONFIG.model_copy(update={"report_to": (tracker,)})
    places = folder / "out", folder / "work"
    recipe = recipe_named("focal_rpo")
    return train(PAIRS, reference, model_dir, recipe, config, *places, lambda _: None)


@pytest.fixture
def mlflow(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow", reason="needs mlflow, which is not installed")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlruns").as_uri())
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "focal")
    mlflow.set_tracking_uri((tmp_path / "mlruns").as_uri())
    return mlflow


def test_mlflow_has_the_curves_and_its_run_is_told(model_dir, reference, tmp_path, mlflow):
    outcome = run(model_dir, tmp_path, reference, "mlflow")
    (found,) = mlflow.search_runs(experiment_names=["focal"], output_format="list")
    assert found.info.run_name.startswith("focal_rpo-")
    assert outcome.links == {
        "mlflow": f"run {found.info.run_id} of {(tmp_path / 'mlruns').as_uri()}"
    }
    assert found.data.metrics["loss"] == pytest.approx(outcome.figures["loss"])
    assert found.data.metrics["eval_loss"] == pytest.approx(outcome.figures["eval_loss"])


def test_two_trainings_of_one_process_are_two_runs_of_mlflow(
    model_dir, reference, tmp_path, mlflow
):
    for name in ("first", "second"):
        run(model_dir, tmp_path / name, reference, "mlflow")
    assert len(mlflow.search_runs(experiment_names=["focal"], output_format="list")) == 2


def test_wandb_keeps_the_run_offline_and_tells_where(model_dir, reference, tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb", reason="needs wandb, which is not installed")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    outcome = run(model_dir, tmp_path, reference, "wandb")
    told, _, folder = outcome.links["wandb"].rpartition(" ")
    assert told == "offline: wandb sync"
    assert list(Path(folder).glob("run-*.wandb"))
    assert wandb.run is None
