"""Paired statistics against values worked out by hand."""

from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iterpref_assets.core.evaluation.bootstrap import Bootstrap
from iterpref_assets.core.experiment.statistics import (
    bootstrap_paired,
    holm,
    paired_differences,
    sign_flip,
)

SETTINGS = Bootstrap(resamples=500)


def test_reference_of_one_seed_stands_beside_every_seed():
    scores = np.array([[1.0, 0.0], [1.0, 1.0]])
    assert paired_differences(scores, np.array([[1.0, 0.0]])).tolist() == [[0, 0], [0, 1]]


def test_seeds_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match="not of the same problems"):
        paired_differences(np.zeros((3, 4)), np.zeros((2, 4)))


def test_problems_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match="not of the same problems"):
        paired_differences(np.zeros((2, 4)), np.zeros((2, 5)))


def test_interval_of_equal_differences_is_that_difference():
    interval = bootstrap_paired(np.full((2, 7), 0.25), SETTINGS)
    assert (interval.low, interval.estimate, interval.high) == (0.25, 0.25, 0.25)


def test_interval_of_seeds_that_disagree_reaches_to_both():
    # no problem varies, so all that moves the mean is how often either seed is drawn
    interval = bootstrap_paired(np.array([[0.0] * 5, [1.0] * 5]), SETTINGS)
    assert (interval.low, interval.estimate, interval.high) == (0.0, 0.5, 1.0)


def test_interval_over_problems_is_about_as_wide_as_the_normal_one():
    differences = np.tile([1.0, -1.0], 200)[None]
    interval = bootstrap_paired(differences, Bootstrap(resamples=4000))
    # the standard error of 400 values of variance 1 is 1 / 20
    assert interval.high == pytest.approx(1.96 / 20, abs=0.01)
    assert interval.low == pytest.approx(-1.96 / 20, abs=0.01)


def test_kinds_of_problems_are_drawn_as_often_as_they_are():
    # 40 of 400 problems gained: a mean of 0.1 with a standard error of 0.3 / 20
    differences = np.array([0.0] * 360 + [1.0] * 40)[None]
    interval = bootstrap_paired(differences, Bootstrap(resamples=4000))
    assert interval.high == pytest.approx(0.1 + 1.96 * 0.3 / 20, abs=0.003)
    assert interval.low == pytest.approx(0.1 - 1.96 * 0.3 / 20, abs=0.003)


def test_equal_settings_give_equal_intervals():
    differences = np.random.default_rng(0).normal(size=(3, 20))
    assert bootstrap_paired(differences, SETTINGS) == bootstrap_paired(differences, SETTINGS)


def test_no_difference_is_no_interval():
    with pytest.raises(ValueError, match="no differences"):
        bootstrap_paired(np.zeros((2, 0)), SETTINGS)


def test_of_one_greedy_model_each_it_is_mcnemars_exact_test():
    # 5 won, 1 lost: 2 * (1 + 6) / 2**6
    assert sign_flip(np.array([[1.0] * 5 + [-1.0] + [0.0] * 3])) == pytest.approx(2 * 7 / 64)


def test_sign_flip_of_as_many_won_as_lost_is_one():
    assert sign_flip(np.array([[1.0, 1.0, -1.0, -1.0]])) == pytest.approx(1.0)


def test_sign_flip_counts_the_signs_that_reach_the_observed_sum():
    # of the 8 signs of 1, 1, 1 only +++ and --- reach a sum of 3
    assert sign_flip(np.ones((1, 3))) == 2 / 8


def test_differences_weigh_by_their_size():
    # of the 8 signs of 1, 1/2, 1/2: +-- and -++ reach 0, those with a 1/2 of each sign 1, +++ 2;
    # the observed sum is 1
    assert sign_flip(np.array([[1.0, 0.5, -0.5]])) == 6 / 8


def test_sign_flip_of_no_difference_is_one():
    assert sign_flip(np.zeros((2, 5))) == 1.0


def test_sign_flip_averages_over_seeds_before_it_flips():
    # two seeds that differ on the same problem with opposite signs say nothing
    assert sign_flip(np.array([[1.0, 0.0], [-1.0, 0.0]])) == 1.0


def test_shares_of_other_numbers_of_samples_are_counted_in_their_common_unit():
    # thirds and halves, in sixths: 2 and 3; no other signs than ++ and -- reach 5
    assert sign_flip(np.array([[1 / 3, 1 / 2]])) == 2 / 4


SEEDS = st.lists(st.tuples(*[st.integers(-6, 6)] * 3), min_size=1, max_size=8)


@given(SEEDS, st.sampled_from([1, 3, 10]))
def test_sign_flip_is_the_share_among_all_signs(problems, samples):
    sizes = np.array(problems).T
    signs = np.array(list(product((1, -1), repeat=len(problems))))
    sums = np.abs(signs @ sizes.sum(axis=0))
    exact = float((sums >= abs(sizes.sum())).mean())
    assert sign_flip(sizes / samples) == pytest.approx(exact)


def test_many_problems_that_agree_have_a_p_value_above_zero():
    assert sign_flip(np.ones((1, 500))) == pytest.approx(2 / 2**500)
    assert 0 < sign_flip(np.ones((1, 2000))) < 1e-300


def test_more_sums_than_can_be_held_are_refused():
    shares = np.array([[1 / 7, 1 / 11, 1 / 13, 1 / 17, 1 / 19] * 300])
    with pytest.raises(ValueError, match="more than 10,000,000"):
        sign_flip(shares)


def test_what_is_no_share_of_few_samples_is_refused():
    with pytest.raises(ValueError, match="denominator up to 1000"):
        sign_flip(np.array([[0.5, 0.123456789]]))


def test_holm_multiplies_the_smallest_by_the_number_of_tests():
    # 0.01 * 3, 0.02 * 2, 0.5 * 1
    assert holm([0.5, 0.01, 0.02]) == pytest.approx([0.5, 0.03, 0.04])


def test_holm_never_falls_below_a_smaller_p_value():
    # 0.03 * 2 = 0.06, and 0.04 * 1 may not be below it
    assert holm([0.04, 0.03]) == pytest.approx([0.06, 0.06])


PROBABILITIES = st.lists(st.floats(0, 1), max_size=8)


@given(PROBABILITIES)
def test_holm_keeps_the_order(values):
    adjusted = holm(values)
    for first, one in zip(values, adjusted, strict=True):
        for second, other in zip(values, adjusted, strict=True):
            assert first > second or one <= other


@given(PROBABILITIES)
def test_holm_lowers_no_p_value_and_stays_a_probability(values):
    assert all(a >= p and a <= 1 for p, a in zip(values, holm(values), strict=True))


RESULTS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=14)


@given(RESULTS)
def test_sign_flip_of_one_greedy_model_each_is_a_binomial_test_of_what_one_solved(results):
    won = sum(ours and not theirs for ours, theirs in results)
    lost = sum(theirs and not ours for ours, theirs in results)
    tail = sum(comb(won + lost, k) for k in range(min(won, lost) + 1)) / 2 ** (won + lost)
    differences = np.array([[float(ours) - float(theirs) for ours, theirs in results]])
    assert sign_flip(differences) == pytest.approx(min(1.0, 2 * tail))


@given(RESULTS)
def test_sign_flip_does_not_depend_on_which_comes_first(results):
    differences = np.array([[float(ours) - float(theirs) for ours, theirs in results]])
    assert sign_flip(differences) == sign_flip(-differences)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=30))
def test_interval_lies_within_the_differences(values):
    interval = bootstrap_paired(np.array(values)[None], Bootstrap(resamples=100))
    assert min(values) - 1e-12 <= interval.low <= interval.high <= max(values) + 1e-12
