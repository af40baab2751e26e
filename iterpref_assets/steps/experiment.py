"""The experiment's grid: pairs for its arms, the models that are trained on them, their scores."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue, ValidationError

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, Plan
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.config import EvaluationConfig
from iterpref_assets.core.experiment.arms import Cell, PairSet, arm_named
from iterpref_assets.core.experiment.config import ExperimentConfig
from iterpref_assets.core.records import Problem
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.training.config import TrainConfig
from iterpref_assets.core.training.recipes import recipe_named
from iterpref_assets.settings import Settings
from iterpref_assets.steps.checkpoints import (
    LOGPROBS_FILE,
    TrainedOn,
    reference_config,
    reference_job,
    train_job,
    training_gpus,
)
from iterpref_assets.steps.evaluations import (
    GREEDY_FILE,
    SAMPLED_FILE,
    score_problems,
    scoring_config,
    scoring_gpus,
)
from iterpref_assets.steps.experiment_samples import EXPERIMENT_SAMPLES, is_asked, never
from iterpref_assets.steps.heldout_problems import HELDOUT_PROBLEMS, read_problems
from iterpref_assets.steps.models import (
    BASE_MODELS,
    LAB_BASE_MODEL,
    base_model_folder,
    base_model_source,
    if_lab,
)
from iterpref_assets.steps.pairs import (
    TOKENS_FILE,
    build_shard,
    building_config,
    refuse_pairs_of_benchmarks,
    tokenize_pairs,
    tokenizing_config,
)
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.seed_problems import SEED_PROBLEMS
from iterpref_assets.steps.step import Parent, Select, Step, StepContext, each_named, parents_of
from iterpref_assets.steps.trajectories import DEBUG_TRAJECTORIES


def sizes(settings: Settings) -> ExperimentConfig:
    """The grid's sizes; its defaults where the settings have none."""
    return settings.experiment or ExperimentConfig()


def _base_model(context: StepContext, _partition: str) -> tuple[str, ...]:
    return (sizes(context.settings).base_model,)


def _if_lab(context: StepContext, _partition: str) -> tuple[str, ...]:
    return if_lab(base_model_source(context.settings, sizes(context.settings).base_model))


PARENTS_OF_BASE = (Parent(BASE_MODELS, _base_model), Parent(LAB_BASE_MODEL, _if_lab))
"""The base model of the grid, and where it comes from."""


def _pairs_config(context: StepContext, name: str) -> Mapping[str, JsonValue]:
    settings = context.settings
    pairs = PairSet(name).config(settings.pairs)
    return {
        **building_config(settings, pairs),
        **tokenizing_config(settings, pairs),
        **reference_config(context, name),
        "base_model": sizes(settings).base_model,
    }


def _source(pair_set: str) -> Step:
    """What the programs of a pair set come from."""
    return EXPERIMENT_SAMPLES if pair_set == PairSet.SAMPLED else DEBUG_TRAJECTORIES


def _all_shards_if_source(step: Step) -> Select:
    def select(context: StepContext, partition: str) -> Sequence[str]:
        return context.settings.seeds.shards() if _source(partition) is step else ()

    return select


def _publish_pairs(context: StepContext, plans: Sequence[Plan]) -> None:
    from iterpref_assets.core.training.launch import compute_reference

    store, settings = context.store, context.settings
    base_model = sizes(settings).base_model
    model = base_model_folder(settings, store, base_model)
    for plan in each_named(plans):
        config = PairSet(plan.key.partition).config(settings.pairs)
        source = _source(plan.key.partition).asset
        shards = [key.partition for key in parents_of(plan, source)]
        built = store.work_folder(plan) / "shards"
        built.mkdir(exist_ok=True)
        parts = {shard: built / f"{shard}.parquet" for shard in shards}
        with store.publishing(plan) as staging:
            for shard, part in parts.items():
                log = part.with_suffix(".jsonl")
                build_shard(context, shard, config, part, source=source, executions=log)
            refuse_pairs_of_benchmarks(context, parts, EXPERIMENT_PAIRS.asset)
            tokenize_pairs(list(parts.values()), model, config, staging, EXPERIMENT_PAIRS.asset)
            tokens = staging.folder / TOKENS_FILE
            compute_reference(reference_job(context, plan, staging.folder, base_model, tokens))


def _pair_set(_context: StepContext, partition: str) -> tuple[str, ...]:
    cell = Cell.parse(partition)
    return () if cell.is_reference else (arm_named(cell.arm).pairs.value,)


def _models_config(context: StepContext, partition: str) -> Mapping[str, JsonValue]:
    settings, cell = context.settings, Cell.parse(partition)
    training = _training(settings, cell)
    return {
        "base_model": sizes(settings).base_model,
        "recipe": recipe_named(arm_named(cell.arm).recipe).for_result(),
        "training": training.for_result(),
    }


def _training(settings: Settings, cell: Cell) -> TrainConfig:
    if cell.rate is None or cell.seed is None:
        raise InputError(
            "the reference model is not trained",
            field="partition",
            remedy="Materialize experiment_scores of it, and models of the other cells",
        )
    return arm_named(cell.arm).training(settings.training, rate=cell.rate, seed=cell.seed)


def _scores_config(context: StepContext, _partition: str) -> Mapping[str, JsonValue]:
    asked = sizes(context.settings)
    return {
        **scoring_config(context.settings, asked.base_model),
        "base_model": asked.base_model,
        "validation_problems": asked.validation_problems,
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


def _publish_models(context: StepContext, plans: Sequence[Plan]) -> None:
    from iterpref_assets.core.training.launch import train_model

    store, settings = context.store, context.settings
    for plan in each_named(plans):
        cell = Cell.parse(plan.key.partition)
        arm = arm_named(cell.arm)
        pairs = store.current(ArtifactKey(EXPERIMENT_PAIRS.asset, arm.pairs.value))
        compares = recipe_named(arm.recipe).needs_reference
        logprobs = pairs.path(LOGPROBS_FILE) if compares else None
        made_of = TrainedOn(sizes(settings).base_model, pairs.path(TOKENS_FILE), logprobs)
        config = _training(settings, cell)
        with store.publishing(plan) as staging:
            job = train_job(context, plan, staging.folder, made_of, arm.recipe, config)
            staging.figures.update(train_model(job, context.report).figures)


def _publish_validation(context: StepContext, plans: Sequence[Plan]) -> None:
    first = sizes(context.settings).validation_problems
    problems = heldout(context)[:first]
    _publish_scored(context, plans, problems, context.settings.evaluation, GREEDY_FILE)


def _publish_scores(context: StepContext, plans: Sequence[Plan]) -> None:
    first = sizes(context.settings).validation_problems
    problems = heldout(context)[first:]
    _publish_scored(context, plans, problems, context.settings.evaluation, GREEDY_FILE)


def _publish_sampled(context: StepContext, plans: Sequence[Plan]) -> None:
    settings = context.settings
    problems = heldout(context)[sizes(settings).validation_problems :]
    _publish_scored(context, plans, problems, sampling(settings), SAMPLED_FILE)


def heldout(context: StepContext) -> list[Problem]:
    """Problems to choose learning rates on, followed by those to report.

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
    return problems


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
    if Cell.parse(partition).is_reference:
        name = sizes(context.settings).base_model
        return base_model_folder(context.settings, context.store, name)
    return context.store.current(ArtifactKey(EXPERIMENT_MODELS.asset, partition)).folder


def if_trained(_context: StepContext, partition: str) -> tuple[str, ...]:
    """A cell itself, unless it is the reference, which nobody trains."""
    return () if Cell.parse(partition).is_reference else (partition,)


EXPERIMENT_PAIRS = Step(
    asset="experiment_pairs",
    partitioning=Partitioning.PAIR_SET,
    parents=(
        Parent(DEBUG_TRAJECTORIES, _all_shards_if_source(DEBUG_TRAJECTORIES)),
        Parent(EXPERIMENT_SAMPLES, _all_shards_if_source(EXPERIMENT_SAMPLES)),
        SEED_PROBLEMS,
        *PARENTS_OF_BASE,
    ),
    config=_pairs_config,
    publish=_publish_pairs,
    gpus=training_gpus,
    code_version="1",
    exists=is_asked,
    in_run=never,
)
EXPERIMENT_MODELS = Step(
    asset="experiment_models",
    partitioning=Partitioning.CELL,
    parents=(Parent(EXPERIMENT_PAIRS, _pair_set), *PARENTS_OF_BASE),
    config=_models_config,
    publish=_publish_models,
    gpus=training_gpus,
    code_version="1",
    exists=is_asked,
    in_run=never,
)
_scored = functools.partial(
    Step,
    partitioning=Partitioning.CELL,
    parents=(Parent(EXPERIMENT_MODELS, if_trained), HELDOUT_PROBLEMS, *PARENTS_OF_BASE),
    gpus=scoring_gpus,
    code_version="1",
    in_run=never,
)
"""Scores of a cell's model on some of the held-out problems."""
EXPERIMENT_VALIDATION = _scored(
    asset="experiment_validation",
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
