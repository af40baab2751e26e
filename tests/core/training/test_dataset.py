"""The order of batches, widened differences, and refused tables."""

from collections import Counter

import numpy as np
import polars as pl
import pytest
from training_examples import random_pairs

from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.lab.shipped import pretrained_dir
from iterpref_assets.core.pairs.config import PairConfig
from iterpref_assets.core.pairs.tokenization import tokenize_pairs
from iterpref_assets.core.randomness import derive_rng
from iterpref_assets.core.training.augment import widen, with_windows
from iterpref_assets.core.training.batches import collator
from iterpref_assets.core.training.config import Attention
from iterpref_assets.core.training.dataset import (
    NO_PAIR,
    BatchOrder,
    PackedPairs,
    token_pairs,
)
from iterpref_assets.core.training.recipes import recipe_named

LENGTHS = np.arange(20)[::-1].copy()


def test_every_pair_comes_once_an_epoch():
    order = BatchOrder(LENGTHS, readings=1, batch_size=8, seed=0)
    assert sorted(order) == list(range(20))


def test_rows_of_a_batch_come_by_length():
    rows = list(BatchOrder(LENGTHS, readings=1, batch_size=8, seed=0))
    for start in (0, 8, 16):
        lengths = LENGTHS[rows[start : start + 8]].tolist()
        assert lengths == sorted(lengths)


def test_epochs_differ_and_repeat_themselves():
    order = BatchOrder(LENGTHS, readings=1, batch_size=8, seed=0)
    first = list(order)
    order.set_epoch(1)
    second = list(order)
    order.set_epoch(0)
    assert first != second
    assert first == list(order)


def test_two_readings_share_every_batch_evenly():
    order = BatchOrder(np.concatenate([LENGTHS, LENGTHS]), readings=2, batch_size=8, seed=0)
    rows = list(order)
    assert sorted(row % 20 for row in rows) == list(range(20))
    assert [Counter(row // 20 for row in rows[i : i + 8]) for i in (0, 8)] == [{0: 4, 1: 4}] * 2


@pytest.mark.parametrize("seed", range(20))
def test_window_adds_one_or_two_whole_lines_on_each_side(seed):
    lines = np.repeat(np.arange(9, dtype=np.int32), 2)
    difference = lines == 4
    window = widen(difference, lines, derive_rng(seed))
    first, last = lines[window].min(), lines[window].max()
    assert (first, last) in {(a, b) for a in (2, 3) for b in (5, 6)}
    assert window.sum() == 2 * (last - first + 1)


def test_windows_of_all_four_shapes_are_drawn():
    lines = np.arange(9, dtype=np.int32)
    windows = {
        (int(lines[w].min()), int(lines[w].max()))
        for w in (widen(lines == 4, lines, derive_rng(seed)) for seed in range(50))
    }
    assert len(windows) == 4


def test_empty_difference_stays_empty():
    lines = np.arange(4, dtype=np.int32)
    assert not widen(np.zeros(4, dtype=np.bool_), lines, derive_rng(0)).any()


def test_empty_prompt_is_refused():
    empty = pl.Series([[]], dtype=pl.List(pl.Int32()))
    with pytest.raises(InputError, match="empty prompt"):
        token_pairs(random_pairs(1, 0).with_columns(prompt_ids=empty), None)


def test_two_pairs_of_one_id_are_refused():
    pairs = random_pairs(3, 0).with_columns(pair_id=pl.Series(["a", "b", "a"]))
    with pytest.raises(InputError, match="'a' names two pairs"):
        token_pairs(pairs, None)


def test_mask_of_another_length_is_refused():
    pairs = random_pairs(1, 0).with_columns(pl.col("chosen_mask").list.head(2))
    with pytest.raises(InputError, match=r"ids but 2 marks"):
        token_pairs(pairs, None)


CODE = [f"    value_{index} = call(item, {index})" for index in range(9)]


@pytest.mark.parametrize("focal", [[4], [1], [8], [1, 5], [2, 3]])
def test_windows_drawn_over_real_tokens_hold_whole_lines_around_each_hunk(focal):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(pretrained_dir())
    pairs = pl.DataFrame(
        [
            {
                "pair_id": str(number), "prompt": "Add.", "chosen": "\n".join(CODE),
                "rejected": "\n".join(CODE), "chosen_diff_lines": [0], "rejected_diff_lines": focal,
            }
            for number in range(12)
        ],
        schema=tables.PAIRS,
    )  # fmt: skip
    tokens = tokenize_pairs(pairs, tokenizer, PairConfig()).table
    recipe = recipe_named("diff_augment")
    widened = with_windows(token_pairs(tokens, None), recipe, pretrained_dir(), seed=0)
    # The code lies in a fence: one line before it, and the closing one with the end of the turn.
    # These are no lines of the program, and end every window.
    fenced = ["```python", *CODE, f"```{tokenizer.eos_token}"]
    hunks = [line + 1 for line in focal]
    seen = set()
    for pair in widened:
        ids = pair.rejected.ids[pair.rejected.widened].tolist()
        lines = tokenizer.decode(ids).removesuffix("\n").split("\n")
        seen.add(tuple(fenced.index(line) for line in lines))
    assert seen <= possible_windows(hunks, first_line=1, last=len(CODE))
    assert len(seen) > 1


def possible_windows(focal: list[int], first_line: int, last: int) -> set[tuple[int, ...]]:
    """Every set of lines that 1 or 2 more on each side of each hunk can give."""
    hunks = [[focal[0], focal[0]]]
    for line in focal[1:]:
        if line == hunks[-1][1] + 1:
            hunks[-1][1] = line
        else:
            hunks.append([line, line])
    found = {frozenset()}
    for first, end in hunks:
        found = {
            lines | set(range(max(first - before, first_line), min(end + after, last) + 1))
            for lines in found
            for before in (1, 2)
            for after in (1, 2)
        }
    return {tuple(sorted(lines)) for lines in found}


def test_last_batch_is_filled_up_so_that_all_processes_have_a_share():
    order = BatchOrder(LENGTHS, readings=1, batch_size=8, seed=0, multiple=8)
    rows = list(order)
    assert len(rows) == len(order) == 24
    assert rows[20:] == [NO_PAIR] * 4
    assert sorted(rows[:20]) == list(range(20))


def test_no_pair_is_a_row_of_which_nothing_is_read():
    dataset = PackedPairs(token_pairs(random_pairs(3, 0), None), recipe_named("dpo"), 2048)
    collate = collator(Attention.DENSE)
    assert collate([dataset[0], dataset[NO_PAIR]])["pairs"] == 1
    empty = collate([dataset[NO_PAIR], dataset[NO_PAIR]])
    assert empty["pairs"] == 0
    assert len(empty["targets"]) == 0
    assert empty["input_ids"].shape == (1, 1)
