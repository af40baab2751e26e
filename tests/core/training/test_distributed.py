"""Two processes train as one does."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from two_processes import CONFIG, PAIRS, expect_same, points, run_two, train_one

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.training import trainer
from iterpref_assets.core.training.arguments import training_arguments
from iterpref_assets.core.training.config import Precision, Sharding, TrainConfig
from iterpref_assets.core.training.recipes import recipe_named
from iterpref_assets.core.training.reference import compute_reference_logprobs
from iterpref_assets.core.training.trainer import train
from iterpref_assets.core.training.workdir import last_checkpoint


def expect_ran(two: Path, sharding: Sharding) -> None:
    """That the named component ran: every parameter a DTensor, or none."""
    found = json.loads((two / "ran.json").read_text())
    sharded = sharding is Sharding.FSDP2
    assert found["is_fsdp2"] is sharded
    assert found["dtensors"] == (found["parameters"] if sharded else 0)
    assert found["parameters"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("sharding", [Sharding.NONE, Sharding.FSDP2])
def test_two_gloo_processes_have_the_losses_and_weights_of_one(model_dir, one, tmp_path, sharding):
    config = CONFIG.model_copy(update={"sharding": sharding})
    assert run_two(model_dir, one[1], tmp_path, config) == 0
    expect_ran(tmp_path, sharding)
    expect_same(one, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("sharding", [Sharding.NONE, Sharding.FSDP2])
def test_micro_batches_by_tokens_have_the_losses_and_weights_of_one_process(
    model_dir, one, tmp_path, sharding
):
    options = {"sharding": sharding, "micro_batch_size": 1, "max_tokens": 90}
    assert run_two(model_dir, one[1], tmp_path, CONFIG.model_copy(update=options)) == 0
    expect_ran(tmp_path, sharding)
    expect_same(one, tmp_path)


@pytest.mark.slow
def test_sharded_mixed_precision_begins_at_the_reference(model_dir, one, tmp_path):
    config = CONFIG.model_copy(
        update={
            "sharding": Sharding.FSDP2,
            "precision": Precision.MIXED_BFLOAT16,
            "learning_rate": 1e-9,
        }
    )
    inputs = tmp_path / "inputs"
    reference = compute_reference_logprobs(PAIRS, model_dir, config, inputs / "parts")
    PAIRS.write_parquet(inputs / "pairs.parquet")
    reference.write_parquet(inputs / "reference.parquet")
    assert run_two(model_dir, inputs, tmp_path, config) == 0
    expect_ran(tmp_path, Sharding.FSDP2)
    for point, exact in zip(points(tmp_path), untrained(model_dir, tmp_path), strict=True):
        assert point["reward_margin"] == pytest.approx(0, abs=1e-3)
        # Rounded to bfloat16, whose steps there are 2 ** -5, it would be further off.
        assert point["loss"] == pytest.approx(exact, abs=1e-2)


def untrained(model_dir: Path, folder: Path) -> list[float]:
    """The losses of every batch in float32, the weights as good as unmoved."""
    config = CONFIG.model_copy(update={"learning_rate": 1e-9})
    return [point["loss"] for point in train_one(model_dir, folder / "exact", config).curve]


@pytest.mark.slow
def test_sharding_that_would_shard_nothing_is_refused(model_dir, one, monkeypatch, tmp_path):
    monkeypatch.setattr(trainer, "training_arguments", without_sharding)
    config = CONFIG.model_copy(update={"sharding": Sharding.FSDP2})
    with pytest.raises(InputError, match="fsdp2 shards nothing"):
        train(
            PAIRS,
            pl.read_parquet(one[1] / "reference.parquet"),
            model_dir,
            recipe_named("focal_rpo"),
            config,
            tmp_path / "out",
            tmp_path / "work",
            lambda _: None,
        )


def without_sharding(config: TrainConfig, work_dir: Path):
    """What accelerate makes of fsdp2 on a CPU."""
    return training_arguments(config.model_copy(update={"sharding": Sharding.NONE}), work_dir)


@pytest.fixture(scope="module", params=[Sharding.NONE, Sharding.FSDP2])
def killed(request, model_dir, one, tmp_path_factory) -> tuple[Path, TrainConfig]:
    """What two processes leave that are killed in step 5; sharded ones write in the background."""
    folder = tmp_path_factory.mktemp("killed")
    config = CONFIG.model_copy(update={"sharding": request.param})
    assert run_two(model_dir, one[1], folder, config, die_after=5) != 0
    whole = last_checkpoint(folder / "work")
    assert whole is not None
    in_background = request.param is Sharding.FSDP2
    assert whole.name in ({"checkpoint-3", "checkpoint-4"} if in_background else {"checkpoint-4"})
    return folder, config


@pytest.mark.slow
def test_two_processes_that_were_killed_resume(model_dir, one, killed, tmp_path):
    folder, config = killed
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    assert run_two(model_dir, one[1], tmp_path, config) == 0
    expect_same(one, tmp_path)


def train_alone(model_dir: Path, inputs: Path, folder: Path, on_metrics) -> None:
    train(
        PAIRS,
        pl.read_parquet(inputs / "reference.parquet"),
        model_dir,
        recipe_named("focal_rpo"),
        CONFIG,
        folder / "out",
        folder / "work",
        on_metrics,
    )


@pytest.mark.slow
def test_one_process_goes_on_where_two_were_killed(model_dir, one, killed, tmp_path):
    shutil.copytree(killed[0], tmp_path, dirs_exist_ok=True)
    seen = []
    train_alone(model_dir, one[1], tmp_path, seen.append)
    assert [point["step"] for point in seen] in ([4, 5, 6], [5, 6])
    expect_same(one, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("sharding", [Sharding.NONE, Sharding.FSDP2])
def test_two_processes_go_on_where_one_stopped(model_dir, one, tmp_path, sharding):
    def stop_at_five(point: dict[str, float]) -> None:
        if point["step"] == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_alone(model_dir, one[1], tmp_path, stop_at_five)
    assert (
        run_two(model_dir, one[1], tmp_path, CONFIG.model_copy(update={"sharding": sharding})) == 0
    )
    expect_ran(tmp_path, sharding)
    assert json.loads((tmp_path / "ran.json").read_text())["steps_before"] == 4
    expect_same(one, tmp_path)
