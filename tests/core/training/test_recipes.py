"""Recipes and their options."""

import subprocess
import sys

import pytest
from pydantic import ValidationError

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.training.config import TrainConfig
from iterpref_assets.core.training.recipes import RECIPE_NAMES, RECIPES, Tokens, recipe_named


def test_every_recipe_of_the_method_is_there():
    assert set(RECIPE_NAMES) == {
        *("sft", "sft_incorrect", "dpo", "rpo", "focal_dpo", "focal_rpo"),
        *("hybrid", "diff_augment", "symmetric", "focused_dpo", "focal_ul"),
    }


def test_unknown_recipe_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"unknown recipe 'ppo'.*focal_dpo, focal_rpo"):
        recipe_named("ppo")


def test_beta_and_alpha_are_free():
    recipe = recipe_named("focal_rpo", beta=0.5, alpha=3.0)
    assert (recipe.beta, recipe.alpha) == (0.5, 3.0)


def test_defaults_are_the_papers():
    recipe = recipe_named("focal_rpo")
    assert (recipe.beta, recipe.alpha) == (0.1, 1.0)


@pytest.mark.parametrize(
    ("name", "option"), [("sft", {"beta": 0.1}), ("dpo", {"alpha": 1.0}), ("hybrid", {"alpha": 2})]
)
def test_option_that_the_recipe_has_no_term_for_is_refused(name, option):
    with pytest.raises(InputError, match="has no term that"):
        recipe_named(name, **option)


def test_strength_that_is_not_positive_is_refused():
    with pytest.raises(InputError, match="beta"):
        recipe_named("dpo", beta=0.0)


def test_only_recipes_with_a_preference_term_need_a_reference():
    without = {recipe.name for recipe in RECIPES if not recipe.needs_reference}
    assert without == {"sft", "sft_incorrect", "focal_ul"}


def test_recipes_that_may_cut_the_rejected_completion_are_the_focal_ones():
    cutting = {
        recipe.name
        for recipe in RECIPES
        if all(r.rejected in {Tokens.DIFFERENCE, Tokens.WIDENED} for r in recipe.readings)
    }
    assert cutting == {"focal_dpo", "focal_rpo", "diff_augment", "symmetric", "focal_ul"}


def test_batch_that_micro_batches_do_not_fill_is_refused():
    with pytest.raises(ValidationError, match="not a multiple"):
        TrainConfig(batch_size=10, micro_batch_size=4)


def test_two_sizes_of_a_pass_are_refused_with_the_one_to_set_back():
    with pytest.raises(ValidationError, match=r"which is 4: set micro_batch_size to 1"):
        TrainConfig(max_tokens=100, micro_batch_size=4)


def test_recipes_and_config_load_without_torch():
    code = (
        "import sys, iterpref_assets.core.training.recipes, iterpref_assets.core.training.config\n"
        "sys.exit(bool({'torch', 'transformers', 'polars'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
