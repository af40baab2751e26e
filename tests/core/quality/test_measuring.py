"""A table of test quality says what was measured, and null where nothing was."""

import polars as pl
import pytest
from patient_sandbox import UNREACHED

from iterpref_assets.core import tables
from iterpref_assets.core.quality.config import QualityConfig
from iterpref_assets.core.quality.measuring import measure_tests, sampled_problems, with_ratings
from iterpref_assets.core.quality.summary import summarize_tests
from iterpref_assets.core.records import Problem

SIGN = "def f(x):\n    if x > 0:\n        return 1\n    return -1"


def problem(name: str, reference: str, *cases: tuple[str, str]) -> Problem:
    given = [{"arguments": arguments, "expected": expected} for arguments, expected in cases]
    tests = {"kind": "function", "entry_point": "f", "cases": given}
    return Problem.model_validate(
        {
            "problem_id": name, "source": "mine", "prompt": "x", "reference": reference,
            "tests": tests,
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def quality() -> pl.DataFrame:
    problems = [
        problem("strong", SIGN, ("(0,)", "-1"), ("(1,)", "1"), ("(2,)", "1"), ("(-1,)", "-1")),
        problem("weak", SIGN, ("(5,)", "1")),
        problem("wrong", SIGN, ("(5,)", "0")),
        problem("bare", "", ("(5,)", "0")),
    ]
    return measure_tests(problems, QualityConfig(mutants=50), UNREACHED)


@pytest.mark.sandbox
def test_strong_tests_reach_and_notice_more_than_weak_ones(quality: pl.DataFrame) -> None:
    rows = {row["problem_id"]: row for row in quality.iter_rows(named=True)}
    strong, weak = rows["strong"], rows["weak"]
    assert (strong["lines"], strong["covered_lines"]) == (4, 4)
    assert (weak["covered_lines"], weak["branches"], weak["covered_branches"]) == (3, 2, 1)
    assert strong["mutants"] == weak["mutants"]
    assert strong["survivors"] == []
    assert "line 2: x > 0 to x >= 0" in weak["survivors"]
    assert weak["killed"] == weak["mutants"] - len(weak["survivors"])
    assert (strong["flaky"], weak["flaky"]) == (False, False)


@pytest.mark.sandbox
def test_without_a_passing_reference_nothing_is_measured(quality: pl.DataFrame) -> None:
    rows = {row["problem_id"]: row for row in quality.iter_rows(named=True)}
    assert (rows["wrong"]["verdict"], rows["bare"]["verdict"]) == ("wrong_answer", None)
    for name in ("wrong", "bare"):
        assert [rows[name][each] for each in ("lines", "mutants", "flaky")] == [None] * 3


@pytest.mark.sandbox
def test_tests_that_a_constant_passes_are_told(quality: pl.DataFrame) -> None:
    told = dict(quality.select("problem_id", "one_result").iter_rows())
    assert told == {"strong": False, "weak": True, "wrong": True, "bare": True}


def row(name: str, **values: object) -> dict:
    return {"problem_id": name, **values}


def test_the_summary_adds_up_what_was_measured() -> None:
    frame = pl.DataFrame(
        [
            row("a", one_result=True, verdict="passed", lines=6, covered_lines=6, branches=0,
                covered_branches=0, mutants=8, killed=7, survivors=["x"], flaky=True, accuracy=5,
                effectiveness=4, reasonableness=3),
            row("b", one_result=False, verdict="passed", lines=4, covered_lines=2, branches=4,
                covered_branches=3, mutants=2, killed=1, survivors=["y"], flaky=False,
                rating_fault="not_json"),
            row("c", verdict="timeout", accuracy=2, effectiveness=4, reasonableness=3),
            row("d"),
        ],
        schema=tables.TEST_QUALITY,
    )  # fmt: skip
    assert summarize_tests(frame).model_dump() == {
        "problems": 4, "measured": 2, "line_coverage": 0.8, "branch_coverage": 0.75,
        "mutation_score": 0.8, "flaky": 1, "one_result": ["a"],
        "verdicts": {"no reference": 1, "passed": 2, "timeout": 1},
        "ratings": {"accuracy": 3.5, "effectiveness": 4.0, "reasonableness": 3.0},
        "rating_faults": {"not_json": 1},
    }  # fmt: skip


def test_a_summary_of_nothing_has_no_shares() -> None:
    summary = summarize_tests(pl.DataFrame(schema=tables.TEST_QUALITY))
    assert (summary.line_coverage, summary.mutation_score, summary.ratings) == (None, None, {})


def test_ratings_are_joined_to_their_problems() -> None:
    quality = pl.DataFrame([row("a"), row("b"), row("c")], schema=tables.TEST_QUALITY)
    text = '<scores>{"accuracy": 1, "effectiveness": 2, "reasonableness": 3}</scores>'
    answers = pl.DataFrame(
        [
            {"problem_id": "b", "completion": text, "finish_reason": "stop"},
            {"problem_id": "c", "completion": "no", "finish_reason": "stop"},
        ],
        schema=tables.COMPLETIONS,
    )
    rated = tables.validate(with_ratings(quality, answers), tables.TEST_QUALITY)
    columns = ("problem_id", "accuracy", "reasonableness", "rating_fault")
    assert rated.select(columns).rows() == [
        ("a", None, None, None), ("b", 1, 3, None), ("c", None, None, "no_scores"),
    ]  # fmt: skip


def test_the_sample_depends_on_ids_and_seed_and_keeps_the_order() -> None:
    problems = [problem(f"p{index:02d}", "", ("()", "1")) for index in range(20)]
    config = QualityConfig(problems=5)
    chosen = [each.problem_id for each in sampled_problems(problems, config)]
    assert len(chosen) == 5
    assert chosen == sorted(chosen)
    assert {p.problem_id for p in sampled_problems(problems[::-1], config)} == set(chosen)
    other = sampled_problems(problems, QualityConfig(problems=5, seed=1))
    assert [each.problem_id for each in other] != chosen
