"""`iterpref evaluate` as a user calls it, on two tasks of the published data."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from iterpref_assets.commands.evaluate import evaluate
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.evalplus.data import PlusBenchmark, load_plus

TASKS = ("HumanEval/2", "HumanEval/32")


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Runs the command; its cache is the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    app = Typer()
    app.command()(evaluate)

    def run(*arguments: str | Path):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return run


@pytest.fixture(scope="module")
def data(shared_data, tmp_path_factory):
    """A benchmark file of two tasks."""
    path = tmp_path_factory.mktemp("data") / "two.jsonl"
    problems = load_plus(
        PlusBenchmark.HUMANEVAL, shared_data / "benchmarks" / "HumanEvalPlus.jsonl.gz"
    ).problems
    lines = [
        {
            "task_id": name,
            "prompt": problems[name].prompt,
            "entry_point": problems[name].entry_point,
            "canonical_solution": problems[name].canonical_solution,
            "contract": "",
            "base_input": problems[name].base_input,
            "plus_input": problems[name].plus_input[:20],
            "atol": problems[name].atol,
        }
        for name in TASKS
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def samples(data, tmp_path):
    """The reference solutions as completions, and one wrong solution."""
    rows = [json.loads(line) for line in data.read_text().splitlines()]
    lines = [{"task_id": r["task_id"], "completion": r["canonical_solution"]} for r in rows]
    lines.append({"task_id": TASKS[0], "solution": "def truncate_number(x): return 0.0"})
    path = tmp_path / "samples.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.mark.sandbox
def test_a_samples_file_is_scored(command, data, samples, tmp_path):
    out = tmp_path / "out"
    result = command(
        "--benchmark", "humaneval", "--data", data, "--samples", samples, "--out", out,
        "--workers", 1,
    )  # fmt: skip
    assert result.exception is None
    assert "pass@1 75.0%" in result.stdout  # 1 of 2 and 1 of 1
    summary = json.loads((out / "summary.json").read_text())
    assert summary["base"] == summary["plus"] == {"pass@1": 0.75}
    lines = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
    assert [line["plus_status"] for line in lines] == ["pass", "pass", "fail"]
    assert lines[1]["evalplus_status"] == {"base": "fail", "plus": "fail"}


def test_a_bad_line_is_named_before_anything_runs(command, data, samples, tmp_path):
    with samples.open("a") as stream:
        stream.write('{"task_id": "HumanEval/999", "solution": ""}\n')
    out = tmp_path / "out"
    result = command("--benchmark", "humaneval", "--data", data, "--samples", samples, "--out", out)
    assert isinstance(result.exception, InputError)
    assert f"{samples}:4: field 'task_id'" in str(result.exception)
    assert not out.exists()


def test_the_command_module_loads_no_heavy_library():
    program = (
        "import sys, iterpref_assets.commands.evaluate\n"
        "print(*{'torch', 'vllm', 'transformers', 'evalplus', 'datasets', 'dagster'}"
        " & set(sys.modules))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == ""
