"""`iterpref generate` as a user calls it: a server, a folder, one's own problems."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from scripted_server import answer
from typer import Typer
from typer.testing import CliRunner

from iterpref_assets.commands.generate import generate
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.starter import EXAMPLE

RIGHT = "```python\ndef mean(values):\n    if not values:\n        raise ValueError\n"
RIGHT += "    return sum(values) / len(values)\n```"


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Runs the command; its cache is the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    app = Typer()
    app.command()(generate)

    def run(*arguments: str | Path):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return run


@pytest.fixture
def humaneval(shared_data) -> Path:
    return shared_data / "benchmarks" / "HumanEvalPlus.jsonl.gz"


def rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_server_answers_a_problem_file(command, server, tmp_path):
    server.script = [answer(content=RIGHT)]
    out = tmp_path / "out.jsonl"
    result = command(
        "--model", "the-model", "--url", server.url, "--problems", EXAMPLE, "--out", out,
        "--tasks", "mine/mean",
    )  # fmt: skip
    assert result.exception is None
    (row,) = rows(out)
    assert row["task_id"] == "mine/mean"
    assert row["answer"] == RIGHT
    assert "return sum(values) / len(values)" in row["solution"]
    assert server.asked[0]["model"] == "the-model"
    assert server.asked[0]["temperature"] == 0


def test_the_next_command_is_told(command, server, tmp_path):
    server.script = [answer(content=RIGHT)]
    out = tmp_path / "out.jsonl"
    result = command(
        "--model", "m", "--url", server.url, "--problems", EXAMPLE, "--out", out,
        "--tasks", "mine/mean",
    )  # fmt: skip
    assert result.stdout.splitlines() == [
        f"1 samples of 1 tasks in {out}: 0 hold no program, 0 calls gave no answer",
        f"iterpref evaluate --problems {EXAMPLE} --samples {out} --out {tmp_path / 'out'}",
    ]


def test_a_second_call_asks_nothing_again(command, server, tmp_path):
    server.script = [answer(content=RIGHT)]
    arguments = ["--model", "m", "--url", server.url, "--problems", EXAMPLE]
    arguments += ["--out", tmp_path / "out.jsonl"]
    command(*arguments)
    first = (tmp_path / "out.jsonl").read_bytes()
    command(*arguments)
    assert len(server.asked) == 3
    assert (tmp_path / "out.jsonl").read_bytes() == first


def test_a_server_is_asked_a_benchmark_in_a_chat_without_a_begun_answer(
    command, server, humaneval, tmp_path
):
    server.script = [answer(content="```python\ndef truncate_number(number):\n    return 1\n```")]
    out = tmp_path / "out.jsonl"
    result = command(
        "--model", "m", "--url", server.url, "--benchmark", "humaneval", "--data", humaneval,
        "--out", out, "--tasks", "2",
    )  # fmt: skip
    assert result.exception is None
    assert [turn["role"] for turn in server.asked[0]["messages"]] == ["user"]
    assert rows(out)[0]["solution"] == "def truncate_number(number):\n    return 1"


def test_a_folder_generates_and_evalplus_reads_its_samples(
    command, humaneval, tiny_checkpoint, tmp_path
):
    from evalplus.data import load_solutions

    out = tmp_path / "out.jsonl"
    result = command(
        "--model", tiny_checkpoint, "--engine", "transformers", "--benchmark", "humaneval",
        "--data", humaneval, "--out", out, "--tasks", "53", "--max-tokens", "8", "--base",
    )  # fmt: skip
    assert result.exception is None
    (row,) = list(load_solutions(str(out)))
    assert row["task_id"] == "HumanEval/53"
    assert row["solution"].startswith("def add(x: int, y: int):")
    assert "answer" not in row


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--problems", EXAMPLE, "--benchmark", "mbpp"], "Give --benchmark or --problems"),
        ([], "Give --benchmark or --problems"),
        (["--problems", EXAMPLE, "--samples", "3"], "Give --samples with --temperature"),
        (["--problems", EXAMPLE, "--url", "http://u:p@x/v1"], "field 'openai.base_url'"),
        (["--problems", EXAMPLE, "--url", "http://x/v1", "--base"], "a server answers chats"),
        (["--problems", EXAMPLE, "--engine", "replay"], "field 'replay.completions'"),
        (["--benchmark", "mbpp", "--split", "instruct"], "--split is for bigcodebench only"),
        (["--problems", EXAMPLE, "--tasks", "none"], "'none' names no task"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_what_contradicts_itself_is_refused(command, tmp_path, options, message):
    result = command("--model", "lab", "--out", tmp_path / "out.jsonl", *options)
    assert isinstance(result.exception, InputError)
    assert message in str(result.exception)


def test_a_model_that_is_nowhere_is_refused_with_what_can_be_given(command, tmp_path):
    result = command("--model", "nowhere", "--problems", EXAMPLE, "--out", tmp_path / "out.jsonl")
    assert "OWNER/NAME@COMMIT of the hub" in str(result.exception)


def test_the_command_module_loads_no_heavy_library():
    program = (
        "import sys, iterpref_assets.commands.generate\n"
        "print(*{'torch', 'vllm', 'transformers', 'evalplus', 'datasets', 'dagster'}"
        " & set(sys.modules))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == ""
