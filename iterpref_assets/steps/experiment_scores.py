"""Scores of the grid's models on the held-out problems: greedy, and sampled where asked for."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue, ValidationError

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, Plan
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.config import EvaluationConfig
from iterpref_assets.core.experiment.arms import Cell, arm_named
from iterpref_assets.core.experiment.choosing import part_heldout
from iterpref_assets.core.records import Problem
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.seeds.lab import LabSeeds
from iterpref_assets.settings import Settings
from iterpref_assets.steps.evaluations import (
    GREEDY_FILE,
    SAMPLED_FILE,
    score_problems,
    scoring_config,
    scoring_gpus,
)
from iterpref_assets.steps.experiment import EXPERIMENT_MODELS, PARENTS_OF_BASE, sizes
from iterpref_assets.steps.experiment_rates import VALIDATION
from iterpref_assets.steps.experiment_samples import is_asked, never
from iterpref_assets.steps.experiment_second import EXPERIMENT_SECOND_MODELS
from iterpref_assets.steps.heldout_problems import HELDOUT_PROBLEMS, read_problems
from iterpref_assets.steps.models import base_model_folder
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.step import Parent, Select, Step, StepContext, each_named


def _scores_config(context: StepContext, _partition: str) -> Mapping[str, JsonValue]:
    asked = sizes(context.settings)
    return {
        **scoring_config(context.settings, asked.base_model),
        "base_model": asked.base_model,
        "validation_problems": asked.validation_problems,
        # The lab's are of one source: what was scored before they were parted by source stands.
        **({} if isinstance(context.settings.seeds, LabSeeds) else {"parted_by": "source"}),
    }


def sampling(settings: Settings) -> EvaluationConfig:
    """How samples of the reported problems are drawn, where `draws_samples`.

    Raises:
        InputError: where the settings ask for several samples and draw them greedily.
    """
    asked = {**settings.sampled_evaluation.model_dump(), "samples": sizes(settings).samples}
    try:
        return EvaluationConfig.model_validate(asked)
    except ValidationError as error:
        raise InputError(
            error.errors()[0]["msg"],
            field="experiment.samples",
            remedy="Raise sampled_evaluation.temperature, or lower experiment.samples",
        ) from error


def draws_samples(settings: Settings) -> bool:
    """Whether the grid's models are scored on samples too."""
    return is_asked(settings) and sizes(settings).samples > 0


def _sampled_config(context: StepContext, partition: str) -> Mapping[str, JsonValue]:
    return {
        **_scores_config(context, partition),
        "evaluation": sampling(context.settings).for_result(),
    }


def _publish_validation(context: StepContext, plans: Sequence[Plan]) -> None:
    validation, _ = heldout(context)
    _publish_scored(context, plans, validation, context.settings.evaluation, GREEDY_FILE)


def _publish_scores(context: StepContext, plans: Sequence[Plan]) -> None:
    _, reported = heldout(context)
    _publish_scored(context, plans, reported, context.settings.evaluation, GREEDY_FILE)


def _publish_sampled(context: StepContext, plans: Sequence[Plan]) -> None:
    _, reported = heldout(context)
    _publish_scored(context, plans, reported, sampling(context.settings), SAMPLED_FILE)


def heldout(context: StepContext) -> tuple[list[Problem], list[Problem]]:
    """Problems to choose learning rates on, and those to report.

    Raises:
        InputError: where none is left to report.
    """
    problems = read_problems(context.store, ArtifactKey(HELDOUT_PROBLEMS.asset))
    first = sizes(context.settings).validation_problems
    if len(problems) <= first:
        raise InputError(
            f"{len(problems)} held-out problems are too few: learning rates are chosen on {first} "
            "of them, and others are to be reported",
            field="experiment.validation_problems",
            remedy="Lower it, or hold out more problems",
        )
    return part_heldout(problems, first)


def _publish_scored(
    context: StepContext,
    plans: Sequence[Plan],
    problems: Sequence[Problem],
    evaluation: EvaluationConfig,
    file: str,
) -> None:
    base_model = sizes(context.settings).base_model
    with Sandbox(packages=context.settings.packages) as sandbox:
        for plan in each_named(plans):
            model = model_of_cell(context, plan.key.partition)
            runs = {context.store.work_folder(plan): evaluation}
            (scores,) = score_problems(context, problems, model, base_model, sandbox, runs)
            with context.store.publishing(plan) as staging:
                tables.write_table(scores, tables.SCORES, staging.folder / file)
                staging.row_count = scores.height


def model_of_cell(context: StepContext, partition: str) -> Path:
    """The folder of a cell's model."""
    cell = Cell.parse(partition)
    if cell.is_reference:
        name = sizes(context.settings).base_model
        return base_model_folder(context.settings, context.store, name)
    return context.store.current(ArtifactKey(models_of(cell).asset, partition)).folder


def models_of(cell: Cell) -> Step:
    """What trains a cell that is not the reference."""
    return EXPERIMENT_SECOND_MODELS if arm_named(cell.arm).after else EXPERIMENT_MODELS


def _if_trained_by(step: Step) -> Select:
    """The cell itself where `step` trains it; nobody trains the reference."""

    def select(_context: StepContext, partition: str) -> Sequence[str]:
        cell = Cell.parse(partition)
        return (partition,) if not cell.is_reference and models_of(cell) is step else ()

    return select


PARENTS_OF_CELL = (
    *(Parent(step, _if_trained_by(step)) for step in (EXPERIMENT_MODELS, EXPERIMENT_SECOND_MODELS)),
    *PARENTS_OF_BASE,
)
"""A cell's model, and the base model."""
_scored = functools.partial(
    Step,
    partitioning=Partitioning.CELL,
    parents=(HELDOUT_PROBLEMS, *PARENTS_OF_CELL),
    gpus=scoring_gpus,
    code_version="2",
    in_run=never,
)
"""Scores of a cell's model on some of the held-out problems."""
EXPERIMENT_VALIDATION = _scored(
    asset=VALIDATION,
    config=_scores_config,
    publish=_publish_validation,
    exists=is_asked,
)
EXPERIMENT_SCORES = _scored(
    asset="experiment_scores", config=_scores_config, publish=_publish_scores, exists=is_asked
)
EXPERIMENT_SAMPLED = _scored(
    asset="experiment_sampled",
    config=_sampled_config,
    publish=_publish_sampled,
    exists=draws_samples,
)
