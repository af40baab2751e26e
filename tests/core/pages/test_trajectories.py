from pathlib import Path

import polars as pl
import pytest
from read_pages import ReadPage, read_page

from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.pages import blocks
from iterpref_assets.core.pages.trajectories import write_trajectories_page

PROGRAMS = ("def f(x):\n    return x", "def f(x):\n    y = x\n    return y + 1", "return 1")
VERDICTS = {
    "a#0": [("exception", "TypeError"), ("wrong_answer", ""), ("passed", "")],
    "b#0": [("passed", "")],
    "c#0": [("wrong_answer", ""), ("timeout", "")],
}


@pytest.fixture
def page(tmp_path: Path) -> ReadPage:
    rows = [
        {
            "trajectory_id": name, "problem_id": name[0], "sample": 0, "round": round_,
            "code": PROGRAMS[round_], "verdict": verdict, "error_type": error,
            "feedback": f"told after {round_}",
        }
        for name, versions in VERDICTS.items()
        for round_, (verdict, error) in enumerate(versions)
    ]  # fmt: skip
    problems = [{"problem_id": "a", "source": "mine", "prompt": "Do <a>."}]
    versions, problem_file = tmp_path / "v.parquet", tmp_path / "p.parquet"
    # A table of several shards is in no order that a page may rely on.
    pl.DataFrame(rows[::-1], schema=tables.VERSIONS).write_parquet(versions)
    pl.DataFrame(problems, schema=tables.PROBLEMS).write_parquet(problem_file)
    count = write_trajectories_page([versions], [problem_file], tmp_path / "t.html", "T")
    assert count == 3
    return read_page(tmp_path / "t.html")


def test_trajectories_can_be_chosen_by_outcome_rounds_error_and_source(page):
    assert page.facet("Outcome") == {
        "a#0": ["solved by debugging"], "b#0": ["solved at once"], "c#0": ["not solved"],
    }  # fmt: skip
    assert page.facet("Rounds") == {"a#0": ["2"], "b#0": ["0"], "c#0": ["1"]}
    assert page.facet("Error in any version") == {
        "a#0": ["TypeError", "wrong answer"], "b#0": [], "c#0": ["timeout", "wrong answer"],
    }  # fmt: skip
    assert page.facet("Source")["a#0"] == ["mine"]


def test_a_trajectory_shows_its_problem(page):
    assert page.of_kind("a#0", "text")[0] == ["Problem", "Do <a>."]


def test_each_version_shows_what_changed_since_the_one_before(page):
    assert [marked for _, marked in page.of_kind("a#0", "code")] == [
        " def f(x):\n     return x",
        " def f(x):\n-    return x\n+    y = x\n+    return y + 1",
        "-def f(x):\n-    y = x\n-    return y + 1\n+return 1",
    ]


def test_each_version_shows_its_verdict(page):
    assert page.of_kind("a#0", "head") == [
        ["Round 0", "TypeError", "bad"],
        ["Round 1", "wrong answer", "bad"],
        ["Round 2", "passed", "good"],
    ]


def test_feedback_is_shown_after_failing_versions_alone(page):
    told = [text for title, text in page.of_kind("a#0", "text") if title == "Feedback"]
    assert told == ["told after 0", "told after 1"]


def test_long_programs_are_compared_by_their_ends(monkeypatch):
    monkeypatch.setattr(blocks, "MOST_COMPARED", 3)
    # Line by line, the shared `b` would not be marked.
    assert blocks.changed("a\nb\nc\nz", "x\nb\ny\nz") == "-a\n-b\n-c\n+x\n+b\n+y\n z"
    assert blocks.changed("a\nb\nc", "x\nb\ny") == "-a\n+x\n b\n-c\n+y"


def test_a_file_that_is_no_version_table_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.parquet"):
        write_trajectories_page([tmp_path / "absent.parquet"], [], tmp_path / "t.html", "T")
