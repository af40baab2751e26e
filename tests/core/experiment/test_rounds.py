"""Problems solved by debugging and by sampling, answer by answer."""

import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.experiment.rounds import Drawn, solved_by_calls


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


NONE = Drawn(versions(), {})


def solved(frame: pl.DataFrame, method: str) -> dict[str, list[float]]:
    """By problem, for one program and on."""
    mine = frame.filter(method=method).sort("calls")
    return dict(mine.group_by("problem_id").agg("solved").iter_rows())


def test_debugging_solves_what_passed_in_this_round_or_before():
    run = versions(("a", 0, "p"), ("b", 0, "fp"), ("c", 0, "fff"), ("d", 0, "ffp"))
    debugged = Drawn(run, dict.fromkeys("abcd", 1))
    assert solved(solved_by_calls(debugged, NONE, 2), "debugging") == {
        "a": [1, 1, 1], "b": [0, 1, 1], "c": [0, 0, 0], "d": [0, 0, 1],
    }  # fmt: skip


def test_first_answers_without_a_program_are_not_solved_by_debugging():
    debugged = Drawn(versions(("a", 0, "p"), ("b", 1, "fp")), {"a": 2, "b": 2})
    assert solved(solved_by_calls(debugged, NONE, 1), "debugging") == {
        "a": [0.5, 0.5],
        "b": [0, 0.5],
    }


def test_each_first_answer_of_a_problem_counts_with_what_is_debugged_from_it():
    run = versions(("a", 0, "fp"), ("a", 1, "p"), ("a", 2, "ff"), ("a", 3, "fp"))
    found = solved_by_calls(Drawn(run, {"a": 4}), NONE, 1)
    assert solved(found, "debugging") == {"a": [0.25, 0.75]}


def test_sampling_solves_a_problem_with_its_first_sample_that_passes():
    drawn = versions(*(("a", n, letter) for n, letter in enumerate("fpf")),
                     *(("b", n, letter) for n, letter in enumerate("fff")))  # fmt: skip
    sampled = Drawn(drawn, {"a": 3, "b": 3})
    assert solved(solved_by_calls(NONE, sampled, 2), "sampling") == {"a": [0, 1, 1], "b": [0, 0, 0]}


def test_a_sample_without_a_program_counts_as_one():
    # a's first sample has none, its second passes; b has none at all
    sampled = Drawn(versions(("a", 1, "p")), {"a": 2, "b": 2})
    assert solved(solved_by_calls(NONE, sampled, 2), "sampling") == {"a": [0, 1], "b": [0, 0]}


def test_sampling_is_counted_up_to_as_many_samples_as_every_problem_has():
    drawn = versions(("a", 0, "f"), ("a", 1, "p"), ("b", 0, "f"))
    sampled = Drawn(drawn, {"a": 2, "b": 1})
    assert solved(solved_by_calls(NONE, sampled, 2), "sampling") == {"a": [0], "b": [0]}


def test_debugged_versions_are_no_samples():
    sampled = Drawn(versions(("a", 0, "fp")), {"a": 1})
    assert solved(solved_by_calls(NONE, sampled, 2), "sampling") == {"a": [0]}


def test_nothing_that_ran_leaves_no_row():
    assert solved_by_calls(NONE, NONE, 5).is_empty()
