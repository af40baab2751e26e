"""A second round of the grid: a trained model debugs, and is trained on, pairs of its own.

On-policy iteration. The model of the first round draws samples of the training problems and debugs
them, asked and judged as in the first round. Pairs are made of its trajectories, training goes on
from it, and it is the reference model too.

The model of the first round is that of the arm `Arm.after` at its best rate with seed 0. One model,
as one generator makes the pairs of every other arm: the seeds of a second round draw the order of
its own pairs alone. Its best rate, as that is what the arm is reported at. Which rate is best
follows from `experiment_validation`. That is read where an artifact is planned and is no parent:
the choice alone counts, and another choice is another parent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import Artifact, ArtifactKey, Plan
from iterpref_assets.core.conversations import Prompts
from iterpref_assets.core.debugging.loop import run_debugging
from iterpref_assets.core.engines.config import OpenAIConfig, ReplayConfig, engine_identity
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.experiment.arms import Arm, Cell, arm_named
from iterpref_assets.core.sampling import draw_samples
from iterpref_assets.settings import Settings
from iterpref_assets.steps.checkpoints import training_gpus
from iterpref_assets.steps.evaluations import evaluation_prompts
from iterpref_assets.steps.experiment import (
    EXPERIMENT_MODELS,
    models_config,
    pairs_config,
    publish_model,
    publish_pairs,
    sizes,
)
from iterpref_assets.steps.experiment_rates import chosen_cells
from iterpref_assets.steps.experiment_samples import is_asked, never
from iterpref_assets.steps.generator import COMPLETIONS_FILE, generator_gpus
from iterpref_assets.steps.heldout_problems import read_problems
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.seed_problems import SEED_PROBLEMS
from iterpref_assets.steps.step import Parent, Step, StepContext, each_named, parents_of
from iterpref_assets.steps.trajectories import (
    VERSIONS_FILE,
    model_and_judge,
    rounds_config,
    write_trajectories,
)

SAMPLES_FOLDER = "samples"


def first_round(context: StepContext, arm: Arm) -> str:
    """The cell whose model a second round goes on from.

    Raises:
        InputError: where it is no second round, or a rate of its first one has not been tried.
    """
    if arm.after is None:
        raise InputError(
            f"{arm.name} is no second round",
            field="partition",
            remedy="Materialize experiment_pairs and experiment_models of it",
        )
    return chosen_cells(context, arm_named(arm.after), 1)[0]


def require_own_engine(settings: Settings) -> None:
    """Refuse an engine that opens no checkpoint of the grid.

    Raises:
        InputError: where a server or a recording answers.
    """
    if isinstance(settings.engine, OpenAIConfig | ReplayConfig):
        raise InputError(
            f"a second round samples from a model of the grid, and {settings.engine.kind} opens "
            "none",
            field="engine.kind",
            remedy="Set vllm or transformers, or leave second rounds out",
        )


def _first(context: StepContext, partition: str) -> tuple[str, ...]:
    return (first_round(context, arm_named(partition)),)


def _first_of_cell(context: StepContext, partition: str) -> tuple[str, ...]:
    return _first(context, Cell.parse(partition).arm)


def _arm_of_cell(_context: StepContext, partition: str) -> tuple[str, ...]:
    return (Cell.parse(partition).arm,)


def _first_model(context: StepContext, plan: Plan) -> Path:
    """The folder of the model that `plan` goes on from."""
    (key,) = parents_of(plan, EXPERIMENT_MODELS.asset)
    return context.store.current(key).folder


def _prompts(settings: Settings) -> Prompts:
    """What the model is asked, which was trained from the grid's base model."""
    return evaluation_prompts(settings, sizes(settings).base_model)


def _trajectories_config(context: StepContext, _partition: str) -> Mapping[str, JsonValue]:
    settings = context.settings
    return {
        "engine": engine_identity(settings.engine),
        "prompts": _prompts(settings).identity(),
        "sampling": settings.sampling.for_result(),
        **rounds_config(settings),
    }


def _publish_trajectories(context: StepContext, plans: Sequence[Plan]) -> None:
    require_own_engine(context.settings)
    for plan in each_named(plans):
        asyncio.run(_sample_and_debug(context, plan))


async def _sample_and_debug(context: StepContext, plan: Plan) -> None:
    """Publish a folder for each shard, with its samples and its trajectories."""
    settings, store, work = context.settings, context.store, context.store.work_folder(plan)
    prompts = _prompts(settings)
    async with model_and_judge(settings, _first_model(context, plan)) as (engine, judge):
        with store.publishing(plan) as staging:
            staging.row_count = 0
            for key in parents_of(plan, SEED_PROBLEMS.asset):
                problems, own = read_problems(store, key), work / key.partition
                samples = await draw_samples(
                    problems, engine, settings.sampling, prompts, own / SAMPLES_FOLDER
                )
                outcome = await run_debugging(
                    problems, samples, engine, judge, settings.debugging, prompts, own / "debugging"
                )
                folder = staging.folder / key.partition
                (folder / SAMPLES_FOLDER).mkdir(parents=True)
                drawn = folder / SAMPLES_FOLDER / COMPLETIONS_FILE
                tables.write_table(samples, tables.COMPLETIONS, drawn)
                write_trajectories(outcome, folder)
                staging.row_count += outcome.versions.height


def _pairs_config(context: StepContext, partition: str) -> Mapping[str, JsonValue]:
    return pairs_config(context, arm_named(partition).pairs)


def _publish_pairs(context: StepContext, plans: Sequence[Plan]) -> None:
    for plan in each_named(plans):
        made = _of_arm(context, EXPERIMENT_SECOND_TRAJECTORIES, plan.key.partition)
        shards = [key.partition for key in parents_of(plan, SEED_PROBLEMS.asset)]
        versions = {shard: made.path(shard) / VERSIONS_FILE for shard in shards}
        config = arm_named(plan.key.partition).pairs.config(context.settings.pairs)
        publish_pairs(context, plan, versions, config, _first_model(context, plan))


def _publish_models(context: StepContext, plans: Sequence[Plan]) -> None:
    for plan in each_named(plans):
        pairs = _of_arm(context, EXPERIMENT_SECOND_PAIRS, Cell.parse(plan.key.partition).arm)
        publish_model(context, plan, pairs, _first_model(context, plan))


def _of_arm(context: StepContext, step: Step, arm: str) -> Artifact:
    return context.store.current(ArtifactKey(step.asset, arm))


EXPERIMENT_SECOND_TRAJECTORIES = Step(
    asset="experiment_second_trajectories",
    partitioning=Partitioning.SECOND_ROUND,
    parents=(SEED_PROBLEMS, Parent(EXPERIMENT_MODELS, _first)),
    config=_trajectories_config,
    publish=_publish_trajectories,
    gpus=generator_gpus,
    code_version="2",
    exists=is_asked,
    in_run=never,
)
EXPERIMENT_SECOND_PAIRS = Step(
    asset="experiment_second_pairs",
    partitioning=Partitioning.SECOND_ROUND,
    parents=(
        EXPERIMENT_SECOND_TRAJECTORIES,
        SEED_PROBLEMS,
        Parent(EXPERIMENT_MODELS, _first),
    ),
    config=_pairs_config,
    publish=_publish_pairs,
    gpus=training_gpus,
    code_version="3",
    exists=is_asked,
    in_run=never,
)
EXPERIMENT_SECOND_MODELS = Step(
    asset="experiment_second_models",
    partitioning=Partitioning.SECOND_CELL,
    parents=(
        Parent(EXPERIMENT_SECOND_PAIRS, _arm_of_cell),
        Parent(EXPERIMENT_MODELS, _first_of_cell),
    ),
    config=models_config,
    publish=_publish_models,
    gpus=training_gpus,
    code_version="1",
    exists=is_asked,
    in_run=never,
)
