"""What a failing run does with a checkpoint that is still being written."""

import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
from torch.distributed.checkpoint import HuggingFaceStorageWriter
from training_examples import before_an_even_step, random_pairs

from iterpref_assets.core.training import checkpointed
from iterpref_assets.core.training.checkpointed import CheckpointedTrainer
from iterpref_assets.core.training.checkpoints import CheckpointWriter
from iterpref_assets.core.training.config import Precision, TrainConfig
from iterpref_assets.core.training.recipes import recipe_named
from iterpref_assets.core.training.trainer import train
from iterpref_assets.core.training.workdir import last_checkpoint

CONFIG = TrainConfig(batch_size=2, precision=Precision.FLOAT32, gradient_checkpointing=False)


class StepFailedError(Exception):
    """Stops the run at its third step."""


@pytest.fixture
def fails_at_step_three(
    model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[], None]], None]:
    """A run whose checkpoint of step 2 is written in the background from the failure on.

    It takes what the writing does first.
    """
    failed = Event()
    write = HuggingFaceStorageWriter.write_data

    def fail(point: dict[str, float]) -> None:
        if point["step"] == 3:
            failed.set()
            raise StepFailedError

    def run(before_writing: Callable[[], None]) -> None:
        def write_late(self, plan, planner):
            failed.wait()
            before_writing()
            return write(self, plan, planner)

        monkeypatch.setattr(HuggingFaceStorageWriter, "write_data", write_late)
        recipe, out, work = recipe_named("sft"), tmp_path / "out", tmp_path / "work"
        train(random_pairs(8, seed=0), None, model_dir, recipe, CONFIG, out, work, fail)

    monkeypatch.setattr(CheckpointedTrainer, "wants_checkpoint", before_an_even_step)
    monkeypatch.setattr(
        checkpointed, "CheckpointWriter", lambda in_background: CheckpointWriter(in_background=True)
    )
    return run


def test_a_checkpoint_that_is_being_written_as_a_step_fails_is_written_to_its_end(
    fails_at_step_three, tmp_path: Path
) -> None:
    with pytest.raises(StepFailedError):
        fails_at_step_three(lambda: time.sleep(0.5))
    kept = last_checkpoint(tmp_path / "work")
    assert kept is not None
    assert kept.name == "checkpoint-2"


def test_a_checkpoint_that_cannot_be_written_does_not_hide_why_the_step_failed(
    fails_at_step_three,
) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(StepFailedError):
        fails_at_step_three(full)
