"""Whole runs of the trainer on a tiny model."""

import errno
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import torch
from places import HELPERS
from safetensors.torch import load_file, save_file
from torch.distributed.checkpoint import HuggingFaceStorageWriter
from training_examples import before_an_even_step, random_pairs

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.training import checkpointed, workdir
from iterpref_assets.core.training.arguments import training_arguments
from iterpref_assets.core.training.checkpointed import CheckpointedTrainer
from iterpref_assets.core.training.config import Lora, Precision, Sharding, TrainConfig
from iterpref_assets.core.training.failures import TrainingError
from iterpref_assets.core.training.recipes import recipe_named
from iterpref_assets.core.training.reference import compute_reference_logprobs
from iterpref_assets.core.training.trainer import TrainOutcome, train

PAIRS = random_pairs(24, seed=0)
CONFIG = TrainConfig(
    learning_rate=1e-3,
    epochs=2,
    batch_size=8,
    micro_batch_size=4,
    precision=Precision.FLOAT32,
    gradient_checkpointing=False,
)


@pytest.fixture(autouse=True)
def saving_at_even_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CheckpointedTrainer, "wants_checkpoint", before_an_even_step)


@pytest.fixture(scope="module")
def reference(model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    work = tmp_path_factory.mktemp("reference")
    return compute_reference_logprobs(PAIRS, model_dir, CONFIG, work)


def run(model_dir: Path, folder: Path, reference: pl.DataFrame | None, **options) -> TrainOutcome:
    settings = {"recipe": recipe_named("focal_rpo"), "config": CONFIG, "on_metrics": _ignore}
    settings |= {"out_dir": folder / "out", "work_dir": folder / "work", **options}
    return train(PAIRS, reference, model_dir=model_dir, **settings)


def _ignore(point: dict[str, float]) -> None:
    del point


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "out" / "model.safetensors")


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(
        torch.equal(first[name], second[name]) for name in first
    )


def test_training_raises_the_margin_and_lowers_the_loss(model_dir, reference, tmp_path):
    curve = run(model_dir, tmp_path, reference).curve
    assert curve[0]["reward_margin"] == pytest.approx(0, abs=1e-5)
    assert curve[-1]["reward_margin"] > 0.01
    assert curve[-1]["loss"] < curve[0]["loss"]


def test_curve_has_a_point_a_step_in_memory_on_file_and_through_the_callback(
    model_dir, reference, tmp_path
):
    seen = []
    outcome = run(model_dir, tmp_path, reference, on_metrics=seen.append)
    lines = (tmp_path / "out" / "metrics.jsonl").read_text().splitlines()
    untimed = [{k: v for k, v in p.items() if k != "pairs_per_second"} for p in seen]
    assert [json.loads(line) for line in lines] == untimed
    assert outcome.curve == seen
    assert [point["step"] for point in seen] == [1, 2, 3, 4, 5, 6]
    figures = {"loss", "reward_margin", "reward_accuracy", "chosen_logprob", "rejected_logprob"}
    figures |= {"focal_logprob", "grad_norm", "pairs_per_second", "learning_rate"}
    assert figures <= seen[0].keys()


@pytest.mark.parametrize(("logging_steps", "steps"), [(4, [4, 6]), (100, [6])])
def test_last_step_has_a_point(model_dir, reference, tmp_path, logging_steps, steps):
    config = CONFIG.model_copy(update={"logging_steps": logging_steps})
    outcome = run(model_dir, tmp_path, reference, config=config)
    assert [point["step"] for point in outcome.curve] == steps
    assert outcome.figures["loss"] == outcome.curve[-1]["loss"]


def test_trained_model_loads_and_its_tokenizer_is_that_of_the_base(model_dir, reference, tmp_path):
    from transformers import AutoModelForCausalLM

    run(model_dir, tmp_path, reference)
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert torch.equal(model.model.norm.weight, weights(tmp_path)["model.norm.weight"])
    for name in ("tokenizer.json", "config.json", "generation_config.json"):
        assert (tmp_path / "out" / name).read_bytes() == (model_dir / name).read_bytes()


def test_a_generation_config_that_the_library_would_not_write_is_taken_over(
    model_dir, reference, tmp_path
):
    """Llama-2-chat's, for one: it draws by top_p and does not say do_sample."""
    base = shutil.copytree(model_dir, tmp_path / "base")
    (base / "generation_config.json").write_text('{"temperature": 0.9, "top_p": 0.6}')
    run(base, tmp_path, reference)
    written = tmp_path / "out" / "generation_config.json"
    assert written.read_text() == '{"temperature": 0.9, "top_p": 0.6}'


def test_same_run_writes_the_same_bytes(model_dir, reference, tmp_path):
    run(model_dir, tmp_path / "a", reference)
    run(model_dir, tmp_path / "b", reference)
    first, second = (
        {file.name: file.read_bytes() for file in (tmp_path / name / "out").iterdir()}
        for name in "ab"
    )
    assert first == second


def test_run_whose_memory_ran_out_resumes_with_smaller_micro_batches(
    model_dir, reference, tmp_path, monkeypatch
):
    from iterpref_assets.core.training import pair_trainer

    measure, calls = pair_trainer.measure, []

    def out_of_memory_in_step_four(*args):
        calls.append(1)
        if len(calls) == 7:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1 GiB")
        return measure(*args)

    with monkeypatch.context() as patched:
        patched.setattr(pair_trainer, "measure", out_of_memory_in_step_four)
        with pytest.raises(TrainingError, match=r"out of memory.*Lower micro_batch_size"):
            run(model_dir, tmp_path / "cut", reference)
    seen = []
    smaller = CONFIG.model_copy(update={"micro_batch_size": 2})
    outcome = run(model_dir, tmp_path / "cut", reference, config=smaller, on_metrics=seen.append)
    assert [point["step"] for point in seen] == [3, 4, 5, 6]
    whole = run(model_dir, tmp_path / "whole", reference).curve
    assert [p["loss"] for p in outcome.curve] == pytest.approx([p["loss"] for p in whole], abs=1e-5)


def test_adapters_are_merged_into_a_whole_model(model_dir, reference, tmp_path):
    config = CONFIG.model_copy(update={"lora": Lora(rank=4), "learning_rate": 1e-2})
    curve = run(model_dir, tmp_path, reference, config=config).curve
    assert curve[0]["reward_margin"] == pytest.approx(0, abs=1e-5)
    assert curve[-1]["reward_margin"] > 0.01
    base, trained = load_file(model_dir / "model.safetensors"), weights(tmp_path)
    assert base.keys() == trained.keys()
    changed = {name for name in base if not torch.equal(base[name], trained[name])}
    assert changed == {name for name in base if name.endswith("_proj.weight")}


def test_adapters_resume_from_their_checkpoint(model_dir, reference, tmp_path):
    config = CONFIG.model_copy(update={"lora": Lora(rank=4), "learning_rate": 1e-2})

    def stop_at_five(point):
        if point["step"] == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(model_dir, tmp_path / "cut", reference, config=config, on_metrics=stop_at_five)
    run(model_dir, tmp_path / "cut", reference, config=config)
    run(model_dir, tmp_path / "whole", reference, config=config)
    assert same(weights(tmp_path / "cut"), weights(tmp_path / "whole"))


def test_curves_are_written_as_tensorboard_events(model_dir, reference, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    config = CONFIG.model_copy(update={"tensorboard": tmp_path / "events"})
    curve = run(model_dir, tmp_path, reference, config=config).curve
    (folder,) = (tmp_path / "events").iterdir()
    events = EventAccumulator(str(folder)).Reload().Scalars("train/reward_margin")
    assert [event.value for event in events] == pytest.approx([p["reward_margin"] for p in curve])


@pytest.mark.parametrize("micro_batch_size", [1, 2, 8])
def test_micro_batch_size_does_not_change_the_losses(
    model_dir, reference, tmp_path, micro_batch_size
):
    config = CONFIG.model_copy(update={"micro_batch_size": micro_batch_size})
    whole = run(model_dir, tmp_path / "a", reference).curve
    split = run(model_dir, tmp_path / "b", reference, config=config).curve
    assert [p["loss"] for p in split] == pytest.approx([p["loss"] for p in whole], abs=1e-5)


def test_gradient_checkpointing_does_not_change_the_losses(model_dir, reference, tmp_path):
    config = CONFIG.model_copy(update={"gradient_checkpointing": True})
    kept = run(model_dir, tmp_path / "a", reference).curve
    recomputed = run(model_dir, tmp_path / "b", reference, config=config).curve
    assert [p["loss"] for p in recomputed] == pytest.approx([p["loss"] for p in kept], abs=1e-6)


@pytest.mark.parametrize("precision", [Precision.MIXED_BFLOAT16, Precision.BFLOAT16])
@pytest.mark.parametrize("checkpointing", [False, True])
def test_bfloat16_trains_and_keeps_the_type_of_the_base(
    model_dir, reference, tmp_path, precision, checkpointing
):
    options = {"precision": precision, "gradient_checkpointing": checkpointing}
    config = CONFIG.model_copy(update=options)
    exact = run(model_dir, tmp_path / "exact", reference).curve
    rounded = run(model_dir, tmp_path / "rounded", reference, config=config).curve
    assert [p["loss"] for p in rounded] == pytest.approx([p["loss"] for p in exact], rel=0.05)
    assert {weight.dtype for weight in weights(tmp_path / "rounded").values()} == {torch.float32}


@pytest.mark.slow
@pytest.mark.parametrize("when", ["1", "2", "3", "4", "5", "6", "checkpoint-4"])
def test_run_killed_at_any_step_ends_with_the_weights_of_an_undisturbed_one(
    model_dir, reference, tmp_path, when
):
    run(model_dir, tmp_path / "whole", reference)
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    PAIRS.write_parquet(inputs / "pairs.parquet")
    reference.write_parquet(inputs / "reference.parquet")
    script = HELPERS / "killed_training.py"
    killed = subprocess.run(
        [
            *(sys.executable, script, model_dir, inputs, tmp_path / "cut"),
            *(when, CONFIG.model_dump_json()),
        ],
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    outcome = run(model_dir, tmp_path / "cut", reference)
    assert same(weights(tmp_path / "cut"), weights(tmp_path / "whole"))
    assert [point["step"] for point in outcome.curve] == [1, 2, 3, 4, 5, 6]


def test_resumed_run_repeats_only_the_steps_after_the_last_whole_checkpoint(
    model_dir, reference, tmp_path
):
    def stop_at_five(point):
        if point["step"] == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(model_dir, tmp_path, reference, on_metrics=stop_at_five)
    seen = []
    run(model_dir, tmp_path, reference, on_metrics=seen.append)
    assert [point["step"] for point in seen] == [5, 6]


class Clock:
    """Three minutes pass until a step's point is made."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    perf_counter = monotonic

    def tick(self, point: dict[str, float]) -> None:
        self.now += 180


def test_checkpoints_are_written_by_time(model_dir, reference, tmp_path, monkeypatch):
    """Due when 5 minutes have passed as a step begins: before step 3, and before step 6."""
    monkeypatch.undo()  # checkpoints at even steps
    clock, kept = Clock(), []
    monkeypatch.setattr(checkpointed, "time", clock)
    monkeypatch.setattr(workdir, "keep_only", lambda folder, best: kept.append(folder.name))
    config = CONFIG.model_copy(update={"save_minutes": 5})
    run(model_dir, tmp_path, reference, config=config, on_metrics=clock.tick)
    assert kept == ["checkpoint-3", "checkpoint-6"]


def test_half_written_checkpoint_is_not_resumed_from(model_dir, reference, tmp_path):
    half = tmp_path / "work" / "checkpoints" / "checkpoint-4"
    half.mkdir(parents=True)
    (half / "model.safetensors").write_bytes(b"half")
    seen = []
    run(model_dir, tmp_path, reference, on_metrics=seen.append)
    assert seen[0]["step"] == 1


def test_work_folder_of_another_run_is_refused(model_dir, reference, tmp_path):
    run(model_dir, tmp_path, reference)
    config = CONFIG.model_copy(update={"learning_rate": 1e-4})
    with pytest.raises(InputError, match="another run"):
        run(model_dir, tmp_path, reference, config=config)


def test_work_folder_of_another_model_is_refused(model_dir, reference, tmp_path):
    def stop(point):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(model_dir, tmp_path, reference, on_metrics=stop)
    other = tmp_path / "other"
    shutil.copytree(model_dir, other)
    weights = load_file(other / "model.safetensors")
    save_file({name: weight + 1 for name, weight in weights.items()}, other / "model.safetensors")
    with pytest.raises(InputError, match="another run"):
        run(other, tmp_path, reference)


def test_no_pairs_stop_before_the_model_loads(tmp_path):
    with pytest.raises(InputError, match="no pairs"):
        train(
            PAIRS.clear(),
            None,
            model_dir=tmp_path / "missing",
            recipe=recipe_named("sft"),
            config=CONFIG,
            out_dir=tmp_path / "out",
            work_dir=tmp_path / "work",
            on_metrics=_ignore,
        )


def test_missing_reference_stops_a_preference_recipe(model_dir, tmp_path):
    with pytest.raises(InputError, match="needs reference log-probabilities"):
        run(model_dir, tmp_path, None)


def test_reference_of_other_pairs_is_refused(model_dir, reference, tmp_path):
    with pytest.raises(InputError, match="0 log-probabilities"):
        run(model_dir, tmp_path, reference.head(5))


def test_missing_model_is_refused(reference, tmp_path):
    with pytest.raises(InputError, match=r"config\.json is missing"):
        run(tmp_path / "nowhere", tmp_path, reference)


def test_loss_that_is_not_finite_stops_and_keeps_the_last_checkpoint(
    model_dir, reference, tmp_path
):
    poisoned = reference.with_columns(
        pl.when(pl.col("pair_id") == "pair-003")
        .then(pl.col("chosen_logprobs").list.eval(pl.element() * float("nan")))
        .otherwise(pl.col("chosen_logprobs"))
    )
    config = CONFIG.model_copy(update={"batch_size": 1, "micro_batch_size": 1})
    with pytest.raises(TrainingError, match=r"not finite at step \d+.*[Ll]ower the learning rate"):
        run(model_dir, tmp_path, poisoned, config=config)
    kept = list((tmp_path / "work" / "checkpoints").iterdir())
    assert [(folder / "whole").is_file() for folder in kept] == [True]


def test_full_disk_is_named_and_the_last_checkpoint_is_resumed_from(
    model_dir, reference, tmp_path, monkeypatch
):
    written = HuggingFaceStorageWriter.write_data

    def full_at_step_four(self, plan, planner):
        if "checkpoint-4" in str(self.path):
            raise OSError(errno.ENOSPC, "No space left on device")
        return written(self, plan, planner)

    with monkeypatch.context() as patched:
        patched.setattr(HuggingFaceStorageWriter, "write_data", full_at_step_four)
        with pytest.raises(
            TrainingError, match=r"disk is full: \[Errno 28\] No space left on device"
        ):
            run(model_dir, tmp_path, reference)
    seen = []
    run(model_dir, tmp_path, reference, on_metrics=seen.append)
    assert seen[0]["step"] == 3


def test_sharding_over_one_process_is_refused(model_dir, reference, tmp_path):
    config = CONFIG.model_copy(update={"sharding": Sharding.FSDP2})
    with pytest.raises(InputError, match="shards over several processes"):
        run(model_dir, tmp_path, reference, config=config)


def test_deepspeed_that_is_not_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setitem(sys.modules, "deepspeed", None)
    config = CONFIG.model_copy(update={"sharding": Sharding.ZERO3})
    with pytest.raises(InputError, match="pip install deepspeed"):
        training_arguments(config, tmp_path)
