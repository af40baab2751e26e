"""`iterpref evaluate` on programs that other harnesses judge otherwise, from ../shared/cases."""

import json
from pathlib import Path

import numpy as np
import pytest
from shared_cases import SHARED_CASES, cases
from typer import Typer
from typer.testing import CliRunner

from iterpref_assets.commands.evaluate import evaluate

LIBRARIES = Path(np.__file__).parents[1]

pytestmark = pytest.mark.sandbox


def score(folder, *options):
    app = Typer()
    app.command()(evaluate)
    result = CliRunner().invoke(app, [*map(str, options), "--out", str(folder / "out")])
    assert result.exception is None, result.exception
    text = (folder / "out" / "results.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def as_samples(folder, *rows):
    path = folder / "samples.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("case", cases("livecodebench_solutions.jsonl"))
def test_a_right_contest_program_passes(case, tmp_path):
    data = SHARED_CASES / "livecodebench_tasks.jsonl"
    (result,) = score(
        tmp_path, "--benchmark", "livecodebench", "--data", data,
        "--samples", as_samples(tmp_path, case), "--workers", 1,
    )  # fmt: skip
    assert case["right"].startswith("passed")
    assert result["verdict"] == "passed"


@pytest.mark.parametrize("case", cases("bigcodebench_solutions.jsonl"))
def test_a_library_program_passes_only_by_its_answers(case, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    data = tmp_path / "task.jsonl"
    data.write_text((SHARED_CASES / "bigcodebench_task.jsonl").read_text())
    (tmp_path / "bigcodebench_hard_ids.json").write_text("[]")
    (result,) = score(
        tmp_path, "--benchmark", "bigcodebench", "--data", data, "--libraries", LIBRARIES,
        "--samples", as_samples(tmp_path, case), "--workers", 1,
    )  # fmt: skip
    assert (result["verdict"] == "passed") is (case["right"] == "passed")
