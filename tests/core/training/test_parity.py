"""Packed rows give the loss and the gradients of the equations written out."""

from pathlib import Path

import numpy as np
import pytest
import torch
from packed import packed_loss
from plain_equations import plain_loss
from training_examples import EDGE_PAIRS, VOCABULARY, pair, random_pairs
from transformers import AutoModelForCausalLM

from iterpref_assets.core.training.config import ImitationMean
from iterpref_assets.core.training.dataset import token_pairs
from iterpref_assets.core.training.packing import TokenPair
from iterpref_assets.core.training.policy import give_logprobs
from iterpref_assets.core.training.recipes import RECIPES, Recipe

IMITATING = [recipe for recipe in RECIPES if recipe.alpha > 0]


def compare(
    model_dir: Path,
    pairs: list[TokenPair],
    recipe: Recipe,
    chunk=7,
    imitation_mean=ImitationMean.TOKENS,
) -> None:
    plain = AutoModelForCausalLM.from_pretrained(model_dir, dtype=torch.float64)
    readings = [recipe.readings[i % len(recipe.readings)] for i in range(len(pairs))]
    expected = plain_loss(plain, pairs, readings, recipe, imitation_mean)
    expected.backward()

    packed = AutoModelForCausalLM.from_pretrained(model_dir, dtype=torch.float32)
    give_logprobs(packed, chunk)
    loss = packed_loss(packed, pairs, recipe, imitation_mean=imitation_mean)
    loss.backward()

    assert loss.item() == pytest.approx(expected.item(), abs=1e-5)
    gradients = dict(packed.named_parameters())
    for name, parameter in plain.named_parameters():
        assert parameter.grad is not None
        difference = (gradients[name].grad.double() - parameter.grad).abs().max().item()
        assert difference < 1e-5 * max(1.0, parameter.grad.abs().max().item()), name


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
@pytest.mark.parametrize("case", EDGE_PAIRS)
def test_packed_row_gives_the_plain_loss_and_gradients(model_dir, recipe, case):
    compare(model_dir, [EDGE_PAIRS[case]] * 2, recipe)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_padded_batch_of_packed_rows_gives_the_plain_loss_and_gradients(model_dir, recipe):
    compare(model_dir, [*token_pairs(random_pairs(6, 1), None), *EDGE_PAIRS.values()], recipe)


@pytest.mark.parametrize("mean", [ImitationMean.PAIRS, ImitationMean.SUMS])
@pytest.mark.parametrize("recipe", IMITATING, ids=lambda recipe: recipe.name)
def test_other_means_of_imitation_give_the_plain_loss_and_gradients(model_dir, recipe, mean):
    pairs = [*token_pairs(random_pairs(6, 1), None), *EDGE_PAIRS.values()]
    compare(model_dir, pairs, recipe, imitation_mean=mean)


@pytest.mark.parametrize("max_length", [4, 6, 7, 8])
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_truncated_pairs_give_the_plain_loss_and_gradients(model_dir, recipe, max_length):
    pairs = [example.cut(max_length) for example in EDGE_PAIRS.values()]
    compare(model_dir, pairs, recipe)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_pairs_longer_than_2048_tokens_are_cut_there(model_dir, recipe):
    rng = np.random.default_rng(7)
    prompt = rng.integers(1, VOCABULARY, 900).tolist()
    chosen = rng.integers(1, VOCABULARY, 1300).tolist()
    rejected = [*chosen[:1100], *rng.integers(1, VOCABULARY, 200).tolist()]
    # D- lies on both sides of the cut, which comes after 1,148 tokens of the completion
    marked = [*range(1090, 1110), *range(1140, 1160)]
    example = pair(prompt, chosen, rejected, marked, marked).cut(2048)
    assert len(example.prompt) + len(example.rejected.ids) == 2048
    compare(model_dir, [example, EDGE_PAIRS["ordinary"]], recipe, 512)
