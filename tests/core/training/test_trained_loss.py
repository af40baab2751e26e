"""The loss and gradient of whole runs are those of the equations written out in float64."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from plain_equations import plain_loss
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from training_examples import VOCABULARY, random_pairs
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from iterpref_assets.core import tables
from iterpref_assets.core.training.config import Precision, Schedule, TrainConfig
from iterpref_assets.core.training.dataset import BatchOrder
from iterpref_assets.core.training.recipes import RECIPES, Recipe
from iterpref_assets.core.training.trainer import load_dataset, train

PAIRS = random_pairs(7, seed=11)
CONFIG = TrainConfig(
    # AdamW moves a weight by at most this, which float32 rounds away: every step sees the base
    learning_rate=1e-30,
    schedule=Schedule.CONSTANT,
    epochs=1,
    batch_size=4,
    micro_batch_size=2,
    precision=Precision.FLOAT32,
    gradient_checkpointing=False,
)
"""Two steps of two micro-batches: of 2 and 2 pairs, and of 2 and 1."""


def random_reference() -> pl.DataFrame:
    """A reference that is not the policy: where they agree, K is 0 whatever tokens are read."""
    rng = np.random.default_rng(3)
    columns = {
        f"{side}_logprobs": [(-5 * rng.random(len(ids))).tolist() for ids in PAIRS[f"{side}_ids"]]
        for side in ("chosen", "rejected")
    }
    return pl.DataFrame({"pair_id": PAIRS["pair_id"], **columns}, schema=tables.REFERENCE_LOGPROBS)


REFERENCE = random_reference()


@pytest.fixture(scope="module")
def base(model_dir: Path) -> Path:
    """The tiny model with a tokenizer in which every fifth token ends a line."""
    words = {f"{number}{'' if number % 5 else chr(10)}": number for number in range(VOCABULARY)}
    tokenizer = Tokenizer(WordLevel(words, unk_token="1"))
    folder = model_dir.with_name("tiny-with-lines")
    AutoModelForCausalLM.from_pretrained(model_dir).save_pretrained(folder)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(folder)
    return folder


def trained(base: Path, recipe: Recipe, folder: Path) -> list[dict[str, float]]:
    """The points of a run, one a step."""
    reference = REFERENCE if recipe.needs_reference else None
    places = folder / "out", folder / "work"
    return train(PAIRS, reference, base, recipe, CONFIG, *places, lambda _: None).curve


def expected(base: Path, recipe: Recipe) -> list[tuple[float, float]]:
    """Loss and norm of the gradient of every batch."""
    reference = REFERENCE if recipe.needs_reference else None
    dataset = load_dataset(PAIRS, reference, base, recipe, CONFIG)
    order = BatchOrder(
        dataset.lengths(), readings=len(recipe.readings), batch_size=CONFIG.batch_size, seed=0
    )
    rows = list(order)
    results = []
    for batch in (rows[:4], rows[4:]):
        model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float64)
        places = [divmod(row, len(PAIRS)) for row in batch]
        pairs = [dataset.pairs[place] for _, place in places]
        readings = [recipe.readings[reading] for reading, _ in places]
        loss = plain_loss(model, pairs, readings, recipe)
        loss.backward()
        gradient = torch.cat([weight.grad.flatten() for weight in model.parameters()])
        results.append((loss.item(), gradient.norm().item()))
    return results


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_loss_of_every_step_is_that_of_the_equations(base, tmp_path, recipe):
    losses = [point["loss"] for point in trained(base, recipe, tmp_path)]
    assert losses == pytest.approx([loss for loss, _ in expected(base, recipe)], rel=1e-6)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_gradient_of_every_step_is_as_long_as_that_of_the_equations(base, tmp_path, recipe):
    norms = [point["grad_norm"] for point in trained(base, recipe, tmp_path)]
    assert norms == pytest.approx([norm for _, norm in expected(base, recipe)], rel=1e-5)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("dpo", "focal_dpo"),
        ("dpo", "focused_dpo"),
        ("focal_dpo", "symmetric"),
        ("focal_dpo", "diff_augment"),
    ],
)
def test_recipes_that_read_other_tokens_have_other_losses_here(base, one, other):
    by_name = {recipe.name: recipe for recipe in RECIPES}
    first, second = (expected(base, by_name[name])[0][0] for name in (one, other))
    assert abs(first - second) > 0.01
