"""Independent samples of every problem: five or more (Table 5), and as many as debugging's calls.

Pairs of samples are compared with pairs of debugging at equal LLM calls (Table 7). Table 5 asks for
five samples of each problem, and debugging may take fewer calls. Samples of both are the same ones:
those for equal calls are the first of each problem.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, Plan
from iterpref_assets.core.debugging.loop import run_debugging
from iterpref_assets.core.engines.protocol import Engine
from iterpref_assets.core.reached import ProgramJudging
from iterpref_assets.core.records import Problem
from iterpref_assets.core.sampling import draw_samples
from iterpref_assets.settings import Settings
from iterpref_assets.steps.generator import (
    COMPLETIONS_FILE,
    generator_gpus,
    generator_prompts,
)
from iterpref_assets.steps.models import LAB_GENERATOR
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.samples import INITIAL_SAMPLES
from iterpref_assets.steps.seed_problems import SEED_PROBLEMS, problems_of
from iterpref_assets.steps.step import Step, StepContext, each_named
from iterpref_assets.steps.trajectories import (
    DEBUG_TRAJECTORIES,
    VERSIONS_FILE,
    debugging_config,
    generator_and_judge,
)

EQUAL_CALLS_FILE = "equal_calls.parquet"
"""The versions of the first samples, as many as debugging took calls; VERSIONS_FILE has all."""
FEWEST = 5
"""Samples of each problem in Table 5."""


def calls_by_problem(problems: Sequence[Problem], calls: int) -> list[tuple[int, list[Problem]]]:
    """`calls` shared evenly: (samples, the problems that get as many), the first ones more."""
    each, more = divmod(calls, len(problems))
    shares = [(each + 1, list(problems[:more])), (each, list(problems[more:]))]
    return [(count, group) for count, group in shares if count and group]


def is_asked(settings: Settings) -> bool:
    """Whether the settings ask for the experiment."""
    return settings.experiment is not None


def never(_settings: Settings) -> bool:
    """`iterpref experiment` makes the grid, not `iterpref run`."""
    return False


def _config(context: StepContext, _shard: str) -> Mapping[str, JsonValue]:
    settings = context.settings
    return {**debugging_config(settings), "sampling": settings.sampling.for_result()}


def _publish(context: StepContext, plans: Sequence[Plan]) -> None:
    asyncio.run(_sample(context, plans))


async def _sample(context: StepContext, plans: Sequence[Plan]) -> None:
    async with generator_and_judge(context) as (engine, judge):
        for plan in each_named(plans):
            await _sample_shard(context, plan, engine, judge)


async def _sample_shard(
    context: StepContext, plan: Plan, engine: Engine, judge: ProgramJudging
) -> None:
    settings, work = context.settings, context.store.work_folder(plan)
    prompts = generator_prompts(settings)
    judged_once = settings.debugging.model_copy(update={"max_rounds": 0})
    problems, equal = problems_of(context, plan), _calls(context, plan.key.partition)
    calls = max(equal, FEWEST * len(problems))
    drawn = [
        await draw_samples(
            group,
            engine,
            settings.sampling.model_copy(update={"samples_per_problem": count}),
            prompts,
            work / f"samples-{count}",
        )
        for count, group in calls_by_problem(problems, calls)
    ]
    completions = pl.concat(drawn).sort("problem_id", "sample", "round")
    outcome = await run_debugging(
        problems, completions, engine, judge, judged_once, prompts, work / "judged"
    )
    with context.store.publishing(plan) as staging:
        tables.write_table(outcome.versions, tables.VERSIONS, staging.folder / VERSIONS_FILE)
        first = _first_samples(outcome.versions, calls_by_problem(problems, equal))
        tables.write_table(first, tables.VERSIONS, staging.folder / EQUAL_CALLS_FILE)
        staging.row_count = outcome.versions.height
        staging.figures["calls"] = calls


def _first_samples(
    versions: pl.DataFrame, shares: Sequence[tuple[int, Sequence[Problem]]]
) -> pl.DataFrame:
    """The versions of each problem's first samples, as many as its share."""
    count = {each.problem_id: count for count, group in shares for each in group}
    return versions.filter(pl.col("sample") < pl.col("problem_id").replace_strict(count))


def _calls(context: StepContext, shard: str) -> int:
    """The LLM calls that a shard's trajectories took, first samples included."""
    assets = (INITIAL_SAMPLES.asset, DEBUG_TRAJECTORIES.asset)
    files = [
        context.store.current(ArtifactKey(asset, shard)).path(COMPLETIONS_FILE) for asset in assets
    ]
    return sum(tables.read_table(file, tables.COMPLETIONS).height for file in files)


EXPERIMENT_SAMPLES = Step(
    asset="experiment_samples",
    partitioning=Partitioning.SHARD,
    parents=(SEED_PROBLEMS, INITIAL_SAMPLES, DEBUG_TRAJECTORIES, LAB_GENERATOR),
    config=_config,
    publish=_publish,
    gpus=generator_gpus,
    code_version="4",
    exists=is_asked,
    in_run=never,
)
