import polars as pl
import pytest

from iterpref_assets.core import tables
from iterpref_assets.core.debugging.figures import (
    answer_figures,
    compare_budgets,
    pass_rate_by_round,
)
from iterpref_assets.core.records import Case, FunctionTests, Problem

LETTERS = {"p": "passed", "w": "wrong_answer", "r": "refused"}


def versions(**trajectories: str) -> pl.DataFrame:
    """Trajectories by problem and sample (`a0`), a letter for each version's verdict."""
    rows = [
        {
            "trajectory_id": f"{name[0]}#{name[1]}",
            "problem_id": name[0],
            "sample": int(name[1]),
            "round": number,
            "code": "",
            "verdict": LETTERS[letter],
        }
        for name, letters in trajectories.items()
        for number, letter in enumerate(letters)
    ]
    return pl.DataFrame(rows, schema=tables.VERSIONS)


def calls_of(table: pl.DataFrame, asked_again: tuple[str, ...] = ()) -> pl.DataFrame:
    """A call for each debugged version, and one more for each trajectory in `asked_again`."""
    debugged = table.filter(pl.col("round") > 0)
    again = pl.concat(
        [table.filter(trajectory_id=each).tail(1) for each in asked_again] or [table[:0]]
    )
    rows = pl.concat([debugged, again]).select("problem_id", "sample", "round")
    return rows.with_columns(finish_reason=pl.lit("stop"))


def budgets(method: str, table: pl.DataFrame, max_rounds: int = 2) -> list[dict]:
    rows = compare_budgets(table, calls_of(table), max_rounds).filter(method=method)
    return rows.select("calls", "generations", "solved", "pairs").to_dicts()


def test_the_pass_rate_is_cumulative():
    table = versions(a0="p", b0="wp", c0="ww", d0="wwp")
    assert pass_rate_by_round(table, 4, 2) == [0.25, 0.5, 0.75]


def test_a_trajectory_without_any_program_counts_as_unsolved():
    assert pass_rate_by_round(versions(a0="p", b0="wp"), 4, 1) == [0.25, 0.5]


def test_debugging_pays_for_every_version_and_stops_where_it_passes():
    table = versions(a0="p", b0="wp", c0="www")
    assert budgets("debugging", table) == [
        {"calls": 1, "generations": 3, "solved": 1 / 3, "pairs": 0},
        {"calls": 2, "generations": 5, "solved": 2 / 3, "pairs": 1},
        {"calls": 3, "generations": 6, "solved": 2 / 3, "pairs": 1},
    ]


def test_sampling_stops_once_it_has_a_pair_and_goes_on_where_all_pass():
    table = versions(a0="p", a1="p", a2="w", b0="w", b1="p", b2="p", c0="w", c1="w", c2="w")
    assert budgets("sampling", table) == [
        {"calls": 1, "generations": 3, "solved": 1 / 3, "pairs": 0},
        {"calls": 2, "generations": 6, "solved": 2 / 3, "pairs": 1},
        {"calls": 3, "generations": 8, "solved": 2 / 3, "pairs": 2},
    ]


def test_a_program_that_never_ran_is_no_failing_sample():
    assert budgets("sampling", versions(a0="p", a1="r"))[1]["pairs"] == 0


def test_a_trajectory_that_was_only_refused_before_it_passed_has_no_pair():
    assert [row["pairs"] for row in budgets("debugging", versions(a0="rp", b0="rwp"))] == [0, 0, 1]


def test_answers_without_a_program_are_calls_of_either_method():
    table = versions(a0="p", b0="p", b2="w")
    prose = pl.DataFrame({"problem_id": ["a", "b"], "sample": [1, 1], "round": [1, 1]})
    calls = prose.cast({"sample": pl.Int32, "round": pl.Int32}).with_columns(
        finish_reason=pl.lit("stop")
    )
    rows = compare_budgets(table.cast({"sample": pl.Int32}), calls, 1)
    # Of debugging's five trajectories two hold no program in either of their two answers.
    assert rows.filter(method="debugging")["generations"].to_list() == [5, 7]
    assert rows.filter(method="debugging")["solved"].to_list() == [0.4, 0.4]
    # b has its pair at its third sample: the second was prose.
    assert rows.filter(method="sampling")["pairs"].to_list() == [0, 0, 1]


def test_debugged_versions_are_no_samples():
    assert [row["calls"] for row in budgets("sampling", versions(a0="wp"))] == [1]


def test_rates_are_told_in_both_directions():
    table = versions(a0="wp", b0="ww")
    row = compare_budgets(table, calls_of(table), 1).filter(method="debugging", calls=2)
    assert row["calls_per_pair"].item() == pytest.approx(4)
    assert row["pairs_per_1000"].item() == pytest.approx(250)


def test_no_pair_has_no_calls_per_pair():
    table = versions(a0="p")
    row = compare_budgets(table, calls_of(table), 0).filter(method="debugging")
    assert row["calls_per_pair"].item() is None


def test_asking_again_within_a_round_is_a_call():
    table = versions(a0="wp", b0="wp")
    rows = compare_budgets(table, calls_of(table, asked_again=("a#0",)), 1)
    assert rows.filter(method="debugging")["solved"].to_list() == [0, 0.5, 1]


PROBLEM = Problem(
    problem_id="a",
    source="test",
    prompt="Give 1.",
    entry_point="f",
    tests=FunctionTests(entry_point="f", cases=(Case(arguments="()", expected="1"),)),
)


def completions(*answers: tuple[str, str]) -> pl.DataFrame:
    rows = [
        {"problem_id": "a", "completion": text, "finish_reason": reason} for text, reason in answers
    ]
    return pl.DataFrame(rows, schema=tables.COMPLETIONS)


def test_answers_without_a_program_are_counted_by_kind():
    first = completions(("I cannot help with that.", "stop"), ("```python\ndef f(", "length"))
    later = completions(("def f():\n    return 1", "stop"), ("", "prompt_too_long"))
    figures = answer_figures(first, later, versions(a0="p"), {"a": PROBLEM})
    assert figures["answers"] == 4
    assert figures["no_program"] == {"cut_off": 1, "prompt_too_long": 1, "refusal": 1}


def test_programs_that_are_given_again_are_counted():
    codes = ["x = 1", "x = 1  # still", "x = 2", "x = 1", "x = 3"]
    table = versions(a0="wwwww").with_columns(code=pl.Series(codes))
    figures = answer_figures(completions(), completions(), table, {"a": PROBLEM})
    assert (figures["debugged_versions"], figures["unchanged"], figures["tried_before"]) == (
        4,
        1,
        1,
    )
