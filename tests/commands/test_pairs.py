import json
import re
from pathlib import Path

import polars as pl
import pytest
import typer
from read_pages import read_page
from typer.testing import CliRunner

from iterpref_assets.commands.pairs import export, pairs
from iterpref_assets.commands.train import train
from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.pairs.judge import question
from iterpref_assets.core.pairs.manifest import require_trainable
from iterpref_assets.core.pairs.token_files import tokens_beside

CODE = ["def f(a):\n    return a", "def f(a):\n    return 2 * a", "def f(a):\n    return a + 1"]


def _run(*arguments: str | Path) -> str:
    app = typer.Typer()
    app.command()(pairs)
    app.command()(export)
    result = CliRunner().invoke(
        app, [str(argument) for argument in arguments], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def inputs(tmp_path: Path) -> tuple[Path, Path]:
    """A version table with one solved trajectory, and its problem table."""
    rows = [
        {
            "trajectory_id": "p#0",
            "problem_id": "p",
            "sample": 0,
            "round": number,
            "code": code,
            "verdict": "passed" if number == 2 else "wrong_answer",
        }
        for number, code in enumerate(CODE)
    ]
    versions, problems = tmp_path / "versions.parquet", tmp_path / "problems.parquet"
    pl.DataFrame(rows, schema=tables.VERSIONS).write_parquet(versions)
    pl.DataFrame([{"problem_id": "p", "prompt": "Add one."}], schema=tables.PROBLEMS).write_parquet(
        problems
    )
    return versions, problems


def _build(inputs: tuple[Path, Path], tokenizer: Path, out: Path, *more: str) -> str:
    versions, problems = inputs
    given = ("--trajectories", versions, "--problems", problems, "--tokenizer", tokenizer)
    return _run("pairs", *given, "--out", out, *more)


def test_pairs_and_their_tokens_are_written_side_by_side(inputs, tokenizer, tmp_path):
    out = tmp_path / "pairs.parquet"
    shown = _build(inputs, tokenizer, out, "--negatives", "first")
    row = tables.read_table(out, tables.PAIRS).row(0, named=True)
    assert (row["chosen"], row["rejected"]) == (CODE[2], CODE[0])
    tokens = tables.read_table(tokens_beside(out), tables.TOKENIZED_PAIRS)
    assert tokens["pair_id"].to_list() == ["p#0:0-2"]
    assert "focal share" in shown


def test_both_formats_are_exported_from_what_was_written(inputs, tokenizer, tmp_path):
    out = tmp_path / "pairs.parquet"
    _build(inputs, tokenizer, out)
    _run("export", "--format", "target-dpo", "--pairs", out, "--out", tmp_path / "dpo.json")
    _run("export", "--format", "trl", "--pairs", out, "--out", tmp_path / "trl.jsonl")
    (released,) = json.loads((tmp_path / "dpo.json").read_text())
    row = json.loads((tmp_path / "trl.jsonl").read_text())
    assert released["chosen"] == f"```python\n{CODE[2]}\n```"
    assert row["chosen"] == [{"role": "assistant", "content": released["chosen"]}]
    assert len(row["rejected_mask"]) == len(row["rejected_ids"])


def test_the_authors_release_is_read_back_with_masks(inputs, tokenizer, tmp_path):
    out, release = tmp_path / "pairs.parquet", tmp_path / "dpo.json"
    _build(inputs, tokenizer, out)
    _run("export", "--format", "target-dpo", "--pairs", out, "--out", release)
    again = tmp_path / "again.parquet"
    _run("pairs", "--trajectories", release, "--tokenizer", tokenizer, "--out", again)
    first, second = (
        tables.read_table(tokens_beside(file), tables.TOKENIZED_PAIRS).drop("pair_id")
        for file in (out, again)
    )
    assert first.equals(second)


def test_equal_inputs_give_equal_files(inputs, tokenizer, tmp_path):
    outs = [tmp_path / "first.parquet", tmp_path / "second.parquet"]
    for out in outs:
        _build(inputs, tokenizer, out)
    assert outs[0].read_bytes() == outs[1].read_bytes()
    assert tokens_beside(outs[0]).read_bytes() == tokens_beside(outs[1]).read_bytes()


@pytest.mark.sandbox
def test_recorded_trajectories_are_executed_again(tokenizer, tmp_path):
    line = {
        "task_id": "HumanEval/0",
        "prompt": "def f(a):\n    '''Add one.'''\n",
        "entry_point": "f",
        "test": "def check(candidate):\n    assert [candidate(1), candidate(2)] == [2, 3]\n",
        "implementations": [CODE[0], CODE[2]],
        "is_solved": False,
    }
    files = [tmp_path / "one.jsonl", tmp_path / "two.jsonl"]
    for file in files:
        file.write_text(json.dumps(line) + "\n")
    out = tmp_path / "pairs.parquet"
    shown = _run("pairs", "--trajectories", *files, "--tokenizer", tokenizer, "--out", out)
    assert tables.read_table(out, tables.PAIRS)["chosen"].to_list() == [CODE[2], CODE[2]]
    assert "2 trajectories do not do what was recorded" in " ".join(shown.split())
    assert re.search(r"HumanEval/0#two\W+not solved\W+passed", shown)


def test_samples_are_paired_and_refused_where_there_is_one(inputs, tokenizer, tmp_path):
    out = tmp_path / "pairs.parquet"
    with pytest.raises(InputError, match="two samples of a problem"):
        _build(inputs, tokenizer, out, "--negatives", "pass_rate")
    versions = pl.read_parquet(inputs[0]).filter(pl.col("round") != 1)
    samples = versions.with_columns(sample=pl.col("round"), round=pl.lit(0, dtype=pl.Int32()))
    samples.write_parquet(inputs[0])
    _build(inputs, tokenizer, out, "--negatives", "pass_rate")
    row = tables.read_table(out, tables.PAIRS).row(0, named=True)
    assert (row["chosen"], row["rejected"]) == (CODE[2], CODE[0])


@pytest.fixture
def judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge in the settings whose recorded answer to the one question is `FORM`."""
    row = {
        "key": f"judge#{question(CODE[2], CODE[0])}", "completion": "VERDICT: FORM",
        "finish_reason": "stop", "engine": "recorded", "prompt_tokens": 1, "completion_tokens": 1,
        "seed": 0,
    }  # fmt: skip
    path = tmp_path / "answers.parquet"
    pl.DataFrame([row], schema=tables.COMPLETIONS).write_parquet(path)
    engine = {"kind": "replay", "completions": [str(path)]}
    monkeypatch.setenv("ITERPREF_PAIRS__JUDGE", json.dumps({"engine": engine, "model": "any"}))


def test_the_judge_of_the_settings_drops_pairs_where_it_is_asked_for(
    judge, inputs, tokenizer, tmp_path
):
    out = tmp_path / "pairs.parquet"
    shown = _build(inputs, tokenizer, out, "--negatives", "first", "--judge")
    assert tables.read_table(out, tables.PAIRS)["dropped_by"].to_list() == ["judged_formatting"]
    assert "form 1" in shown
    assert "1 asked now" in shown


def test_the_same_command_asks_the_judge_nothing_twice(judge, inputs, tokenizer, tmp_path):
    out = tmp_path / "pairs.parquet"
    _build(inputs, tokenizer, out, "--negatives", "first", "--judge")
    assert "0 asked now" in _build(inputs, tokenizer, out, "--negatives", "first", "--judge")


def test_asking_a_judge_that_the_settings_do_not_name_is_refused(inputs, tokenizer, tmp_path):
    with pytest.raises(InputError, match="name no judge"):
        _build(inputs, tokenizer, tmp_path / "pairs.parquet", "--judge")


def test_kept_pairs_can_be_read_side_by_side(inputs, tokenizer, tmp_path):
    page = tmp_path / "pairs.html"
    arguments = ("--negatives", "first", "--page", str(page))
    _build(inputs, tokenizer, tmp_path / "pairs.parquet", *arguments)
    found = read_page(page)
    assert found.facet("Pairs") == {"p#0:0-2": ["kept"]}
    [[_, _, marked]] = found.of_kind("p#0:0-2", "sides")
    assert marked == " def f(a):\n-    return a\n+    return a + 1"


def test_a_version_table_without_problems_is_refused(inputs, tokenizer, tmp_path):
    given = ("--trajectories", inputs[0], "--tokenizer", tokenizer)
    with pytest.raises(InputError, match="has no prompts"):
        _run("pairs", *given, "--out", tmp_path / "pairs.parquet")


def test_a_folder_without_tokenizer_is_refused(inputs, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="empty"):
        _build(inputs, empty, tmp_path / "pairs.parquet")


def test_what_was_there_stays_where_an_input_is_bad(inputs, tokenizer, tmp_path):
    out = tmp_path / "pairs.parquet"
    out.write_text("earlier")
    pl.DataFrame(schema=tables.PROBLEMS).write_parquet(inputs[1])
    with pytest.raises(InputError, match="no problem 'p'"):
        _build(inputs, tokenizer, out)
    assert out.read_text() == "earlier"
    assert not list(tmp_path.glob("*.partial"))


def _benchmark_inputs(inputs: tuple[Path, Path], source: str = "llmdebugger") -> tuple[Path, Path]:
    """The same trajectory as one of a benchmark's own tasks."""
    task = pl.lit("HumanEval/3")
    changes = [task.alias("problem_id"), pl.lit("HumanEval/3#0").alias("trajectory_id")]
    pl.read_parquet(inputs[0]).with_columns(changes).write_parquet(inputs[0])
    changes = [task.alias("problem_id"), pl.lit(source).alias("source")]
    pl.read_parquet(inputs[1]).with_columns(changes).write_parquet(inputs[1])
    return inputs


def test_the_manifest_names_inputs_and_benchmark_tasks(inputs, tokenizer, tmp_path):
    shown = _build(_benchmark_inputs(inputs), tokenizer, tmp_path / "pairs.parquet")
    manifest = json.loads((tmp_path / "pairs.manifest.json").read_text())
    assert list(manifest["made_of"]) == ["versions.parquet", "problems.parquet"]
    assert manifest["benchmark_tasks"] == {"HumanEval": 1}
    assert manifest["benchmark_sources"] == ["llmdebugger"]
    assert manifest["allow_training_on"] == []
    assert "`iterpref train` refuses them" in shown


def test_training_on_benchmark_tasks_is_refused_without_the_override(inputs, tokenizer, tmp_path):
    out, folder = tmp_path / "pairs.parquet", tmp_path / "model"
    _build(_benchmark_inputs(inputs), tokenizer, out)
    with pytest.raises(InputError, match="HumanEval/3") as caught:
        train(out, folder, "sft", tmp_path / "out")
    assert caught.value.field == "allow_training_on"
    out.with_suffix(".manifest.json").unlink()
    with pytest.raises(InputError, match="HumanEval/3"):
        train(out, folder, "sft", tmp_path / "out")


def test_the_override_is_kept_in_the_manifest_and_lets_one_train(inputs, tokenizer, tmp_path):
    out = tmp_path / "pairs.parquet"
    given = ("--allow-training-on", "llmdebugger")
    _build(_benchmark_inputs(inputs), tokenizer, out, *given)
    manifest = json.loads((tmp_path / "pairs.manifest.json").read_text())
    assert manifest["allow_training_on"] == ["llmdebugger"]
    require_trainable(out, ["HumanEval/3#0:0-2"])


def test_the_override_of_one_source_opens_no_other(inputs, tokenizer, tmp_path):
    out = tmp_path / "pairs.parquet"
    given = ("--allow-training-on", "llmdebugger")
    shown = _build(_benchmark_inputs(inputs, source="mine"), tokenizer, out, *given)
    assert "HumanEval tasks from mine: `iterpref train` refuses them" in shown
    with pytest.raises(InputError, match="HumanEval/3 of the source 'mine'"):
        require_trainable(out, ["HumanEval/3#0:0-2"])


def test_a_manifest_with_an_unknown_override_is_refused(inputs, tokenizer, tmp_path):
    out, file = tmp_path / "pairs.parquet", tmp_path / "pairs.manifest.json"
    _build(_benchmark_inputs(inputs), tokenizer, out)
    manifest = json.loads(file.read_text()) | {"allow_training_on": ["nonsense"]}
    file.write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="llmdebugger") as caught:
        require_trainable(out, ["HumanEval/3#0:0-2"])
    assert (caught.value.file, caught.value.field) == (file, "allow_training_on.0")


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """The authors' format: a pair about HumanEval's words, and one about none."""
    fenced = [f"```python\n{code}\n```" for code in CODE[:2]]
    prompts = [" ".join(f"word{number}" for number in range(12)), "Double it."]
    rows = [{"prompt": each, "chosen": fenced[1], "rejected": fenced[0]} for each in prompts]
    path = tmp_path / "dpo.json"
    path.write_text(json.dumps(rows))
    return path


def test_released_pairs_are_kept_clear_of_the_benchmarks_that_are_given(
    release, tokenizer, tmp_path
):
    prompt = json.loads(release.read_text())[0]["prompt"]
    item = {"task_id": "HumanEval/0", "prompt": prompt, "entry_point": "g"}
    benchmark = tmp_path / "HumanEval.jsonl"
    benchmark.write_text(json.dumps({**item, "canonical_solution": ""}) + "\n")
    out = tmp_path / "pairs.parquet"
    given = ("--trajectories", release, "--tokenizer", tokenizer, "--benchmark", benchmark)
    shown = _run("pairs", *given, "--out", out)
    dropped = tables.read_table(out, tables.PAIRS)["dropped_by"].to_list()
    assert dropped == ["benchmark_overlap", None]
    assert re.search(r"benchmark overlap\s+│\s+1", shown)
    manifest = json.loads((tmp_path / "pairs.manifest.json").read_text())
    assert list(manifest["compared_with"]) == ["HumanEval.jsonl"]


def test_two_benchmark_files_of_one_name_are_refused(release, tokenizer, tmp_path):
    given = ("--trajectories", release, "--tokenizer", tokenizer)
    twice = ("--benchmark", tmp_path / "a.jsonl", "--benchmark", tmp_path / "b" / "a.jsonl")
    with pytest.raises(InputError, match="another benchmark has this name"):
        _run("pairs", *given, *twice, "--out", tmp_path / "pairs.parquet")


def test_two_trajectory_files_of_one_name_are_refused(tokenizer, tmp_path):
    second = tmp_path / "b" / "a.jsonl"
    given = ("--trajectories", tmp_path / "a.jsonl", second, "--tokenizer", tokenizer)
    with pytest.raises(InputError, match="another input has this name") as caught:
        _run("pairs", *given, "--out", tmp_path / "pairs.parquet")
    assert (caught.value.file, caught.value.field) == (second, "--trajectories")


def test_a_version_and_a_problem_table_of_one_name_are_refused(inputs, tokenizer, tmp_path):
    problems = tmp_path / "b" / inputs[0].name
    problems.parent.mkdir()
    inputs[1].rename(problems)
    with pytest.raises(InputError, match="another input has this name") as caught:
        _build((inputs[0], problems), tokenizer, tmp_path / "pairs.parquet")
    assert (caught.value.file, caught.value.field) == (problems, "--problems")
