from pathlib import Path

import polars as pl
import pytest
from read_pages import read_page
from score_tables import score_table
from typer.testing import CliRunner

from iterpref_assets.commands.pages import pages
from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.errors import InputError
from iterpref_assets.steps.evaluations import GREEDY_FILE


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ITERPREF_ROOT", str(tmp_path / "data"))
    return tmp_path / "data"


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(pages, [str(each) for each in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def scores(folder: Path, name: str, verdict: str) -> Path:
    row = ("a", 0, "", "x", verdict, "", verdict == "passed", None)
    tables.write_table(score_table([row]), tables.SCORES, folder / name)
    return folder / name


def test_a_version_table_becomes_a_page(tmp_path):
    row = {"trajectory_id": "a#0", "problem_id": "a", "sample": 0, "round": 0, "code": "x",
           "verdict": "passed"}  # fmt: skip
    pl.DataFrame([row], schema=tables.VERSIONS).write_parquet(tmp_path / "v.parquet")
    told = run("trajectories", "--versions", tmp_path / "v.parquet", "--out", tmp_path / "t.html")
    assert told.startswith("trajectories: 1 in ")
    assert read_page(tmp_path / "t.html").facet("Outcome") == {"a#0": ["solved at once"]}


@pytest.fixture
def shard(tmp_path: Path) -> tuple[str | Path, ...]:
    """Options that name a pair table without a pair, and what it was made of."""
    version = {"trajectory_id": "a#0", "problem_id": "a", "sample": 0, "round": 0, "code": "x",
               "verdict": "passed"}  # fmt: skip
    made = {
        "pairs": pl.DataFrame(schema=tables.PAIRS),
        "versions": pl.DataFrame([version], schema=tables.VERSIONS),
        "problems": pl.DataFrame([{"problem_id": "a", "prompt": "Do."}], schema=tables.PROBLEMS),
    }
    for name, frame in made.items():
        frame.write_parquet(tmp_path / f"{name}.parquet")
    return tuple(part for name in made for part in (f"--{name}", tmp_path / f"{name}.parquet"))


def test_problems_without_pairs_are_shown_where_their_versions_are_given(shard, tmp_path):
    told = run("pairs", *shard, "--out", tmp_path / "p.html")
    assert told.startswith("pairs: 0 in ")
    assert read_page(tmp_path / "p.html").facet("Pairs") == {
        "a": ["no pair: always solved at once"]
    }


def test_without_versions_only_pairs_are_shown(shard, tmp_path):
    run("pairs", *shard[:2], *shard[4:], "--out", tmp_path / "p.html")
    assert read_page(tmp_path / "p.html").index["names"] == []


@pytest.mark.parametrize("given", [slice(0, 4), slice(2, 6)], ids=["no problems", "no pairs"])
def test_versions_without_the_tables_that_go_with_them_are_refused(shard, tmp_path, given):
    with pytest.raises(InputError, match="--versions"):
        run("pairs", *shard[given], "--out", tmp_path / "p.html")


def test_two_tables_of_scores_stand_side_by_side_by_their_names(tmp_path):
    files = (
        scores(tmp_path, "old.parquet", "wrong_answer"),
        scores(tmp_path, "new.parquet", "passed"),
    )
    run("evaluations", *files, "--out", tmp_path / "e.html")
    found = read_page(tmp_path / "e.html")
    assert found.facet("Change") == {"a": ["won"]}
    assert found.facet("Error of old") == {"a": ["wrong answer"]}


def test_tasks_are_shown_from_a_problem_table(tmp_path):
    problems = tmp_path / "problems.parquet"
    pl.DataFrame([{"problem_id": "a", "prompt": "Do."}], schema=tables.PROBLEMS).write_parquet(
        problems
    )
    file = scores(tmp_path, "old.parquet", "passed")
    run("evaluations", file, "--tasks", problems, "--out", tmp_path / "e.html")
    assert read_page(tmp_path / "e.html").of_kind("a", "text") == [["Task", "Do."]]


def test_scores_of_an_asset_are_named_by_its_partition(root, tmp_path):
    key = ArtifactKey("heldout_scores", "lab/reference")
    with ArtifactStore(root).publishing(Plan(key, "1", {})) as staging:
        scores(staging.folder, GREEDY_FILE, "passed")
    assert "answers: 1 in" in run("evaluations", str(key), "--out", tmp_path / "e.html")


def test_scores_that_are_nowhere_are_refused_with_what_can_be_given(root, tmp_path):
    with pytest.raises(InputError, match=r"heldout: no such file\. Give results\.jsonl"):
        run("evaluations", "heldout", "--out", tmp_path / "e.html")


@pytest.mark.parametrize(
    ("command", "asset"), [("trajectories", "debug_trajectories"), ("pairs", "codeflow_pairs")]
)
def test_a_store_without_what_is_asked_for_is_refused(root, tmp_path, command, asset):
    with pytest.raises(InputError, match=f"{asset} has not been materialized"):
        run(command, "--out", tmp_path / "p.html")
