"""The rate that is best on the validation problems."""

import pytest

from iterpref_assets.core.experiment.choosing import best_rate


def test_the_rate_with_the_highest_pass_rate_is_chosen():
    assert best_rate({1e-5: 0.4, 3e-5: 0.6, 1e-4: 0.5}) == 3e-5


def test_of_rates_that_tie_the_lowest_is_chosen():
    assert best_rate({1e-4: 0.5, 1e-5: 0.5, 3e-5: 0.4}) == 1e-5


def test_no_rate_is_no_choice():
    with pytest.raises(ValueError, match="no rate"):
        best_rate({})
