from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iterpref_assets.core.evaluation.passk import mean_pass_at_k, pass_at_k


def test_pass_at_one_is_the_share_that_passed():
    assert pass_at_k(10, 3, 1) == pytest.approx(0.3)


def test_pass_at_k_is_one_where_fewer_than_k_failed():
    assert pass_at_k(5, 3, 3) == 1.0


def test_pass_at_k_is_zero_where_none_passed():
    assert pass_at_k(100, 0, 100) == 0.0


def test_pass_at_two_of_four_with_one_passing_is_a_half():
    # The pairs of 4 samples: 6; those that miss the passing one: C(3, 2) = 3; 1 - 3/6.
    assert pass_at_k(4, 1, 2) == pytest.approx(0.5)


@settings(deadline=None)
@given(
    st.integers(1, 8).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n)))
)
def test_pass_at_k_counts_the_subsets_that_hold_a_passing_sample(drawn):
    n, c, k = drawn
    subsets = list(combinations(range(n), k))
    assert pass_at_k(n, c, k) == pytest.approx(sum(min(s) < c for s in subsets) / len(subsets))


def test_k_beyond_the_samples_is_refused():
    with pytest.raises(ValueError, match="pass@5 cannot be estimated from 4 samples"):
        pass_at_k(4, 4, 5)


def test_more_passes_than_samples_are_refused():
    with pytest.raises(ValueError, match="5 of 4"):
        pass_at_k(4, 5, 1)


def test_tasks_weigh_the_same_whatever_their_samples():
    assert mean_pass_at_k([(10, 10), (2, 0)], 1) == pytest.approx(0.5)
