"""`iterpref pairs` on trajectories in the project's own form."""

import json
from pathlib import Path

import pytest
import typer
from read_pages import read_page
from shared_cases import SHARED_CASES
from typer.testing import CliRunner

from iterpref_assets.commands.pairs import export, pairs
from iterpref_assets.core import tables
from iterpref_assets.core.pairs.manifest import require_trainable

CODE = ["def f(a):\n    return a", "def f(a):\n    return 2 * a", "def f(a):\n    return a + 1"]
OWN = {
    "problem_id": "mine/1",
    "source": "our-homework",
    "prompt": "Add one.",
    "tests": {
        "kind": "function",
        "entry_point": "f",
        "cases": [{"arguments": "(1,)", "expected": "2"}, {"arguments": "(2,)", "expected": "3"}],
    },
    "versions": [f"{code}\n\nprint(f(1))" for code in CODE],
}


def _own(folder: Path, *lines: dict) -> Path:
    file = folder / "mine.jsonl"
    file.write_text("".join(json.dumps(OWN | line) + "\n" for line in lines))
    return file


def _make(file: Path, tokenizer: Path, out: Path, *more: str) -> str:
    app = typer.Typer()
    app.command()(pairs)
    app.command()(export)
    given = ("--trajectories", str(file), "--tokenizer", str(tokenizer), "--out", str(out))
    result = CliRunner().invoke(app, ["pairs", *given, *more], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.sandbox
def test_own_trajectories_keep_their_source_and_lose_what_no_test_reaches(tokenizer, tmp_path):
    out = tmp_path / "pairs.parquet"
    shown = _make(_own(tmp_path, {}), tokenizer, out, "--negatives", "first")
    row = tables.read_table(out, tables.PAIRS).row(0, named=True)
    assert (row["problem_id"], row["prompt"]) == ("mine/1", "Add one.")
    assert (row["chosen"], row["rejected"]) == (CODE[2], CODE[0])
    assert "of which on lines that no test reaches: 0.0%" in shown
    manifest = json.loads((tmp_path / "pairs.manifest.json").read_text())
    assert (manifest["benchmark_tasks"], manifest["benchmark_sources"]) == ({}, [])
    require_trainable(out, [row["pair_id"]])


@pytest.mark.sandbox
def test_another_tokenizer_or_other_negatives_execute_nothing_again(tokenizer, tmp_path):
    file = _own(tmp_path, {})
    # Three versions, and the two that fail with the lines that no test reaches.
    assert "programs executed now: 5" in _make(file, tokenizer, tmp_path / "a.parquet")
    other = tokenizer.rename(tmp_path / "other")
    again = _make(file, other, tmp_path / "b.parquet", "--negatives", "last")
    assert "programs executed now: 0" in again
    assert tables.read_table(tmp_path / "b.parquet", tables.PAIRS)["rejected"].to_list() == [
        CODE[1]
    ]


@pytest.mark.sandbox
def test_a_task_that_cannot_be_used_is_told_of_and_the_others_are_paired(tokenizer, tmp_path):
    file = _own(tmp_path, {"problem_id": "mine 2"}, {})
    shown = _make(file, tokenizer, tmp_path / "pairs.parquet")
    (line,) = [each for each in shown.splitlines() if each.startswith("left out: ")]
    assert f"{file}:1: field 'problem_id': task 'mine 2'" in line
    assert tables.read_table(tmp_path / "pairs.parquet", tables.PAIRS).height == 1


@pytest.mark.sandbox
def test_problems_whose_samples_agree_against_their_tests_are_told_of(tokenizer, tmp_path):
    codes = [f"def f(a):\n    b = {n}\n    return a + 5" for n in range(3)]
    file = _own(tmp_path, *({"versions": [code]} for code in codes))
    shown = _make(file, tokenizer, tmp_path / "pairs.parquet")
    assert "doubtful tests: mine/1: 3 of 3 samples agree: " in shown


@pytest.mark.sandbox
def test_a_refusal_among_the_versions_is_never_rejected(tokenizer, tmp_path):
    file = SHARED_CASES / "bad_records" / "refusal_as_a_version.jsonl"
    if not file.is_file():
        pytest.skip("needs ../shared/cases/bad_records/refusal_as_a_version.jsonl, not here")
    _make(file, tokenizer, tmp_path / "pairs.parquet")
    pairs = tables.read_table(tmp_path / "pairs.parquet", tables.PAIRS)
    assert pairs["dropped_by"].to_list() == ["no_program"]


@pytest.mark.sandbox
def test_problems_without_pairs_are_told_with_why_on_the_terminal_and_the_page(tokenizer, tmp_path):
    wrong = {"problem_id": "mine/2", "versions": [CODE[0], CODE[1]]}
    alone = {"problem_id": "mine/3", "versions": [CODE[0]]}
    page = tmp_path / "pairs.html"
    out, file = tmp_path / "pairs.parquet", _own(tmp_path, {}, wrong, alone)
    shown = _make(file, tokenizer, out, "--page", str(page)).splitlines()
    start = shown.index("1 of 3 problems have pairs")
    assert shown[start + 1 : start + 4] == [
        "  mine/2: no pair: never solved: 0 of 1 first programs pass, and no repair does",
        "  mine/3: no pair: never solved: 0 of 1 first programs pass",
        "  mine/1: 1 pair",
    ]
    assert read_page(page).facet("Pairs")["mine/2"] == ["no pair: never solved"]


def test_of_the_authors_release_no_problems_are_told(tokenizer, tmp_path):
    release = tmp_path / "dpo.json"
    pair = {"prompt": "Add one.", "chosen": CODE[2], "rejected": CODE[0]}
    release.write_text(json.dumps([pair]))
    assert "problems have pairs" not in _make(release, tokenizer, tmp_path / "pairs.parquet")
