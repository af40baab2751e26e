"""What the generator writes where seeds are synthesised from a feature tree, kept as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from iterpref_assets.core.artifacts import Plan
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.seeds.synthesis import synthesis_identity, write_tasks
from iterpref_assets.core.seeds.synthetic import FeatureTreeSeeds
from iterpref_assets.settings import Settings
from iterpref_assets.steps.generator import (
    generator_gpus,
    generator_identity,
    generator_location,
    publish_completions,
)
from iterpref_assets.steps.models import LAB_GENERATOR
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.step import Step, StepContext, each_named


def feature_tree(settings: Settings) -> FeatureTreeSeeds:
    """The settings' seeds, where they are synthesised.

    Raises:
        InputError: where they come from elsewhere.
    """
    if not isinstance(settings.seeds, FeatureTreeSeeds):
        raise InputError(
            "seeds are not synthesised", field="seeds", remedy='Set seeds.kind to "feature_tree"'
        )
    return settings.seeds


def are_synthesised(settings: Settings) -> bool:
    """Whether the generator writes the seeds."""
    return isinstance(settings.seeds, FeatureTreeSeeds)


def _config(context: StepContext, shard: str) -> Mapping[str, JsonValue]:
    settings, seeds = context.settings, feature_tree(context.settings)
    return {
        **generator_identity(settings),
        **seeds.shard_identity(shard),
        **synthesis_identity(seeds.generation, settings.packages),
    }


def _publish(context: StepContext, plans: Sequence[Plan]) -> None:
    asyncio.run(_synthesise(context, plans))


async def _synthesise(context: StepContext, plans: Sequence[Plan]) -> None:
    settings, seeds, store = context.settings, feature_tree(context.settings), context.store
    async with open_engine(settings.engine, generator_location(context)) as engine:
        for plan in each_named(plans):
            frame = await write_tasks(
                seeds.draws(plan.key.partition),
                engine,
                seeds.generation,
                settings.packages,
                store.work_folder(plan),
            )
            publish_completions(context, plan, frame)


SYNTHETIC_TASKS = Step(
    asset="synthetic_tasks",
    partitioning=Partitioning.SHARD,
    parents=(LAB_GENERATOR,),
    config=_config,
    publish=_publish,
    gpus=generator_gpus,
    code_version="3",
    exists=are_synthesised,
)
