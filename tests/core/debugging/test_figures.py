import polars as pl
import pytest

from iterpref_assets.core import tables
from iterpref_assets.core.debugging.figures import compare_budgets, pass_rate_by_round

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


def budgets(method: str, table: pl.DataFrame, max_rounds: int = 2) -> list[dict]:
    rows = compare_budgets(table, max_rounds).filter(method=method)
    return rows.select("calls", "generations", "solved", "pairs").to_dicts()


def test_the_pass_rate_is_cumulative():
    assert pass_rate_by_round(versions(a0="p", b0="wp", c0="ww", d0="wwp"), 2) == [0.25, 0.5, 0.75]


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


def test_debugged_versions_are_no_samples():
    assert [row["calls"] for row in budgets("sampling", versions(a0="wp"))] == [1]


def test_rates_are_told_in_both_directions():
    row = compare_budgets(versions(a0="wp", b0="ww"), 1).filter(method="debugging", calls=2)
    assert row["calls_per_pair"].item() == pytest.approx(4)
    assert row["pairs_per_1000"].item() == pytest.approx(250)


def test_no_pair_has_no_calls_per_pair():
    row = compare_budgets(versions(a0="p"), 0).filter(method="debugging")
    assert row["calls_per_pair"].item() is None
