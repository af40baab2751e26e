"""Scores of the reference model and of each checkpoint on the held-out problems."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, Plan
from iterpref_assets.core.conversations import Prompts
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.evaluation.scoring import score_tasks
from iterpref_assets.core.evaluation.tasks import problem_tasks
from iterpref_assets.core.frames import frame_to_problems
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.training.recipes import REFERENCE
from iterpref_assets.settings import Settings
from iterpref_assets.steps.heldout_problems import PROBLEMS_FILE
from iterpref_assets.steps.models import base_model_folder, base_model_source, model_parents
from iterpref_assets.steps.step import Basis, Step, StepContext

GREEDY_FILE = "greedy.parquet"
SAMPLED_FILE = "sampled.parquet"


def _basis_of_heldout_scores(context: StepContext, partition: str) -> Basis:
    settings = context.settings
    return Basis(
        {
            "engine": settings.section("evaluation_engine"),
            "evaluation": settings.evaluation.for_result(),
            "sampled_evaluation": settings.sampled_evaluation.for_result(),
            "limits": settings.section("limits"),
            "packages": list(settings.packages),
            "prompts": _prompts(settings, partition).identity(),
        },
        (ArtifactKey("heldout_problems"), *model_keys(context, partition)),
    )


def _prompts(settings: Settings, partition: str) -> Prompts:
    """How the base model of a partition (base model/variant) is asked, trained or not."""
    source = base_model_source(settings, partition.split("/", maxsplit=1)[0])
    return Prompts(settings.prompts_for(source))


def model_keys(context: StepContext, partition: str) -> tuple[ArtifactKey, ...]:
    """The artifacts of the model that a partition (base model/variant) scores."""
    base_model, variant = partition.split("/")
    if variant != REFERENCE:
        return (ArtifactKey("checkpoints", partition),)
    source = base_model_source(context.settings, base_model)
    return (ArtifactKey("base_models", base_model), *model_parents(source))


def scored_model_folder(context: StepContext, partition: str) -> Path:
    """The folder of the model that a partition (base model/variant) scores."""
    base_model, variant = partition.split("/")
    if variant == REFERENCE:
        return base_model_folder(context.settings, context.store, base_model)
    return context.store.current(ArtifactKey("checkpoints", partition)).folder


def _publish_heldout_scores(context: StepContext, plans: Sequence[Plan]) -> None:
    with Sandbox(packages=context.settings.packages) as sandbox:
        for plan in plans:
            asyncio.run(_score(context, plan, sandbox))


async def _score(context: StepContext, plan: Plan, sandbox: Sandbox) -> None:
    settings, store = context.settings, context.store
    problems = store.current(ArtifactKey("heldout_problems")).path(PROBLEMS_FILE)
    tasks = problem_tasks(
        frame_to_problems(tables.read_table(problems, tables.PROBLEMS)),
        _prompts(settings, plan.key.partition),
        settings.limits,
    )
    runs = {GREEDY_FILE: settings.evaluation, SAMPLED_FILE: settings.sampled_evaluation}
    work = store.work_folder(plan)
    async with open_engine(
        settings.evaluation_engine, scored_model_folder(context, plan.key.partition)
    ) as engine:
        scores = {
            name: await score_tasks(tasks, engine, sandbox, config, _subfolder(work, name))
            for name, config in runs.items()
        }
    with store.publishing(plan) as staging:
        for name, frame in scores.items():
            tables.write_table(frame, tables.SCORES, staging.folder / name)
        staging.row_count = sum(frame.height for frame in scores.values())


def _subfolder(folder: Path, name: str) -> Path:
    subfolder = folder / Path(name).stem
    subfolder.mkdir(exist_ok=True)
    return subfolder


HELDOUT_SCORES = Step(
    "heldout_scores", _basis_of_heldout_scores, _publish_heldout_scores, code_version="2"
)
