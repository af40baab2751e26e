"""Focal tokens by lines, by tokens and by syntax-tree nodes, with the lab's tokenizer."""

import polars as pl
import pytest
from transformers import AutoTokenizer

from iterpref_assets.core import tables
from iterpref_assets.core.lab.shipped import pretrained_dir
from iterpref_assets.core.pairs.build import compare
from iterpref_assets.core.pairs.config import Difference, PairConfig
from iterpref_assets.core.pairs.tokenization import tokenize_pairs

CHOSEN = "def f(x):\n    y = x + 1\n    return y"
REJECTED = "def f(x):\n    y = x + 2\n    return y"


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(pretrained_dir())


def focal(tokenizer, chosen: str, rejected: str, difference: Difference) -> tuple[str, str]:
    """What the focal tokens of both sides spell."""
    config = PairConfig(difference=difference)
    row = {"pair_id": "p", "prompt": "Add.", **compare(chosen, rejected, config)}
    pairs = pl.DataFrame([{**row, "dropped_by": None}], schema=tables.PAIRS)
    (tokens,) = tokenize_pairs(pairs, tokenizer, config).table.iter_rows(named=True)
    return tuple(
        tokenizer.decode(
            [
                token
                for token, marked in zip(tokens[f"{side}_ids"], tokens[f"{side}_mask"], strict=True)
                if marked
            ]
        )
        for side in ("chosen", "rejected")
    )


def test_lines_are_focal_whole(tokenizer):
    marked = focal(tokenizer, CHOSEN, REJECTED, Difference.LCS)
    assert [each.strip() for each in marked] == ["y = x + 1", "y = x + 2"]


@pytest.mark.parametrize("difference", [Difference.TOKENS, Difference.FORKS, Difference.NODES])
def test_finer_units_mark_the_changed_number_alone(tokenizer, difference):
    marked = focal(tokenizer, CHOSEN, REJECTED, difference)
    assert [each.strip() for each in marked] == ["1", "2"]


def test_nodes_mark_an_expression_whose_operator_changed(tokenizer):
    marked = focal(tokenizer, CHOSEN, CHOSEN.replace("+", "*"), Difference.NODES)
    assert [each.strip() for each in marked] == ["x + 1", "x * 1"]


def test_forks_mark_the_first_token_of_each_run_of_different_ones(tokenizer):
    other = "def f(x):\n    y = x + 1 - 2 * 3\n    return y if y else 4"
    by_tokens = focal(tokenizer, CHOSEN, other, Difference.TOKENS)[1]
    forks = focal(tokenizer, CHOSEN, other, Difference.FORKS)[1]
    assert by_tokens.split() == ["-", "2", "*", "3", "if", "y", "else", "4"]
    assert forks.split() == ["-", "if"]


@pytest.mark.parametrize("difference", [Difference.TOKENS, Difference.FORKS, Difference.NODES])
def test_side_that_only_lacks_something_keeps_its_lines(tokenizer, difference):
    shorter = "def f(x):\n    y = g(x)\n    return y"
    longer = "def f(x):\n    y = g(x, 1)\n    return y"
    _, rejected = focal(tokenizer, longer, shorter, difference)
    assert rejected.strip() == "y = g(x)"


def test_program_that_is_no_python_keeps_its_lines(tokenizer):
    broken = "def f(x):\n    y = x + (\n    return y"
    marked = focal(tokenizer, CHOSEN, broken, Difference.NODES)
    assert [each.strip() for each in marked] == ["y = x + 1", "y = x + ("]


@pytest.mark.parametrize("difference", list(Difference))
def test_ids_do_not_depend_on_how_the_difference_is_found(tokenizer, difference):
    config = PairConfig(difference=difference)
    row = {"pair_id": "p", "prompt": "Add.", **compare(CHOSEN, REJECTED, config)}
    pairs = pl.DataFrame([{**row, "dropped_by": None}], schema=tables.PAIRS)
    table = tokenize_pairs(pairs, tokenizer, config).table
    by_lines = tokenize_pairs(pairs, tokenizer, PairConfig()).table
    assert table["rejected_ids"].to_list() == by_lines["rejected_ids"].to_list()
