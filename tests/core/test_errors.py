"""Errors that go from one process to another."""

import pickle
from pathlib import Path

import pytest

from iterpref_assets.core.errors import InputError, SandboxUnavailableError
from iterpref_assets.core.training.failures import TrainingError


@pytest.mark.parametrize("kind", [InputError, SandboxUnavailableError])
def test_bad_input_is_told_alike_in_another_process(kind: type[InputError]) -> None:
    error = kind("is empty", remedy="Fill it", file=Path("pairs.parquet"), line=3, field="prompt")
    handed = pickle.loads(pickle.dumps(error))
    assert type(handed) is kind
    assert str(handed) == "pairs.parquet:3: field 'prompt': is empty. Fill it"
    assert (handed.file, handed.line, handed.field) == (Path("pairs.parquet"), 3, "prompt")


def test_a_stopped_training_run_is_told_alike_in_another_process() -> None:
    error = TrainingError("out of memory", remedy="Lower max_tokens")
    handed = pickle.loads(pickle.dumps(error))
    assert (handed.problem, handed.remedy) == ("out of memory", "Lower max_tokens")
