"""Samples and debugging trajectories: the steps that keep a generation engine busy."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core import tables
from iterpref_assets.core.answer_log import failures_in
from iterpref_assets.core.artifacts import Artifact, ArtifactKey, Plan
from iterpref_assets.core.conversations import Prompts
from iterpref_assets.core.debugging.loop import run_debugging
from iterpref_assets.core.debugging.trajectory import DebugConfig
from iterpref_assets.core.engines.config import OpenAIConfig, ReplayConfig, engine_identity
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.records import Problem
from iterpref_assets.core.sampling import draw_samples
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.seeds.synthesis import first_samples
from iterpref_assets.core.seeds.synthetic import FeatureTreeSeeds
from iterpref_assets.settings import HubModel, LabModel, LocalModel, RemoteModel, Settings
from iterpref_assets.steps.heldout_problems import read_problems
from iterpref_assets.steps.models import model_folder, model_identity, model_parents
from iterpref_assets.steps.step import Basis, Step, StepContext

COMPLETIONS_FILE = "completions.parquet"
VERSIONS_FILE = "versions.parquet"


def generator_identity(settings: Settings) -> dict[str, JsonValue]:
    """What its completions depend on besides what it is asked."""
    return {
        "engine": engine_identity(settings.engine),
        "generator": _generator(settings),
        "prompts": generator_prompts(settings).identity(),
    }


def _generator(settings: Settings) -> dict[str, JsonValue]:
    """Who answers: a model with weights, or a server and a model's name there."""
    source, engine = settings.generator, settings.engine
    identity = model_identity(source)
    if isinstance(source, RemoteModel) and isinstance(engine, OpenAIConfig):
        identity["server"] = source.server or engine.base_url
    return identity


def generator_prompts(settings: Settings) -> Prompts:
    """What the generator is asked."""
    return Prompts(settings.prompts_for(settings.generator))


def generator_location(context: StepContext) -> Path | str:
    """What the engine loads, or the model's name where a server or a recording answers."""
    source = context.settings.generator
    if isinstance(source, RemoteModel):
        return source.model
    if not isinstance(context.settings.engine, OpenAIConfig | ReplayConfig):
        return model_folder(context.store, source)
    match source:
        case HubModel(repository=repository):
            return repository
        case LocalModel(path=path):
            return path
        case LabModel():
            return source.source


def allowed_rounds(debugged: Iterable[Artifact]) -> int:
    """The most rounds that any of these debug_trajectories was allowed."""
    return max(
        DebugConfig.model_validate(each.manifest.config["debugging"]).max_rounds
        for each in debugged
    )


def _basis_of_initial_samples(context: StepContext, shard: str) -> Basis:
    settings = context.settings
    return Basis(
        {**generator_identity(settings), "sampling": settings.sampling.for_result()},
        (
            ArtifactKey("seed_problems", shard),
            *([ArtifactKey("synthetic_tasks", shard)] if _come_with_programs(settings) else []),
            *model_parents(settings.generator),
        ),
    )


def _come_with_programs(settings: Settings) -> bool:
    """Whether each problem has a first sample: the program that was written with its tests."""
    return isinstance(settings.seeds, FeatureTreeSeeds)


def _basis_of_debug_trajectories(context: StepContext, shard: str) -> Basis:
    settings = context.settings
    return Basis(
        {
            **generator_identity(settings),
            "debugging": settings.debugging.for_result(),
            "limits": settings.section("limits"),
            "packages": list(settings.packages),
        },
        (
            ArtifactKey("seed_problems", shard),
            ArtifactKey("initial_samples", shard),
            *model_parents(settings.generator),
        ),
    )


def _publish_initial_samples(context: StepContext, plans: Sequence[Plan]) -> None:
    settings = context.settings
    if _come_with_programs(settings) and settings.sampling.samples_per_problem == 1:
        for plan in plans:
            _publish_samples(context, plan, _written_samples(context, plan))
    else:
        asyncio.run(_sample(context, plans))


async def _sample(context: StepContext, plans: Sequence[Plan]) -> None:
    settings, store = context.settings, context.store
    async with open_engine(settings.engine, generator_location(context)) as engine:
        for plan in plans:
            written = _written_samples(context, plan) if _come_with_programs(settings) else None
            frame = await draw_samples(
                _problems(context, plan),
                engine,
                settings.sampling,
                generator_prompts(settings),
                store.work_folder(plan),
                written,
            )
            _publish_samples(context, plan, frame)


def _problems(context: StepContext, plan: Plan) -> list[Problem]:
    return read_problems(context.store, ArtifactKey("seed_problems", plan.key.partition))


def _written_samples(context: StepContext, plan: Plan) -> pl.DataFrame:
    tasks = context.store.current(ArtifactKey("synthetic_tasks", plan.key.partition))
    written = tables.read_table(tasks.path(COMPLETIONS_FILE), tables.COMPLETIONS)
    return first_samples(_problems(context, plan), written)


def _publish_samples(context: StepContext, plan: Plan, frame: pl.DataFrame) -> None:
    with context.store.publishing(plan) as staging:
        tables.write_table(frame, tables.COMPLETIONS, staging.folder / COMPLETIONS_FILE)
        staging.row_count = frame.height
        staging.figures["calls_without_an_answer"] = failures_in(frame)


def _publish_debug_trajectories(context: StepContext, plans: Sequence[Plan]) -> None:
    asyncio.run(_debug(context, plans))


async def _debug(context: StepContext, plans: Sequence[Plan]) -> None:
    settings, store = context.settings, context.store
    with Sandbox(packages=settings.packages) as sandbox:
        async with open_engine(settings.engine, generator_location(context)) as engine:
            for plan in plans:
                shard = plan.key.partition
                samples = store.current(ArtifactKey("initial_samples", shard))
                outcome = await run_debugging(
                    _problems(context, plan),
                    tables.read_table(samples.path(COMPLETIONS_FILE), tables.COMPLETIONS),
                    engine,
                    functools.partial(sandbox.judge, limits=settings.limits),
                    settings.debugging,
                    generator_prompts(settings),
                    store.work_folder(plan),
                )
                with store.publishing(plan) as staging:
                    folder = staging.folder
                    tables.write_table(outcome.versions, tables.VERSIONS, folder / VERSIONS_FILE)
                    tables.write_table(
                        outcome.completions, tables.COMPLETIONS, folder / COMPLETIONS_FILE
                    )
                    staging.row_count = outcome.versions.height
                    staging.figures.update(outcome.figures)


INITIAL_SAMPLES = Step(
    "initial_samples", _basis_of_initial_samples, _publish_initial_samples, code_version="1"
)
DEBUG_TRAJECTORIES = Step(
    "debug_trajectories",
    _basis_of_debug_trajectories,
    _publish_debug_trajectories,
    code_version="3",
)
