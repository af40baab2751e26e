"""Points of the curves that a run had begun to gather when it was killed."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from training_examples import before_an_even_step, random_pairs
from two_processes import CONFIG, PAIRS, points, run_two

from iterpref_assets.core.training.checkpointed import CheckpointedTrainer
from iterpref_assets.core.training.pair_trainer import PairTrainer
from iterpref_assets.core.training.recipes import recipe_named
from iterpref_assets.core.training.trainer import TrainOutcome, train
from iterpref_assets.core.training.workdir import last_checkpoint


@pytest.fixture
def run(model_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A training of six steps in a folder, with a checkpoint behind every second one."""
    monkeypatch.setattr(CheckpointedTrainer, "wants_checkpoint", before_an_even_step)
    step = PairTrainer.training_step

    def run(folder: Path, logging_steps: int, killed_after: int | None = None) -> None:
        def killed(self, *args):
            if self.state.global_step == killed_after:
                raise KeyboardInterrupt
            return step(self, *args)

        monkeypatch.setattr(PairTrainer, "training_step", killed)
        train(
            random_pairs(24, seed=0), None, model_dir, recipe_named("sft"),
            CONFIG.model_copy(update={"logging_steps": logging_steps}),
            folder / "out", folder / "work", lambda _: None,
        )  # fmt: skip

    return run


@pytest.mark.parametrize(
    ("logging_steps", "kills"),
    [(4, [3]), (3, [5]), (100, [3, 5])],
    ids=["before the first point", "behind it", "twice before the last one"],
)
def test_a_run_killed_between_two_points_writes_the_curves_of_an_undisturbed_one(
    run, tmp_path, logging_steps, kills
):
    run(tmp_path / "whole", logging_steps)
    for step in kills:
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "cut", logging_steps, killed_after=step)
    run(tmp_path / "cut", logging_steps)
    whole, cut = (tmp_path / name / "out" / "metrics.jsonl" for name in ("whole", "cut"))
    assert cut.read_bytes() == whole.read_bytes()


def test_a_checkpoint_of_a_release_that_kept_nothing_pending_is_resumed_from(run, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, 4, killed_after=3)
    checkpoint = last_checkpoint(tmp_path / "work")
    assert checkpoint is not None
    (checkpoint / "pending.json").unlink()
    run(tmp_path, 4)
    assert [point["step"] for point in points(tmp_path)] == [4, 6]


TWO_A_POINT = CONFIG.model_copy(update={"logging_steps": 2})


def train_alone(model_dir: Path, inputs: Path, folder: Path, on_metrics) -> None:
    reference = pl.read_parquet(inputs / "reference.parquet")
    places = folder / "out", folder / "work"
    train(PAIRS, reference, model_dir, recipe_named("focal_rpo"), TWO_A_POINT, *places, on_metrics)


def expect_points_of_two_steps(one: TrainOutcome, folder: Path) -> None:
    """That each has the loss and the margin of its two steps, of 8, 8, 5, 8, 8 and 5 pairs."""
    losses, margins = ([each[key] for each in one.curve] for key in ("loss", "reward_margin"))
    found = points(folder)
    assert [point["loss"] for point in found] == pytest.approx(
        [(losses[step] + losses[step + 1]) / 2 for step in (0, 2, 4)], abs=1e-5
    )
    assert [point["reward_margin"] for point in found] == pytest.approx(
        [
            (8 * margins[0] + 8 * margins[1]) / 16,
            (5 * margins[2] + 8 * margins[3]) / 13,
            (8 * margins[4] + 5 * margins[5]) / 13,
        ],
        abs=1e-5,
    )


def expect_stopped_before_the_second_point(folder: Path) -> None:
    checkpoint = last_checkpoint(folder / "work")
    assert checkpoint is not None
    assert checkpoint.name == "checkpoint-3"


@pytest.mark.slow
def test_one_process_goes_on_with_what_two_had_gathered(model_dir, one, tmp_path):
    outcome, inputs = one
    assert run_two(model_dir, inputs, tmp_path, TWO_A_POINT, die_after=4) != 0
    expect_stopped_before_the_second_point(tmp_path)
    train_alone(model_dir, inputs, tmp_path, lambda _: None)
    expect_points_of_two_steps(outcome, tmp_path)


@pytest.mark.slow
def test_two_processes_go_on_with_what_one_had_gathered(model_dir, one, tmp_path):
    def stop_at_four(point: dict[str, float]) -> None:
        if point["step"] == 4:
            raise KeyboardInterrupt

    outcome, inputs = one
    with pytest.raises(KeyboardInterrupt):
        train_alone(model_dir, inputs, tmp_path, stop_at_four)
    expect_stopped_before_the_second_point(tmp_path)
    assert run_two(model_dir, inputs, tmp_path, TWO_A_POINT) == 0
    expect_points_of_two_steps(outcome, tmp_path)
