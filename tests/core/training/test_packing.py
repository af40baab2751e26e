"""Rows worked out by hand, and the fewest tokens."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from training_examples import EDGE_PAIRS, pair

from iterpref_assets.core.training.batches import branch_mask, collate
from iterpref_assets.core.training.packing import lay_out, pack
from iterpref_assets.core.training.recipes import RECIPES, recipe_named

FOCAL = recipe_named("focal_rpo").readings[0]
PLAIN = recipe_named("dpo").readings[0]
IMITATE = recipe_named("sft").readings[0]
# prompt 1 2; y+ = 4 5 6 0, y- = 4 5 7 8 0, whose D- is the token 7
EXAMPLE = pair([1, 2], [4, 5, 6, 0], [4, 5, 7, 8, 0], [2], [2])


def test_focal_row_holds_the_shared_tokens_and_both_branches():
    row = pack(EXAMPLE, FOCAL)
    # y+ needs 6 as input (to predict 0); 7 is predicted from the shared part and then not needed
    assert row.input_ids.tolist() == [1, 2, 4, 5, 6]
    assert row.segments.tolist() == [0, 0, 0, 0, 1]
    assert row.targets.tolist() == [4, 5, 6, 0, 7]
    assert row.at.tolist() == [1, 2, 3, 4, 3]
    assert row.chosen.tolist() == [1, 1, 1, 1, 0]
    assert row.rejected.tolist() == [0, 0, 0, 0, 1]


def test_plain_row_restarts_the_positions_of_the_rejected_branch():
    row = pack(EXAMPLE, PLAIN)
    assert row.input_ids.tolist() == [1, 2, 4, 5, 6, 7, 8]
    assert row.position_ids.tolist() == [0, 1, 2, 3, 4, 4, 5]
    assert row.segments.tolist() == [0, 0, 0, 0, 1, 2, 2]
    assert row.targets.tolist() == [4, 5, 6, 0, 7, 8, 0]
    assert row.at.tolist() == [1, 2, 3, 4, 3, 5, 6]
    assert row.rejected.tolist() == [1, 1, 0, 0, 1, 1, 1]


def test_focused_row_counts_the_marked_tokens_twice():
    row = pack(EXAMPLE, recipe_named("focused_dpo").readings[0])
    # the marks are the third token of each side; predictions: y+, then y- after the common 4 5
    assert row.targets.tolist() == [4, 5, 6, 0, 7, 8, 0]
    assert row.chosen.tolist() == [1, 1, 2, 1, 0, 0, 0]
    assert row.rejected.tolist() == [1, 1, 0, 0, 2, 1, 1]


def test_imitation_row_holds_nothing_of_the_other_side():
    row = pack(EXAMPLE, IMITATE)
    assert row.input_ids.tolist() == [1, 2, 4, 5, 6]
    assert row.imitated.tolist() == [1, 1, 1, 1]


def test_difference_within_the_common_prefix_counts_on_both_sides():
    row = pack(EDGE_PAIRS["D- within the common prefix"], FOCAL)
    assert row.targets.tolist() == [4, 5, 6, 7, 0]
    assert row.chosen.tolist() == [1, 1, 1, 1, 1]
    assert row.rejected.tolist() == [0, 1, 1, 0, 0]


def test_row_is_at_most_as_long_as_max_length():
    row = pack(EXAMPLE.cut(4), FOCAL)
    assert row.input_ids.tolist() == [1, 2, 4]


def test_branches_do_not_see_each_other():
    mask = branch_mask(torch.tensor([[0, 0, 1, 2, 3]]))[0, 0].int().tolist()
    assert mask == [
        [1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [1, 1, 0, 1, 0],
        [1, 1, 0, 0, 1],
    ]


def test_padded_rows_keep_their_own_predictions():
    batch = collate([pack(EXAMPLE, PLAIN), pack(EXAMPLE, FOCAL)])
    assert batch["input_ids"].shape == (2, 7)
    assert batch["at"].tolist() == [1, 2, 3, 4, 3, 5, 6, 8, 9, 10, 11, 10]
    assert batch["pair"].tolist() == [0] * 7 + [1] * 5


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
@given(data=st.data())
def test_planned_length_is_that_of_the_packed_row(recipe, data):
    tokens = st.lists(st.integers(1, 3), min_size=1, max_size=6)
    chosen, rejected = data.draw(tokens), data.draw(tokens)
    marks = [
        data.draw(st.lists(st.integers(0, len(side) - 1), max_size=3))
        for side in (chosen, rejected)
    ]
    example = pair(data.draw(tokens), chosen, rejected, *marks)
    for reading in recipe.readings:
        row = pack(example, reading)
        layout = lay_out(example, reading)
        assert len(row.input_ids) == len(row.position_ids) == len(row.segments) == layout.inputs
        assert (row.at < layout.inputs).all()
        assert np.array_equal(row.input_ids[: layout.prompt], example.prompt)
