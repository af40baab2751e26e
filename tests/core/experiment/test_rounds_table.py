"""Debugging beside sampling, on the same problems."""

import pytest
from experiment_examples import rounds

from iterpref_assets.core.experiment.rounds_table import (
    debugging_against_samples,
    most_programs,
    rounds_text,
    solved_by,
)

SIX = rounds(
    {
        "debugging": dict.fromkeys("abcdef", (0, 1, 1)),
        "sampling": {name: (0, 0, int(name in "ab")) for name in "abcdef"},
    }
)


def test_a_method_solves_the_mean_over_problems():
    made = rounds({"debugging": {"a": (0, 0.5), "b": (1, 1)}})
    assert solved_by(made, "debugging") == {1: 0.5, 2: 0.75}
    assert solved_by(made, "sampling") == {}


def test_methods_are_compared_problem_by_problem_from_two_programs_on():
    found = debugging_against_samples(SIX)
    assert {calls: each.difference.estimate for calls, each in found.items()} == {
        2: 1,
        3: pytest.approx(4 / 6),
    }
    # six and four signs, all one way: 2 of 64 and 2 of 16
    assert [each.p_value for each in found.values()] == [2 / 64, 2 / 16]
    assert [(each.won, each.lost) for each in found.values()] == [(6, 0), (4, 0)]


def test_p_is_corrected_for_the_numbers_of_programs():
    assert [each.adjusted for each in debugging_against_samples(SIX).values()] == [4 / 64, 4 / 32]


def test_shares_of_several_first_answers_are_compared_by_their_size():
    made = rounds({"debugging": {"a": (0, 0.5)}, "sampling": {"a": (0, 1)}})
    found = debugging_against_samples(made)[2]
    assert (found.difference.estimate, found.lost) == (-0.5, 1)


def test_problems_and_programs_that_one_method_lacks_are_not_compared():
    made = rounds({"debugging": {"a": (0, 1, 1), "b": (0, 1)}, "sampling": {"a": (0, 0)}})
    found = debugging_against_samples(made)
    assert {calls: each.difference.estimate for calls, each in found.items()} == {2: 1}


def test_the_claim_is_about_the_most_programs():
    found = most_programs(SIX)["debugging", "sampling"]
    assert found.difference.estimate == pytest.approx(4 / 6)
    assert most_programs(SIX.clear()) == {}


def test_the_table_tells_how_many_comparisons_p_is_corrected_for():
    assert "corrected by Holm for the 2 of them" in rounds_text(SIX)
