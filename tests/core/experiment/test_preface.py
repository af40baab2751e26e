"""What the page tells of the arms before any of their figures."""

import re

import pytest

from iterpref_assets.core.experiment.arms import ARMS
from iterpref_assets.core.experiment.preface import PARTS, glossary
from iterpref_assets.core.training.recipes import RECIPES


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_every_recipe_stands_with_its_description(recipe):
    assert f"| {recipe.name} | {recipe.description} |" in glossary()


@pytest.mark.parametrize("arm", ARMS, ids=lambda arm: arm.name)
def test_every_part_of_an_arms_name_is_explained(arm):
    explained = {part.removesuffix("...") for parts in PARTS for part in parts.split(", ")}
    parts = [re.sub(r"[\d.]+$", "", part) for part in arm.name.split("-")[1:]]
    assert set(parts) <= explained
