"""Scores on HumanEval+ and MBPP+, on the same path as the held-out problems."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, Plan
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.plus.benchmark import SANDBOX_PACKAGES, plus_benchmark
from iterpref_assets.core.evaluation.plus.data import PlusBenchmark, load_plus
from iterpref_assets.core.evaluation.plus.expected import CallRunner
from iterpref_assets.core.evaluation.scoring import score_tasks
from iterpref_assets.core.evaluation.tasks import EvaluationTask
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.steps.evaluation import model_keys, scored_model_folder
from iterpref_assets.steps.step import Step, StepContext

SCORES_FILE = "greedy.parquet"
OFFICIAL = "official"


def _data_file(context: StepContext, benchmark: PlusBenchmark) -> Path | None:
    """The benchmark's file, None for evalplus's own source.

    Raises:
        InputError: where the settings do not ask for this benchmark.
    """
    source = context.settings.benchmarks.get(benchmark)
    if source is None:
        raise InputError(
            f"{benchmark.value} is not among the benchmarks",
            field="benchmarks",
            remedy=f'Set benchmarks.{benchmark.value} to its file or to "{OFFICIAL}"',
        )
    return source if isinstance(source, Path) else None


def _plan(benchmark: PlusBenchmark, context: StepContext, partition: str) -> Plan:
    settings, path = context.settings, _data_file(context, benchmark)
    if path is not None and not path.is_file():
        raise InputError(
            "no such file",
            file=path,
            field=f"benchmarks.{benchmark.value}",
            remedy=f'Correct the setting, or set it to "{OFFICIAL}"',
        )
    data = hashlib.sha256(path.read_bytes()).hexdigest() if path else OFFICIAL
    return Plan(
        ArtifactKey(f"{benchmark.value}_scores", partition),
        "1",
        {
            "data": data,
            "engine": settings.section("evaluation_engine"),
            "evaluation": settings.section("evaluation"),
        },
        model_keys(context, partition),
    )


def _publish(benchmark: PlusBenchmark, context: StepContext, plans: Sequence[Plan]) -> None:
    data = load_plus(benchmark, _data_file(context, benchmark))
    cache = context.store.root / "cache"
    with Sandbox(packages=SANDBOX_PACKAGES) as sandbox:
        loaded = plus_benchmark(data, sandbox, cache, os.cpu_count() or 1)
        for plan in plans:
            asyncio.run(_score(context, plan, sandbox, list(loaded.tasks.values())))


async def _score(
    context: StepContext, plan: Plan, sandbox: Sandbox, tasks: Sequence[EvaluationTask[CallRunner]]
) -> None:
    settings, store = context.settings, context.store
    folder = scored_model_folder(context, plan.key.partition)
    async with open_engine(settings.evaluation_engine, folder) as engine:
        scores = await score_tasks(
            tasks, engine, sandbox, settings.evaluation, store.work_folder(plan)
        )
    with store.publishing(plan) as staging:
        tables.write_table(scores, tables.SCORES, staging.folder / SCORES_FILE)
        staging.row_count = scores.height


def _step(benchmark: PlusBenchmark) -> Step:
    return Step(
        f"{benchmark.value}_scores", partial(_plan, benchmark), partial(_publish, benchmark)
    )


HUMANEVAL_SCORES = _step(PlusBenchmark.HUMANEVAL)
MBPP_SCORES = _step(PlusBenchmark.MBPP)
