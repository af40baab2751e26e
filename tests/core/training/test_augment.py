"""The windows that recipes read: widened differences, and what lies between prefix and suffix."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from training_examples import pair
from transformers import AutoTokenizer

from iterpref_assets.core.lab.shipped import pretrained_dir
from iterpref_assets.core.training.augment import middles, with_windows
from iterpref_assets.core.training.packing import TokenPair
from iterpref_assets.core.training.recipes import Reading, Recipe, Tokens


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
    (marked,) = marked_for(Reading(Tokens.FOCUSED, Tokens.FOCUSED))
    assert marked.rejected.middle.tolist() == [False, True, False, False]
    assert marked.rejected.difference.tolist() == [False, False, False, True]
    assert marked.chosen.middle.tolist() == [False, True, False, False]


@pytest.mark.parametrize(
    "reading", [Reading(Tokens.FOCUSED, Tokens.ALL), Reading(Tokens.ALL, Tokens.FOCUSED)]
)
def test_middles_are_marked_where_one_side_alone_is_read_so(reading):
    (marked,) = marked_for(reading)
    assert marked.chosen.middle.tolist() == [False, True, False, False]
    assert marked.rejected.middle.tolist() == [False, True, False, False]


@pytest.mark.parametrize(
    "reading", [Reading(Tokens.WIDENED, Tokens.ALL), Reading(Tokens.FOCUSED, Tokens.WIDENED)]
)
def test_difference_is_widened_on_whichever_side_is_read_so(reading):
    # the first and the last line lie beside the marked one, so every draw takes both in
    tokenizer = AutoTokenizer.from_pretrained(pretrained_dir())
    lines = [tokenizer.encode(f"{text}\n", add_special_tokens=False) for text in ("a", "b", "c")]
    ids = [token for line in lines for token in line]
    middle = list(range(len(lines[0]), len(lines[0]) + len(lines[1])))
    pairs = [pair([1], ids, ids, middle, middle)]
    (widened,) = with_windows(pairs, recipe_of(reading), pretrained_dir(), seed=0)
    side = widened.chosen if reading.chosen is Tokens.WIDENED else widened.rejected
    assert side.difference.tolist() != side.widened.tolist()
    assert side.widened.all()


@pytest.mark.parametrize("marked_line", [1, 2, 3])
def test_no_window_takes_in_the_fences_or_the_end_of_the_turn(marked_line):
    tokenizer = AutoTokenizer.from_pretrained(pretrained_dir())
    texts = ["```python\n", "a\n", "b\n", "c\n", "```"]
    lines = [tokenizer.encode(text, add_special_tokens=False) for text in texts]
    ids = [*(token for line in lines for token in line), tokenizer.eos_token_id]
    places = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    pairs = [pair([1], ids, ids, *[np.flatnonzero(places == marked_line).tolist()] * 2)]
    recipe = recipe_of(Reading(Tokens.ALL, Tokens.WIDENED))
    (widened,) = with_windows(pairs, recipe, pretrained_dir(), seed=0)
    taken = np.flatnonzero(widened.rejected.widened)
    assert set(places[taken]) <= {1, 2, 3}
    assert set(places[taken]) > {marked_line}


def test_a_recipe_that_widens_one_side_and_focuses_the_other_has_both_windows():
    tokenizer = AutoTokenizer.from_pretrained(pretrained_dir())
    chosen = tokenizer.encode("a\nb\n", add_special_tokens=False)
    rejected = tokenizer.encode("a\nc\n", add_special_tokens=False)
    pairs = [pair([1], chosen, rejected, [len(chosen) - 1], [len(rejected) - 1])]
    recipe = recipe_of(Reading(Tokens.FOCUSED, Tokens.WIDENED))
    (both,) = with_windows(pairs, recipe, pretrained_dir(), seed=0)
    expected = marks(chosen, rejected)
    assert np.flatnonzero(both.chosen.middle).tolist() == expected[0]
    assert both.rejected.widened.all()


def marked_for(reading: Reading) -> list[TokenPair]:
    """One pair with the windows of a recipe that draws none."""
    pairs = [pair([1], [4, 5, 6, 0], [4, 7, 6, 0], [0], [3])]
    return with_windows(pairs, recipe_of(reading), Path("not read"), seed=0)


def recipe_of(reading: Reading) -> Recipe:
    """A recipe of one reading."""
    return Recipe("mine", (reading,), 0.1, 0.0, "An example")
