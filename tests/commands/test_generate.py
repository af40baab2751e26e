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
        "iterpref evaluate --problems {} --tasks mine/mean --samples {} --out {}".format(
            EXAMPLE, out, tmp_path / "out"
        ),
    ]


def test_the_next_command_scores_the_contests_that_were_asked(command, server, tmp_path):
    server.script = [answer(content="```python\nprint(1)\n```")]
    out, data = tmp_path / "out.jsonl", tmp_path / "contests.jsonl"
    contest = {
        "question_id": "a",
        "question_content": "Print one.",
        "starter_code": "",
        "contest_date": "2024-08-03",
        "difficulty": "easy",
        "public_tests": [{"input": "", "output": "1\n", "testtype": "stdin"}],
    }
    data.write_text(json.dumps(contest) + "\n")
    result = command(
        "--model", "m", "--url", server.url, "--benchmark", "livecodebench", "--data", data,
        "--out", out, "--from", "2024-08-01", "--to", "2024-08-31", "--release", "3",
    )  # fmt: skip
    assert result.stdout.splitlines()[-1] == (
        f"iterpref evaluate --benchmark livecodebench --data {data} --from 2024-08-01 "
        f"--to 2024-08-31 --release 3 --samples {out} --out {tmp_path / 'out'}"
    )


def ask_the_example(command, server, tmp_path, monkeypatch, settings_url: str) -> None:
    """Ask `small` at the server, where the settings have a server with a model, key and body."""
    engine = {
        "kind": "openai",
        "base_url": settings_url,
        "served_model": "large",
        "api_key_env": "MY_KEY",
        "extra_body": {"top_k": 20},
    }
    monkeypatch.setenv("ITERPREF_ENGINE", json.dumps(engine))
    generator = {"source": "remote", "model": "large"}
    monkeypatch.setenv("ITERPREF_GENERATOR", json.dumps(generator))
    monkeypatch.setenv("MY_KEY", "secret")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    server.script = [answer(content=RIGHT)]
    result = command(
        "--model", "small", "--url", server.url, "--problems", EXAMPLE, "--tasks", "mine/mean",
        "--out", tmp_path / "out.jsonl",
    )  # fmt: skip
    assert result.exception is None


def test_the_server_is_asked_for_the_named_model(command, server, tmp_path, monkeypatch):
    ask_the_example(command, server, tmp_path, monkeypatch, server.url)
    assert server.asked[0]["model"] == "small"


def test_the_server_of_the_settings_is_sent_its_key_and_body(
    command, server, tmp_path, monkeypatch
):
    ask_the_example(command, server, tmp_path, monkeypatch, server.url)
    assert server.asked[0]["top_k"] == 20
    assert server.keys == ["secret"]


def test_another_server_is_sent_neither_key_nor_body(command, server, tmp_path, monkeypatch):
    ask_the_example(command, server, tmp_path, monkeypatch, "http://elsewhere.invalid/v1")
    assert "top_k" not in server.asked[0]
    assert server.keys == ["none"]


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
