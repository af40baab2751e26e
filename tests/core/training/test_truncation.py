"""What max_length cuts off is counted and told."""

import logging
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from training_examples import pair

from iterpref_assets.core import tables
from iterpref_assets.core.training.config import Precision, TrainConfig
from iterpref_assets.core.training.packing import TokenPair
from iterpref_assets.core.training.recipes import recipe_named
from iterpref_assets.core.training.trainer import train
from iterpref_assets.core.training.truncation import Truncation

# a prompt of 2 tokens and two completions of 6, whose D+ and D- are the third and the fourth token
LONG = pair([1, 2], [4, 5, 6, 7, 8, 0], [4, 5, 9, 10, 8, 0], [2, 3], [2, 3])
# y+ has 2 tokens, y- has 4
SHORT = pair([1, 2], [4, 5], [4, 5, 6, 7], [1], [2, 3])


@pytest.mark.parametrize(
    ("name", "max_length", "cut", "without_focal"),
    [
        ("focal_dpo", 8, 0, 0),
        ("focal_dpo", 7, 1, 0),
        ("focal_dpo", 5, 1, 0),  # one of the two tokens of D- is left
        ("focal_dpo", 4, 1, 1),
        ("symmetric", 6, 0, 0),  # reads nothing of what is cut
        ("symmetric", 5, 1, 0),
        ("hybrid", 4, 1, 1),  # for the half of its batches that reads D-
        ("dpo", 7, 1, 0),
        ("dpo", 4, 1, 0),  # reads no focal tokens, so misses none
    ],
)
def test_pairs_that_lose_tokens_the_recipe_reads_are_counted(name, max_length, cut, without_focal):
    counted = Truncation.of([LONG], recipe_named(name), max_length)
    assert counted == Truncation(pairs=1, cut=cut, without_focal=without_focal)


@pytest.mark.parametrize(("name", "cut"), [("sft", 0), ("sft_incorrect", 1)])
def test_pair_is_not_cut_where_only_the_side_that_is_not_read_is(name, cut):
    assert Truncation.of([SHORT], recipe_named(name), 5).cut == cut


def test_pair_with_a_widened_token_left_is_not_without_focal_tokens():
    side = LONG.rejected
    window = np.array([False, True, True, True, True, False])
    widened = replace(side, widened=window)
    pairs = [TokenPair(LONG.prompt, LONG.chosen, widened)]
    counts = [Truncation.of(pairs, recipe_named("diff_augment"), n).without_focal for n in (4, 3)]
    assert counts == [0, 1]


def test_pairs_are_counted_one_by_one():
    counted = Truncation.of([LONG, SHORT, LONG], recipe_named("focal_rpo"), 4)
    # y+ of SHORT fits, its D- does not
    assert counted == Truncation(pairs=3, cut=3, without_focal=3)


def run(model_dir, folder, max_length):
    tokenized = pl.DataFrame(
        [
            {
                "pair_id": name, "prompt_ids": each.prompt,
                "chosen_ids": each.chosen.ids, "rejected_ids": each.rejected.ids,
                "chosen_mask": each.chosen.difference, "rejected_mask": each.rejected.difference,
            }
            for name, each in (("long", LONG), ("short", SHORT))
        ],
        schema=tables.TOKENIZED_PAIRS,
    )  # fmt: skip
    reference = pl.DataFrame(
        {
            "pair_id": ["long", "short"],
            "chosen_logprobs": [[-1.0] * 6, [-1.0] * 2],
            "rejected_logprobs": [[-1.0] * 6, [-1.0] * 4],
        },
        schema=tables.REFERENCE_LOGPROBS,
    )
    config = TrainConfig(
        batch_size=2, epochs=1, precision=Precision.FLOAT32, max_length=max_length,
        gradient_checkpointing=False,
    )  # fmt: skip
    places = folder / "out", folder / "work"
    recipe = recipe_named("focal_dpo")
    return train(tokenized, reference, model_dir, recipe, config, *places, lambda _: None)


def test_counts_are_among_the_figures_of_a_run(model_dir, tmp_path):
    figures = run(model_dir, tmp_path, max_length=5).figures
    # of SHORT the second token of D- is cut, of LONG y+ and the second token of D-
    assert (figures["pairs_cut"], figures["pairs_without_focal_tokens"]) == (2, 0)


def test_one_warning_tells_the_counts(model_dir, tmp_path, caplog):
    run(model_dir, tmp_path, max_length=4)
    (warning,) = [record for record in caplog.records if "max_length" in record.getMessage()]
    assert warning.levelno == logging.WARNING
    assert warning.getMessage() == (
        "max_length 4 cuts off tokens that focal_dpo reads in 2 of 2 pairs; "
        "2 pairs have no focal token left, so that their K(y-) is 0"
    )


def test_nothing_is_told_where_nothing_is_cut(model_dir, tmp_path, caplog):
    run(model_dir, tmp_path, max_length=8)
    assert not [r for r in caplog.records if "max_length" in r.getMessage()]
