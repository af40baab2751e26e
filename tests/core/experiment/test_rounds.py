"""Problems solved by debugging and by sampling, program by program."""

import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.experiment.rounds import solved_by_calls


def versions(*trajectories: tuple[str, int, str]) -> pl.DataFrame:
    """Of each (problem, sample, letters): a letter a round, p for passed and f for failed."""
    rows = [
        {
            "trajectory_id": f"{problem}/{sample}", "problem_id": problem, "sample": sample,
            "round": round_, "verdict": "passed" if letter == "p" else "raised",
        }
        for problem, sample, letters in trajectories
        for round_, letter in enumerate(letters)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=tables.VERSIONS)


NONE = versions()


def solved(frame: pl.DataFrame, method: str) -> dict[int, float]:
    return dict(frame.filter(method=method).select("calls", "solved").iter_rows())


def test_debugging_solves_what_passed_in_this_round_or_before():
    run = versions(("a", 0, "p"), ("b", 0, "fp"), ("c", 0, "fff"), ("d", 0, "ffp"))
    assert solved(solved_by_calls(run, NONE, 2), "debugging") == {1: 0.25, 2: 0.5, 3: 0.75}


def test_sampling_solves_a_problem_with_its_first_sample_that_passes():
    drawn = versions(*(("a", n, letter) for n, letter in enumerate("fpf")),
                     *(("b", n, letter) for n, letter in enumerate("fff")))  # fmt: skip
    assert solved(solved_by_calls(NONE, drawn, 2), "sampling") == {1: 0.0, 2: 0.5, 3: 0.5}


def test_sampling_is_counted_up_to_as_many_samples_as_every_problem_has():
    drawn = versions(("a", 0, "f"), ("a", 1, "p"), ("b", 0, "f"))
    assert solved(solved_by_calls(NONE, drawn, 2), "sampling") == {1: 0.0}


def test_debugged_versions_are_no_samples():
    drawn = versions(("a", 0, "fp"))
    assert solved(solved_by_calls(NONE, drawn, 2), "sampling") == {1: 0.0}


def test_nothing_that_ran_leaves_no_row():
    assert solved_by_calls(NONE, NONE, 5).is_empty()
