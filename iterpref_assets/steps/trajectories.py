"""Debugging trajectories: every program run, shown its failure, and rewritten."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import Artifact, ArtifactKey, Plan
from iterpref_assets.core.debugging.figures import pass_rate_by_round
from iterpref_assets.core.debugging.loop import DebugOutcome, run_debugging
from iterpref_assets.core.debugging.trajectory import DebugConfig
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.engines.protocol import Engine
from iterpref_assets.core.reached import ProgramJudging
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.settings import Settings
from iterpref_assets.steps.generator import (
    COMPLETIONS_FILE,
    generator_gpus,
    generator_identity,
    generator_location,
    generator_prompts,
)
from iterpref_assets.steps.models import LAB_GENERATOR
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.samples import INITIAL_SAMPLES
from iterpref_assets.steps.seed_problems import SEED_PROBLEMS, problems_of
from iterpref_assets.steps.step import Step, StepContext, each_named

VERSIONS_FILE = "versions.parquet"


def allowed_rounds(debugged: Iterable[Artifact]) -> int:
    """The most rounds that any of these debug_trajectories was allowed."""
    return max(
        DebugConfig.model_validate(each.manifest.config["debugging"]).max_rounds
        for each in debugged
    )


def trajectories_in(debugged: Iterable[Artifact]) -> int:
    """How many trajectories these debug_trajectories began, also without any program."""
    return sum(int(each.manifest.figures["trajectories"]) for each in debugged)


def rates_by_round(versions: pl.DataFrame, debugged: Sequence[Artifact]) -> list[float]:
    """The share of the trajectories of `debugged` that each round had solved; their `versions`."""
    return pass_rate_by_round(versions, trajectories_in(debugged), allowed_rounds(debugged))


def debugging_config(settings: Settings) -> dict[str, JsonValue]:
    """What the generator's programs and their verdicts depend on besides problems and samples."""
    return {**generator_identity(settings), **rounds_config(settings)}


def rounds_config(settings: Settings) -> dict[str, JsonValue]:
    """What debugging depends on besides who is asked, and what."""
    return {
        "debugging": settings.debugging.for_result(),
        "limits": settings.section("limits"),
        "packages": list(settings.packages),
    }


@asynccontextmanager
async def generator_and_judge(
    context: StepContext,
) -> AsyncGenerator[tuple[Engine, ProgramJudging]]:
    """The generator, entered, and what judges its programs within the settings' limits."""
    async with model_and_judge(context.settings, generator_location(context)) as opened:
        yield opened


@asynccontextmanager
async def model_and_judge(
    settings: Settings, model: Path | str
) -> AsyncGenerator[tuple[Engine, ProgramJudging]]:
    """The model in the settings' engine, entered, and what judges its programs."""
    with Sandbox(packages=settings.packages) as sandbox:
        async with open_engine(settings.engine, model) as engine:
            yield engine, functools.partial(sandbox.judge, limits=settings.limits)


def _config(context: StepContext, _shard: str) -> Mapping[str, JsonValue]:
    return debugging_config(context.settings)


def _publish(context: StepContext, plans: Sequence[Plan]) -> None:
    asyncio.run(_debug(context, plans))


async def _debug(context: StepContext, plans: Sequence[Plan]) -> None:
    settings, store = context.settings, context.store
    async with generator_and_judge(context) as (engine, judge):
        for plan in each_named(plans):
            samples = store.current(ArtifactKey("initial_samples", plan.key.partition))
            outcome = await run_debugging(
                problems_of(context, plan),
                tables.read_table(samples.path(COMPLETIONS_FILE), tables.COMPLETIONS),
                engine,
                judge,
                settings.debugging,
                generator_prompts(settings),
                store.work_folder(plan),
            )
            with store.publishing(plan) as staging:
                write_trajectories(outcome, staging.folder)
                staging.row_count = outcome.versions.height
                staging.figures.update(outcome.figures)


def write_trajectories(outcome: DebugOutcome, folder: Path) -> None:
    """Write the versions, and the answers of the debugging rounds, to `folder`."""
    tables.write_table(outcome.versions, tables.VERSIONS, folder / VERSIONS_FILE)
    tables.write_table(outcome.completions, tables.COMPLETIONS, folder / COMPLETIONS_FILE)


DEBUG_TRAJECTORIES = Step(
    asset="debug_trajectories",
    partitioning=Partitioning.SHARD,
    parents=(SEED_PROBLEMS, INITIAL_SAMPLES, LAB_GENERATOR),
    config=_config,
    publish=_publish,
    gpus=generator_gpus,
    code_version="6",
)
