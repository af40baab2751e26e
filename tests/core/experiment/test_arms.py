"""What is compared, and how cells are named."""

import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.experiment.arms import (
    ARMS,
    QUICK,
    SECOND_ROUNDS,
    Cell,
    PairSet,
    arm_named,
    cell_keys,
)
from iterpref_assets.core.pairs.config import Difference, Negatives, PairConfig
from iterpref_assets.core.training.config import LAB, ImitationMean
from iterpref_assets.core.training.recipes import RECIPE_NAMES, recipe_named


def test_every_recipe_is_an_arm():
    assert set(RECIPE_NAMES) <= {arm.name for arm in ARMS}


def test_arms_have_names_of_their_own():
    names = [arm.name for arm in ARMS]
    assert len(names) == len(set(names))


def test_arms_differ_in_more_than_their_names():
    made_of = [arm.model_copy(update={"name": ""}) for arm in ARMS]
    assert len(made_of) == len(set(made_of))


@pytest.mark.parametrize("arm", ARMS, ids=lambda arm: arm.name)
def test_every_arm_has_a_term_for_its_strengths(arm):
    recipe = recipe_named(arm.recipe, beta=arm.beta, alpha=arm.alpha)
    assert arm.beta in (None, recipe.beta)


def test_the_quick_arms_are_those_of_the_papers_headline():
    assert QUICK == ("sft", "dpo", "rpo", "focal_dpo", "focal_rpo")


def test_an_arm_changes_its_own_options_of_training_alone():
    changed = arm_named("focal_rpo-alpha3").training(LAB, rate=1e-4, seed=2)
    assert changed == LAB.model_copy(update={"learning_rate": 1e-4, "seed": 2, "alpha": 3.0})


def test_an_arm_can_take_the_imitation_by_pairs():
    training = arm_named("focal_rpo-by_pairs").training(LAB, rate=1e-5, seed=0)
    assert training.imitation_mean is ImitationMean.PAIRS


def test_an_arm_with_twice_the_epochs_differs_in_them_alone():
    changed = arm_named("focal_rpo-twice").training(LAB, rate=1e-4, seed=2)
    once = arm_named("focal_rpo").training(LAB, rate=1e-4, seed=2)
    assert changed == once.model_copy(update={"epochs": 2 * LAB.epochs})


def test_a_second_round_is_trained_as_its_first_one_was():
    for arm in SECOND_ROUNDS:
        first = arm_named(arm.after or "").training(LAB, rate=1e-4, seed=2)
        assert arm.training(LAB, rate=1e-4, seed=2) == first


def test_every_second_round_has_a_rival_with_as_many_epochs():
    for arm in SECOND_ROUNDS:
        rival = arm_named(f"{arm.after}-twice")
        alike = {"name": rival.name, "after": None, "epochs_factor": 2}
        assert rival == arm.model_copy(update=alike)


def test_no_second_round_goes_on_from_another():
    assert [arm_named(arm.after or "").after for arm in SECOND_ROUNDS] == 4 * [None]


def test_the_pairs_of_a_second_round_go_by_its_name():
    assert arm_named("focal_rpo-second").pairs_name == "focal_rpo-second"
    assert arm_named("focal_rpo-twice").pairs_name == "random"


def test_pair_sets_differ_from_the_methods_in_one_thing_each():
    made = {each: each.config(PairConfig(seed=3)) for each in PairSet}
    assert made[PairSet.RANDOM] == PairConfig(seed=3)
    assert made[PairSet.LAST] == PairConfig(seed=3, negatives=Negatives.LAST)
    assert made[PairSet.PREFIX_SUFFIX] == PairConfig(seed=3, difference=Difference.PREFIX_SUFFIX)


def test_a_pair_set_does_not_depend_on_what_the_settings_choose():
    chosen = PairConfig(negatives=Negatives.FIRST, difference=Difference.PREFIX_SUFFIX)
    assert PairSet.RANDOM.config(chosen) == PairConfig()


def test_unknown_arm_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"unknown arm 'ppo'.*focal_dpo-beta0.5"):
        arm_named("ppo")


@pytest.mark.parametrize("key", cell_keys(ARMS, (1e-5, 3e-4), 2))
def test_a_cell_is_read_as_it_was_written(key):
    assert Cell.parse(key).key == key


def test_the_reference_is_one_cell_that_is_not_trained():
    cell = Cell.parse("reference")
    assert (cell.is_reference, cell.rate, cell.seed) == (True, None, None)


@pytest.mark.parametrize("key", ["sft", "sft@1e-5", "sft@fast@0", "sft@1e-5@one", "ppo@1e-5@0"])
def test_what_names_no_cell_is_refused(key):
    with pytest.raises(InputError, match=r"no cell of the grid|unknown arm"):
        Cell.parse(key)
