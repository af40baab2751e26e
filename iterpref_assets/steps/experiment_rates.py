"""Learning rates of the grid's arms: those that are tried, and the best one on validation."""

from __future__ import annotations

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey
from iterpref_assets.core.experiment.arms import Arm, Cell
from iterpref_assets.core.experiment.choosing import best_rate, solved_share
from iterpref_assets.settings import Settings
from iterpref_assets.steps.evaluations import GREEDY_FILE
from iterpref_assets.steps.experiment import sizes
from iterpref_assets.steps.experiment_recorded import recorded_results
from iterpref_assets.steps.step import StepContext

VALIDATION = "experiment_validation"
"""The asset that rates are chosen on. What it is made of includes models that the choice made."""


def tried_cells(settings: Settings, arm: Arm) -> list[str]:
    """The models that an arm's learning rate is chosen among."""
    return [Cell(arm=arm.name, rate=rate, seed=0).key for rate in sizes(settings).rates]


def all_tried(context: StepContext, arm: Arm) -> bool:
    """Whether each of an arm's rates is validated, so that one can be chosen."""
    recorded = recorded_results(context.settings)
    return all(
        context.store.find(ArtifactKey(VALIDATION, key)) or recorded.made_of(VALIDATION, key)
        for key in tried_cells(context.settings, arm)
    )


def chosen_cells(context: StepContext, arm: Arm, seeds: int) -> list[str]:
    """An arm's models at its best rate.

    Raises:
        InputError: where a rate has not been tried.
    """
    rates = sizes(context.settings).rates
    tried = zip(rates, tried_cells(context.settings, arm), strict=True)
    rate = best_rate({rate: validation_rate(context, key) for rate, key in tried})
    return [Cell(arm=arm.name, rate=rate, seed=seed).key for seed in range(seeds)]


def validation_rate(context: StepContext, key: str) -> float:
    """The share of validation problems that a cell's model solves, here or else on record.

    Raises:
        InputError: where it is neither.
    """
    recorded, here = recorded_results(context.settings), ArtifactKey(VALIDATION, key)
    if context.store.find(here) is None and recorded.made_of(VALIDATION, key):
        return recorded.validation(key)
    scored = context.store.current(here)
    return solved_share(tables.read_scores(scored.path(GREEDY_FILE)))
