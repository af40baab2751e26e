"""The validation problems, and the rate that is best on them."""

from collections import Counter

import polars as pl
import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.experiment.choosing import best_rate, part_heldout, solved_share
from iterpref_assets.core.lab.config import LabConfig
from iterpref_assets.core.lab.problems import compose_heldout
from iterpref_assets.core.records import Problem


def of_sources(*sources: str) -> list[Problem]:
    """Held-out problems, one of each of `sources` in their order."""
    composed = compose_heldout(LabConfig(heldout_problems=len(sources)))
    return [
        problem.model_copy(update={"source": source})
        for problem, source in zip(composed, sources, strict=True)
    ]


def test_of_one_source_the_first_problems_choose_the_rate():
    problems = of_sources(*"aaaaa")
    assert part_heldout(problems, 2) == (problems[:2], problems[2:])


def test_each_source_gives_its_share_of_the_validation_problems():
    # 3 of 9 problems: 2/3 of one of a, 2 and 1/3 of b; the larger remainder is a's
    problems = of_sources(*"aa", *"bbbbbbb")
    validation, reported = part_heldout(problems, 3)
    assert validation == [problems[0], *problems[2:4]]
    assert reported == [problems[1], *problems[4:]]


def test_every_problem_chooses_or_is_reported_in_the_order_of_all():
    problems = of_sources(*"abcabcaab")
    parts = part_heldout(problems, 4)
    assert [len(part) for part in parts] == [4, 5]
    assert Counter(each.source for each in parts[0]) == {"a": 2, "b": 1, "c": 1}
    for part in parts:
        assert part == [each for each in problems if each in part]


def test_the_rate_with_the_highest_pass_rate_is_chosen():
    assert best_rate({1e-5: 0.4, 3e-5: 0.6, 1e-4: 0.5}) == 3e-5


def test_of_rates_that_tie_the_lowest_is_chosen():
    assert best_rate({1e-4: 0.5, 1e-5: 0.5, 3e-5: 0.4}) == 1e-5


def test_no_rate_is_no_choice():
    with pytest.raises(ValueError, match="no rate"):
        best_rate({})


def test_the_solved_share_is_the_mean_over_problems():
    assert solved_share(pl.DataFrame({"base_passed": [True, False, True, True]})) == 3 / 4


def test_no_problem_has_no_solved_share():
    with pytest.raises(InputError, match="no scores"):
        solved_share(pl.DataFrame({"base_passed": []}, schema={"base_passed": pl.Boolean()}))
