"""A job by several processes that the project starts itself."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from held_elsewhere import held_elsewhere
from training_examples import random_pairs

from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.progress import about
from iterpref_assets.core.training import cards, launch
from iterpref_assets.core.training.cards import CARDS, Card
from iterpref_assets.core.training.config import Precision, TrainConfig
from iterpref_assets.core.training.failures import TrainingError
from iterpref_assets.core.training.launch import (
    ReferenceJob,
    TrainJob,
    compute_reference,
    forecast,
    train_model,
)

CONFIG = TrainConfig(
    learning_rate=1e-3,
    epochs=1,
    batch_size=8,
    micro_batch_size=2,
    precision=Precision.FLOAT32,
    gradient_checkpointing=False,
)


def job(model_dir: Path, folder: Path, processes: int, **changes) -> TrainJob:
    folder.mkdir()
    tokens = folder / "tokens.parquet"
    tables.write_table(random_pairs(16, seed=3), tables.TOKENIZED_PAIRS, tokens)
    config = CONFIG.model_copy(update={"processes": processes, **changes})
    reference = ReferenceJob(
        tokens=tokens, model_dir=model_dir, config=config,
        out=folder / "reference.parquet", work_dir=folder / "parts",
    )  # fmt: skip
    compute_reference(reference)
    return TrainJob(
        tokens=tokens, model_dir=model_dir, config=config, recipe="focal_rpo",
        reference=reference.out, out=folder / "out", work_dir=folder / "work",
    )  # fmt: skip


@pytest.mark.slow
def test_two_processes_stream_the_points_of_one(model_dir, tmp_path):
    seen = {1: [], 2: []}
    outcomes = {
        count: train_model(job(model_dir, tmp_path / str(count), count), points.append)
        for count, points in seen.items()
    }
    for count, points in seen.items():
        assert [point["step"] for point in points] == [1, 2]
        assert outcomes[count].curve == points
        assert (tmp_path / str(count) / "out" / "model.safetensors").is_file()
    losses = [[point["loss"] for point in points] for points in seen.values()]
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)
    tables_of = [pl.read_parquet(tmp_path / count / "reference.parquet") for count in "12"]
    assert tables_of[0].equals(tables_of[1])


@pytest.mark.slow
def test_what_stops_a_process_is_told_with_its_remedy(model_dir, tmp_path):
    asked = job(model_dir, tmp_path / "job", 1)
    changes = {
        "model_dir": tmp_path / "nowhere",
        "config": asked.config.model_copy(update={"processes": 2}),
    }
    without_model = asked.model_copy(update=changes)
    with pytest.raises(InputError, match=r"config\.json is missing.*Give the folder of a model"):
        train_model(without_model, lambda _: None)


@pytest.mark.parametrize(
    "stopped_by",
    [
        InputError("no model here", file=Path("models/x"), line=3, field="path", remedy="Give one"),
        InputError("the prompt is too long", remedy="Raise max_length"),
        TrainingError("out of memory", remedy="Lower micro_batch_size"),
    ],
    ids=["placed", "not-placed", "training"],
)
def test_an_error_of_a_process_reaches_its_starter_whole(stopped_by, tmp_path, monkeypatch):
    place = {"tokens": tmp_path, "model_dir": tmp_path, "work_dir": tmp_path}
    asked = ReferenceJob(**place, config=CONFIG, out=tmp_path / "out")

    def stop(_: ReferenceJob) -> None:
        raise stopped_by

    def be_the_processes(*_: object, **__: object) -> AbstractContextManager[SimpleNamespace]:
        with pytest.raises(type(stopped_by)):
            launch._be_one(tmp_path / "job.json")
        return nullcontext(SimpleNamespace(stdout=[], returncode=1))

    monkeypatch.setattr(launch, "_compute_reference", stop)
    monkeypatch.setattr(launch.subprocess, "Popen", be_the_processes)
    with pytest.raises(type(stopped_by)) as caught:
        launch._start(asked, lambda _: None)
    assert str(caught.value) == str(stopped_by)


def test_files_of_a_job_that_another_process_started_are_left_alone(tmp_path):
    place = {"tokens": tmp_path, "model_dir": tmp_path, "work_dir": tmp_path / "work"}
    asked = ReferenceJob(**place, config=CONFIG, out=tmp_path / "out")
    with held_elsewhere(tmp_path / "work" / "job.json"):
        (tmp_path / "work" / "job.json").write_text("its job")
        (tmp_path / "work" / "failure.json").write_text("its failure")
        with pytest.raises(InputError, match="another process is working on this"):
            launch._start(asked, lambda _: None)
        assert (tmp_path / "work" / "job.json").read_text() == "its job"
        assert (tmp_path / "work" / "failure.json").read_text() == "its failure"


def test_batch_that_the_processes_cannot_share_is_refused_before_any_is_started(
    model_dir, tmp_path, monkeypatch
):
    monkeypatch.setattr(launch, "_start", lambda *_: pytest.fail("processes were started"))
    with pytest.raises(InputError, match=r"cannot be split over 2 processes.*Make it a multiple"):
        job(model_dir, tmp_path / "job", 2, batch_size=6)


@pytest.mark.parametrize(
    ("card", "told"), [(Card("a CPU", 1 << 40, gpu=False), False), (CARDS["h100"], True)],
    ids=["without a card", "on a card"],
)  # fmt: skip
def test_a_run_tells_the_time_on_cards_where_it_has_one(
    card, told, model_dir, tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(cards, "card_here", lambda _: card)
    with caplog.at_level("INFO"):
        forecast(job(model_dir, tmp_path / "job", 1))
    lines = [record.getMessage().split(": ")[1].split()[0] for record in caplog.records]
    assert "peak" in lines
    assert ("time" in lines) is told


def test_each_line_of_a_runs_forecast_names_its_recipe_and_model(
    model_dir, tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(cards, "card_here", lambda _: Card("a CPU", 1 << 40, gpu=False))
    made = job(model_dir, tmp_path / "job", 1)
    with caplog.at_level("INFO"), about("lab/x"):
        forecast(made)
    heads = {record.getMessage().partition(": ")[0] for record in caplog.records}
    assert heads == {f"plan {made.recipe} lab/x"}
