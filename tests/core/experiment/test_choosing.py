"""The rate that is best on the validation problems."""

import polars as pl
import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.experiment.choosing import best_rate, solved_share


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
