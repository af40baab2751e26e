from pathlib import Path

import polars as pl
import pytest
from read_pages import ReadPage, read_page

from iterpref_assets.core import tables
from iterpref_assets.core.pages.pairs import write_pairs_page
from iterpref_assets.core.pairs.build import build_pairs
from iterpref_assets.core.pairs.by_problem import NoPair, ProblemPairs
from iterpref_assets.core.pairs.config import Negatives, PairConfig

BEFORE = "def f(x):\n    y = 0\n    if x:\n        y = 1\n    return y"
AFTER = "def f(x):\n    y = 0\n    if not x:\n        y = 2\n    return y"


def version(problem: str, sample: int, round_: int, code: str, verdict: str) -> dict:
    return {
        "trajectory_id": f"{problem}#{sample}", "problem_id": problem, "sample": sample,
        "round": round_, "code": code, "verdict": verdict,
    }  # fmt: skip


def built(*versions: dict, negatives: Negatives = Negatives.FIRST) -> pl.DataFrame:
    problems = [
        {"problem_id": name, "prompt": f"Do {name}.", "entry_point": "f"}
        for name in sorted({each["problem_id"] for each in versions})
    ]
    return build_pairs(
        pl.DataFrame(versions, schema=tables.VERSIONS),
        pl.DataFrame(problems, schema=tables.PROBLEMS),
        PairConfig(negatives=negatives),
    )


def shown(folder: Path, pairs: pl.DataFrame, *by_problem: ProblemPairs, **sources: str) -> ReadPage:
    file, problems = folder / "pairs.parquet", folder / "problems.parquet"
    pairs.write_parquet(file)
    rows = [{"problem_id": name, "source": source} for name, source in sources.items()]
    pl.DataFrame(rows, schema=tables.PROBLEMS).write_parquet(problems)
    count = write_pairs_page([file], [problems], folder / "p.html", "P", by_problem)
    assert count == pairs.height
    return read_page(folder / "p.html")


@pytest.fixture
def pairs() -> pl.DataFrame:
    return built(
        version("Set/a", 0, 0, BEFORE, "wrong_answer"),
        version("Set/a", 0, 1, AFTER, "passed"),
        version("b", 0, 0, "def f(x):\n    return x  # one", "wrong_answer"),
        version("b", 0, 1, "def f(x):\n    return x", "passed"),
    )


def test_the_lines_marked_in_y_minus_are_those_of_the_mask(tmp_path, pairs):
    [[_, _, marked]] = shown(tmp_path, pairs).of_kind("Set/a#0:0-1", "sides")
    lines = [line for line in marked.split("\n") if line[0] != "+"]
    focal = [number for number, line in enumerate(lines) if line[0] == "-"]
    assert focal == pairs["rejected_diff_lines"][0].to_list() == [2, 3]
    assert [lines[number] for number in focal] == ["-    if x:", "-        y = 1"]


def test_the_lines_that_y_plus_has_instead_are_marked(tmp_path, pairs):
    [[_, _, marked]] = shown(tmp_path, pairs).of_kind("Set/a#0:0-1", "sides")
    came = [line for line in marked.split("\n") if line[0] == "+"]
    assert came == ["+    if not x:", "+        y = 2"]


def test_dropped_pairs_are_there_with_what_dropped_them(tmp_path, pairs):
    assert shown(tmp_path, pairs).facet("Pairs") == {
        "Set/a#0:0-1": ["kept"], "b#0:0-1": ["dropped: equal ast"],
    }  # fmt: skip


def test_the_source_is_the_problems_or_else_the_start_of_its_id(tmp_path, pairs):
    assert shown(tmp_path, pairs, b="mine").facet("Source") == {
        "Set/a#0:0-1": ["Set"], "b#0:0-1": ["mine"],
    }  # fmt: skip


def test_pairs_can_be_chosen_by_the_size_of_the_difference(tmp_path, pairs):
    assert shown(tmp_path, pairs).facet("D- lines")["Set/a#0:0-1"] == ["2"]


def test_pairs_of_two_samples_are_told_from_those_of_debugging(tmp_path, pairs):
    sampled = built(
        version("c", 0, 0, AFTER, "passed"),
        version("c", 1, 0, BEFORE, "wrong_answer"),
        negatives=Negatives.PASS_RATE,
    )
    found = shown(tmp_path, pl.concat([pairs, sampled])).facet("Made of")
    assert found["c#0:0~1"] == ["two samples, y- of round 0"]
    assert found["b#0:0-1"] == ["debugging, y- of round 0"]


def test_a_problem_without_a_pair_stands_behind_the_pairs_with_why(tmp_path, pairs):
    lost = ProblemPairs("Set/z", 0, NoPair.NEVER_SOLVED, "0 of 8 first programs pass")
    found = shown(tmp_path, pairs, ProblemPairs("Set/a", 1), lost)
    assert found.index["names"] == ["Set/a#0:0-1", "b#0:0-1", "Set/z"]
    assert found.index["notes"][-1] == "no pair: never solved: 0 of 8 first programs pass"
    assert found.facet("Pairs")["Set/z"] == ["no pair: never solved"]
    assert found.facet("Source")["Set/z"] == ["Set"]


def test_how_many_problems_have_no_pair_stands_below_the_heading(tmp_path, pairs):
    lost = ProblemPairs("Set/z", 0, NoPair.NEVER_SOLVED, "0 of 8 first programs pass")
    shown(tmp_path, pairs, lost)
    assert "<span>1 problem without a pair</span>" in (tmp_path / "p.html").read_text()


def test_a_pair_tells_how_many_pairs_its_problem_has(tmp_path, pairs):
    rows = shown(tmp_path, pairs).of_kind("Set/a#0:0-1", "table")[0]
    assert rows[rows.index("Kept pairs of it") + 1] == "1"
