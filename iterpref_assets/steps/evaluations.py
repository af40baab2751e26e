"""Scores of the reference model and of each checkpoint on the held-out problems."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, Plan
from iterpref_assets.core.conversations import Prompts
from iterpref_assets.core.engines.config import gpus_of
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.evaluation.config import EvaluationConfig
from iterpref_assets.core.evaluation.model_scoring import score_tasks
from iterpref_assets.core.evaluation.tasks import problem_tasks
from iterpref_assets.core.records import Problem
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.settings import Settings
from iterpref_assets.steps.checkpoints import CHECKPOINTS
from iterpref_assets.steps.heldout_problems import HELDOUT_PROBLEMS, read_problems
from iterpref_assets.steps.models import (
    BASE_MODELS,
    LAB_SOURCE,
    base_model_folder,
    base_model_source,
)
from iterpref_assets.steps.partitions import ModelVariant, Partitioning
from iterpref_assets.steps.step import Parent, Step, StepContext, each_named

GREEDY_FILE = "greedy.parquet"
SAMPLED_FILE = "sampled.parquet"


def scoring_config(settings: Settings, base_model: str) -> dict[str, JsonValue]:
    """What greedy scores on the held-out problems depend on besides the model and the problems."""
    return {
        "engine": settings.section("evaluation_engine"),
        "evaluation": settings.evaluation.for_result(),
        "limits": settings.section("limits"),
        "packages": list(settings.packages),
        "prompts": evaluation_prompts(settings, base_model).identity(),
    }


def scoring_gpus(settings: Settings) -> int:
    """How many GPUs a model computes on while it is scored."""
    return gpus_of(settings.evaluation_engine)


def _config(context: StepContext, partition: str) -> Mapping[str, JsonValue]:
    settings = context.settings
    return {
        **scoring_config(settings, ModelVariant.parse(partition).base_model),
        "sampled_evaluation": settings.sampled_evaluation.for_result(),
    }


def evaluation_prompts(settings: Settings, base_model: str) -> Prompts:
    """How a base model is asked, trained or not."""
    return Prompts(settings.prompts_for(base_model_source(settings, base_model)))


def _of_reference(parent: Step | Parent) -> Parent:
    """A parent of the reference model's scores: a checkpoint vouches for what it is made of."""
    of_all = parent if isinstance(parent, Parent) else Parent(parent)

    def select(context: StepContext, partition: str) -> Sequence[str]:
        if not ModelVariant.parse(partition).is_reference:
            return ()
        return of_all.partitions(context, Partitioning.SCORE, partition)

    return Parent(of_all.step, select)


SCORED_MODEL = (_of_reference(BASE_MODELS), _of_reference(LAB_SOURCE), Parent(CHECKPOINTS))
"""What the model comes from that a partition (base model/variant) scores."""


def scored_model_folder(context: StepContext, partition: str) -> Path:
    """The folder of the model that a partition (base model/variant) scores."""
    model = ModelVariant.parse(partition)
    if model.is_reference:
        return base_model_folder(context.settings, context.store, model.base_model)
    return context.store.current(ArtifactKey("checkpoints", partition)).folder


def _publish(context: StepContext, plans: Sequence[Plan]) -> None:
    with Sandbox(packages=context.settings.packages) as sandbox:
        for plan in each_named(plans):
            _score(context, plan, sandbox)


def _score(context: StepContext, plan: Plan, sandbox: Sandbox) -> None:
    settings, store, partition = context.settings, context.store, plan.key.partition
    runs = {GREEDY_FILE: settings.evaluation, SAMPLED_FILE: settings.sampled_evaluation}
    work = store.work_folder(plan)
    frames = score_problems(
        context,
        read_problems(store, ArtifactKey(HELDOUT_PROBLEMS.asset)),
        scored_model_folder(context, partition),
        ModelVariant.parse(partition).base_model,
        sandbox,
        {work / Path(name).stem: config for name, config in runs.items()},
    )
    with store.publishing(plan) as staging:
        for name, frame in zip(runs, frames, strict=True):
            tables.write_table(frame, tables.SCORES, staging.folder / name)
        staging.row_count = sum(frame.height for frame in frames)


def score_problems(
    context: StepContext,
    problems: Sequence[Problem],
    model: Path,
    base_model: str,
    sandbox: Sandbox,
    runs: Mapping[Path, EvaluationConfig],
) -> list[pl.DataFrame]:
    """Score one model on problems, run by run.

    Args:
        context: whose engine, prompts and limits count.
        problems: what it is asked.
        model: its folder.
        base_model: the base model that it is, or was trained from: it is asked in the same way.
        sandbox: runs the programs.
        runs: how completions are drawn, by the folder that a run keeps its unfinished work in.

    Returns:
        tables.SCORES of each run, in their order.
    """
    settings = context.settings
    tasks = problem_tasks(problems, evaluation_prompts(settings, base_model), settings.limits)

    async def score() -> list[pl.DataFrame]:
        async with open_engine(settings.evaluation_engine, model) as engine:
            return [
                await score_tasks(tasks, engine, sandbox, config, work)
                for work, config in runs.items()
            ]

    return asyncio.run(score())


HELDOUT_SCORES = Step(
    asset="heldout_scores",
    partitioning=Partitioning.SCORE,
    parents=(HELDOUT_PROBLEMS, *SCORED_MODEL),
    config=_config,
    publish=_publish,
    gpus=scoring_gpus,
    code_version="5",
)
