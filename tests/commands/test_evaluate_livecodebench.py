"""`iterpref evaluate` on LiveCodeBench and its options."""

import json
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from iterpref_assets.commands.evaluate import evaluate
from iterpref_assets.core.errors import InputError


@pytest.fixture
def files(tmp_path):
    """A benchmark of one August and one September problem, and a program for each."""
    problems = [
        {
            "question_id": name,
            "question_content": "Print one.",
            "starter_code": "",
            "contest_date": day,
            "difficulty": difficulty,
            "public_tests": [{"input": "", "output": "1\n", "testtype": "stdin"}],
        }
        for name, day, difficulty in (("a", "2024-08-03", "easy"), ("b", "2024-09-01", "hard"))
    ]
    samples = [{"task_id": "a", "solution": "print(1)"}, {"task_id": "b", "solution": "print(2)"}]
    paths = tmp_path / "data.jsonl", tmp_path / "samples.jsonl"
    for path, rows in zip(paths, (problems, samples), strict=True):
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return paths


def run(*options: str | Path):
    app = Typer()
    app.command()(evaluate)
    return CliRunner().invoke(app, [str(option) for option in options])


@pytest.mark.sandbox
def test_contests_are_summed_up_by_difficulty(files, tmp_path):
    data, samples = files
    out = tmp_path / "out"
    result = run("--benchmark", "livecodebench", "--data", data, "--samples", samples, "--out", out)
    assert result.exception is None
    summary = json.loads((out / "summary.json").read_text())
    assert summary["base"] == {"pass@1": 0.5}
    assert summary["groups"] == {"easy": {"pass@1": 1.0}, "hard": {"pass@1": 0.0}}


def test_a_sample_outside_the_window_is_refused(files, tmp_path):
    data, samples = files
    result = run(
        "--benchmark", "livecodebench", "--data", data, "--samples", samples,
        "--out", tmp_path / "out", "--from", "2024-08-15",
    )  # fmt: skip
    assert isinstance(result.exception, InputError)
    assert f"{samples}:1: field 'task_id'" in str(result.exception)


@pytest.mark.parametrize(
    "misplaced",
    [("--from", "2024-08-15"), ("--split", "instruct"), ("--subset", "hard"), ("--libraries", ".")],
)
def test_an_option_of_another_benchmark_is_refused(files, tmp_path, misplaced):
    data, samples = files
    result = run(
        "--benchmark", "humaneval", "--data", data, "--samples", samples,
        "--out", tmp_path / "out", *misplaced,
    )  # fmt: skip
    assert isinstance(result.exception, InputError)
