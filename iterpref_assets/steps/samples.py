"""Samples: the generator's first completions of every problem."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, Plan
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.sampling import draw_samples
from iterpref_assets.core.seeds.synthesis import first_samples
from iterpref_assets.steps.generator import (
    COMPLETIONS_FILE,
    generator_gpus,
    generator_identity,
    generator_location,
    generator_prompts,
    publish_completions,
)
from iterpref_assets.steps.models import LAB_GENERATOR
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.seed_problems import SEED_PROBLEMS, problems_of
from iterpref_assets.steps.step import Step, StepContext, each_named
from iterpref_assets.steps.synthetic_tasks import SYNTHETIC_TASKS, are_synthesised


def _config(context: StepContext, _shard: str) -> Mapping[str, JsonValue]:
    settings = context.settings
    return {**generator_identity(settings), "sampling": settings.sampling.for_result()}


def _publish(context: StepContext, plans: Sequence[Plan]) -> None:
    """Where seeds are synthesised, the first sample is the program that was written with them."""
    settings = context.settings
    if are_synthesised(settings) and settings.sampling.samples_per_problem == 1:
        for plan in each_named(plans):
            publish_completions(context, plan, _written_samples(context, plan))
    else:
        asyncio.run(_sample(context, plans))


async def _sample(context: StepContext, plans: Sequence[Plan]) -> None:
    settings, store = context.settings, context.store
    async with open_engine(settings.engine, generator_location(context)) as engine:
        for plan in each_named(plans):
            written = _written_samples(context, plan) if are_synthesised(settings) else None
            frame = await draw_samples(
                problems_of(context, plan),
                engine,
                settings.sampling,
                generator_prompts(settings),
                store.work_folder(plan),
                written,
            )
            publish_completions(context, plan, frame)


def _written_samples(context: StepContext, plan: Plan) -> pl.DataFrame:
    tasks = context.store.current(ArtifactKey("synthetic_tasks", plan.key.partition))
    written = tables.read_table(tasks.path(COMPLETIONS_FILE), tables.COMPLETIONS)
    return first_samples(problems_of(context, plan), written)


INITIAL_SAMPLES = Step(
    asset="initial_samples",
    partitioning=Partitioning.SHARD,
    parents=(SEED_PROBLEMS, SYNTHETIC_TASKS, LAB_GENERATOR),
    config=_config,
    publish=_publish,
    gpus=generator_gpus,
    code_version="2",
)
