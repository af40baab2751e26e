"""`iterpref evaluate` as a user calls it, on two tasks of the published data."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from typer import Typer
from typer.testing import CliRunner

from iterpref_assets.commands.evaluate import evaluate, sanitize
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.evalplus.data import EvalPlusBenchmark, load_evalplus
from iterpref_assets.core.evaluation.suite_options import SuiteOptions
from iterpref_assets.core.formats_page import written_rows
from iterpref_assets.core.starter import EXAMPLE

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
    problems = load_evalplus(
        EvalPlusBenchmark.HUMANEVAL, shared_data / "benchmarks" / "HumanEvalPlus.jsonl.gz"
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


@pytest.mark.sandbox
def test_a_result_shows_the_program_and_the_call_that_failed(command, data, samples, tmp_path):
    result = command(
        "--benchmark", "humaneval", "--data", data, "--samples", samples, "--out", tmp_path / "out",
        "--workers", 1, "--tasks", "2",
    )  # fmt: skip
    assert result.exception is None
    text = (tmp_path / "out" / "results.jsonl").read_text()
    wrong = [json.loads(line) for line in text.splitlines()][1]
    assert wrong["program"] == "def truncate_number(x): return 0.0"
    shown = (wrong["failing_call"], wrong["expected"], wrong["actual"])
    assert shown == ("truncate_number(3.5)", "0.5", "0.0")


@pytest.mark.sandbox
def test_the_console_tells_coverage_and_the_interval(command, data, samples, tmp_path):
    result = command(
        "--benchmark", "humaneval", "--data", data, "--samples", samples, "--out", tmp_path / "out",
        "--workers", 1, "--tasks", "32", "--base-only",
    )  # fmt: skip
    assert "humaneval, all tests: pass@1 100.0% (100.0% to 100.0%)" in result.stdout
    assert "1 of 1 tasks have samples that were run, 1 in all" in result.stdout


@pytest.mark.sandbox
def test_outputs_are_computed_for_tasks_that_have_samples_alone(command, data, tmp_path):
    samples = tmp_path / "one.jsonl"
    samples.write_text(json.dumps({"task_id": TASKS[0], "solution": "x = 1"}))
    result = command(
        "--benchmark", "humaneval", "--data", data, "--samples", samples, "--out", tmp_path / "out",
        "--workers", 1,
    )  # fmt: skip
    assert "1 of 2 tasks have samples" in result.stdout
    (kept,) = (tmp_path / "cache" / "iterpref").glob("expected-*.parquet")
    assert set(pl.read_parquet(kept)["task_id"]) == {TASKS[0]}


@pytest.mark.sandbox
def test_answers_are_scored_by_the_programs_in_them(command, data, tmp_path):
    answer = "First:\n```python\ndef truncate_number(x):\n    return 0\n```\nNo, this:\n"
    answer += "```python\ndef truncate_number(x):\n    return x % 1\n```\n"
    samples = tmp_path / "answers.jsonl"
    samples.write_text(json.dumps({"task_id": TASKS[0], "solution": answer}))
    shown = {}
    for name, options in (("answers", ["--answers"]), ("programs", [])):
        shown[name] = command(
            "--benchmark", "humaneval", "--data", data, "--samples", samples,
            "--out", tmp_path / name, "--workers", 1, *options,
        ).stdout  # fmt: skip
    assert "pass@1 100.0%" in shown["answers"]
    assert "1 of 1 samples look like answers" not in shown["answers"]
    assert "pass@1 0.0%" in shown["programs"]
    assert "1 of 1 samples look like answers with fenced programs" in shown["programs"]


def test_sanitize_writes_and_shows_the_programs_that_evaluate_takes(command, data, tmp_path):
    answers, out = tmp_path / "answers.jsonl", tmp_path / "programs.jsonl"
    text = "Like this:\n```python\ndef truncate_number(x):\n    return x % 1\n```\nDone."
    rows = [{"task_id": TASKS[0], "answer": text}, {"task_id": TASKS[0], "answer": "I cannot."}]
    answers.write_text("".join(json.dumps(row) + "\n" for row in rows))
    app = Typer()
    app.command()(sanitize)
    options = ["--benchmark", "humaneval", "--data", data, "--samples", answers, "--out", out]
    result = CliRunner().invoke(app, [str(option) for option in options])
    assert result.exception is None
    programs = [json.loads(line)["solution"] for line in out.read_text().splitlines()]
    assert programs == ["def truncate_number(x):\n    return x % 1", ""]
    assert "HumanEval/2 #0: 2 of 6 lines" in result.stdout
    assert "    no program" in result.stdout


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


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "not JSON"),
        ('["HumanEval/2", "x = 1"]', "not a JSON object"),
        ('{"task_id": "HumanEval/2"}', "field 'solution': missing or no text"),
        ('{"task_id": "Mbpp/2", "solution": "x"}', "they begin with 'HumanEval/'"),
        ("", "holds no sample"),
    ],
    ids=["no JSON", "a list", "no program", "another benchmark", "nothing"],
)
def test_a_bad_file_is_one_message_before_the_benchmark_is_fetched(
    command, tmp_path, monkeypatch, line, message
):
    monkeypatch.setattr(SuiteOptions, "open", lambda *_: pytest.fail("the data would be fetched"))
    samples = tmp_path / "samples.jsonl"
    samples.write_text(line)
    result = command("--benchmark", "humaneval", "--samples", samples, "--out", tmp_path / "out")
    assert isinstance(result.exception, InputError)
    assert message in str(result.exception)
    assert str(samples) in str(result.exception)


def test_an_empty_folder_is_refused_before_the_benchmark_is_fetched(command, tmp_path, monkeypatch):
    monkeypatch.setattr(SuiteOptions, "open", lambda *_: pytest.fail("the data would be fetched"))
    result = command("--benchmark", "mbpp", "--samples", tmp_path, "--out", tmp_path / "out")
    assert "holds no sample" in str(result.exception)


@pytest.mark.sandbox
def test_samples_of_ones_own_problems_are_scored(command, tmp_path):
    samples = tmp_path / "samples.jsonl"
    rows = [
        {"task_id": "mine/sum-of-lines", "solution": "import sys\nprint(sum(map(int, sys.stdin)))"},
        {"task_id": "mine/mean", "solution": "def mean(values):\n    return 0"},
    ]
    samples.write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = command(
        "--problems", EXAMPLE, "--samples", samples, "--out", tmp_path / "out", "--workers", 1
    )
    assert result.exception is None
    assert f"{EXAMPLE.name}, all tests: pass@1 50.0%" in result.stdout
    assert "2 of 3 tasks have samples" in result.stdout
    line = (tmp_path / "out" / "results.jsonl").read_text(encoding="utf-8").splitlines()[0]
    assert list(json.loads(line)) == list(written_rows()["results.jsonl"]), "docs/FORMATS.md"


def test_problems_of_ones_own_have_no_official_results(command, tmp_path):
    result = command(
        "--problems", EXAMPLE, "--samples", tmp_path, "--out", tmp_path, "--official-results"
    )
    assert "--official-results is for benchmarks only" in str(result.exception)
