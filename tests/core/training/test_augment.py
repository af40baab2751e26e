"""The tokens between common prefix and suffix."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from training_examples import pair

from iterpref_assets.core.training.augment import mark_middles, middles


def marks(chosen: list[int], rejected: list[int]) -> tuple[list[int], list[int]]:
    """The places of the middles."""
    sides = middles(np.array(chosen, dtype=np.int32), np.array(rejected, dtype=np.int32))
    return tuple(np.flatnonzero(side).tolist() for side in sides)


@pytest.mark.parametrize(
    ("chosen", "rejected", "places"),
    [
        ([1, 2, 3, 9], [1, 2, 4, 5, 9], ([2], [2, 3])),
        ([1, 2, 9], [1, 2, 4, 9], ([], [2])),
        ([1, 2], [3, 4], ([0, 1], [0, 1])),
        ([1, 2], [1, 2], ([], [])),
        ([1, 2, 3], [1, 2], ([2], [])),
        # the second 1 is of the prefix already, so the suffix may not take it again
        ([1, 1], [1, 1, 1], ([], [2])),
    ],
)
def test_middles_are_what_neither_prefix_nor_suffix_shares(chosen, rejected, places):
    assert marks(chosen, rejected) == places


TOKENS = st.lists(st.integers(0, 2), max_size=8)


@given(TOKENS, TOKENS)
def test_removing_the_middles_leaves_the_same_tokens(chosen, rejected):
    first, second = marks(chosen, rejected)
    assert [token for place, token in enumerate(chosen) if place not in first] == [
        token for place, token in enumerate(rejected) if place not in second
    ]


@given(TOKENS, TOKENS)
def test_each_middle_is_one_stretch(chosen, rejected):
    for places in marks(chosen, rejected):
        assert places == list(range(places[0], places[-1] + 1)) if places else True


def test_pairs_keep_their_difference_beside_the_middles():
    (marked,) = mark_middles([pair([1], [4, 5, 6, 0], [4, 7, 6, 0], [0], [3])])
    assert marked.rejected.window.tolist() == [False, True, False, False]
    assert marked.rejected.difference.tolist() == [False, False, False, True]
    assert marked.chosen.window.tolist() == [False, True, False, False]
