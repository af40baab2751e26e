"""Scores of the grid's models on HumanEval+ and MBPP+, where the settings give them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import Plan
from iterpref_assets.core.concurrency import for_each
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.evaluation.benchmark_config import BenchmarkName
from iterpref_assets.core.evaluation.tasks import style_of
from iterpref_assets.settings import Settings
from iterpref_assets.steps.benchmarks import (
    BENCHMARK_TASKS,
    OpenBenchmark,
    open_benchmark,
    tasks_key,
)
from iterpref_assets.steps.evaluations import scoring_gpus
from iterpref_assets.steps.experiment import sizes
from iterpref_assets.steps.experiment_samples import is_asked, never
from iterpref_assets.steps.experiment_scores import PARENTS_OF_CELL, model_of_cell
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.step import Step, StepContext, each_named

SHORT = (BenchmarkName.HUMANEVAL, BenchmarkName.MBPP)
"""Benchmarks that every model of a grid can be scored on."""


def benchmarks_of(settings: Settings) -> tuple[BenchmarkName, ...]:
    """Those of `SHORT` whose data the settings give."""
    return tuple(name for name in SHORT if name in settings.benchmarks.names())


def is_possible(settings: Settings) -> bool:
    """Whether the grid's models are scored on benchmarks."""
    return is_asked(settings) and bool(benchmarks_of(settings))


def scores_file(benchmark: BenchmarkName) -> str:
    """Where a cell's artifact holds its scores on a benchmark, tables.SCORES."""
    return f"{benchmark.value}.parquet"


def _config(context: StepContext, _partition: str) -> Mapping[str, JsonValue]:
    settings = context.settings
    return {
        "base_model": sizes(settings).base_model,
        "benchmarks": {
            name.value: settings.benchmarks.config(name).identity()
            for name in benchmarks_of(settings)
        },
        "engine": settings.section("evaluation_engine"),
        "evaluation": settings.evaluation.for_result(),
    }


def _publish(context: StepContext, plans: Sequence[Plan]) -> None:
    with ExitStack() as stack:
        opened = {
            name: stack.enter_context(open_benchmark(context, name))
            for name in benchmarks_of(context.settings)
        }
        for plan in each_named(plans):
            asyncio.run(_score(context, plan, opened))


async def _score(
    context: StepContext, plan: Plan, opened: Mapping[BenchmarkName, OpenBenchmark]
) -> None:
    """Score one model on all of them at once: a batch of the engine may hold tasks of several."""
    folder = model_of_cell(context, plan.key.partition)
    work = context.store.work_folder(plan)
    style, config = style_of(folder, as_base=False), context.settings.evaluation
    frames: dict[BenchmarkName, pl.DataFrame] = {}
    async with open_engine(context.settings.evaluation_engine, folder) as engine:

        async def score(name: BenchmarkName) -> None:
            frames[name] = await opened[name].score(engine, style, config, work / name.value)

        await for_each(opened, len(opened), score)
    with context.store.publishing(plan) as staging:
        for name, frame in frames.items():
            tables.write_table(frame, tables.SCORES, staging.folder / scores_file(name))
        staging.row_count = sum(frame.height for frame in frames.values())


EXPERIMENT_BENCHMARKS = Step(
    asset="experiment_benchmarks",
    partitioning=Partitioning.CELL,
    parents=(
        *(
            step
            for step in BENCHMARK_TASKS
            if step.asset in [tasks_key(name).asset for name in SHORT]
        ),
        *PARENTS_OF_CELL,
    ),
    config=_config,
    publish=_publish,
    gpus=scoring_gpus,
    code_version="3",
    exists=is_possible,
    in_run=never,
)
