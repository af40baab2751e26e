import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iterpref_assets.core.evaluation.bootstrap import (
    Bootstrap,
    bootstrap_difference,
    bootstrap_mean,
)

SETTINGS = Bootstrap(resamples=500)
SCORES = st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=40)


@settings(deadline=None)
@given(SCORES)
def test_the_interval_lies_within_the_values(values):
    interval = bootstrap_mean(values, SETTINGS)
    assert min(values) <= interval.low <= interval.high <= max(values)


def test_the_interval_is_as_wide_as_theory_says():
    # 100 tasks, half passing: the standard error is sqrt(0.25 / 100) = 0.05, so 1.96 of them
    # on each side of 0.5.
    interval = bootstrap_mean([0.0, 1.0] * 50, Bootstrap(resamples=4000))
    assert interval.estimate == 0.5
    assert interval.low == pytest.approx(0.402, abs=0.015)
    assert interval.high == pytest.approx(0.598, abs=0.015)


def test_equal_seeds_give_equal_intervals():
    values = [0.0, 1.0, 1.0, 0.0, 1.0]
    assert bootstrap_mean(values, SETTINGS) == bootstrap_mean(values, SETTINGS)


def test_no_tasks_are_refused_rather_than_scored_zero():
    with pytest.raises(ValueError, match="no task"):
        bootstrap_mean([], SETTINGS)


def test_a_constant_gain_has_no_spread_however_tasks_vary():
    gain = bootstrap_difference([0.5, 1.0, 0.75], [0.25, 0.75, 0.5], SETTINGS)
    assert (gain.low, gain.estimate, gain.high) == (0.25, 0.25, 0.25)


def test_differences_of_unequal_task_sets_are_refused():
    with pytest.raises(ValueError, match="zip"):
        bootstrap_difference([1.0], [1.0, 0.0], SETTINGS)
