"""The benchmarks: which of their tasks can be run here, and every variant's scores on them."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.engines.protocol import Engine
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.benchmark_config import BenchmarkName
from iterpref_assets.core.evaluation.benchmark_summary import summarize_benchmark
from iterpref_assets.core.evaluation.bigcodebench.data import BigCodeBenchSplit
from iterpref_assets.core.evaluation.config import EvaluationConfig
from iterpref_assets.core.evaluation.model_scoring import score_tasks
from iterpref_assets.core.evaluation.references import (
    ReferenceResult,
    remedy_of,
    require_passing,
    run_references,
)
from iterpref_assets.core.evaluation.suite import DataSource, Suite
from iterpref_assets.core.evaluation.tasks import EvaluationTask, PromptStyle, style_of
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.settings import Settings
from iterpref_assets.steps.evaluations import SCORED_MODEL, scored_model_folder, scoring_gpus
from iterpref_assets.steps.findings import Findings, Offender
from iterpref_assets.steps.partitions import ModelVariant, Partitioning
from iterpref_assets.steps.step import Step, StepContext, each_named

TASKS_FILE = "tasks.parquet"
SOURCE_FILE = "source.json"
PROMPTS_FILE = "prompts.json"
SCORES_FILE = "scores.parquet"
SUMMARY_FILE = "summary.json"
WORKERS = os.cpu_count() or 1
_TASKS_VERSIONS = {BenchmarkName.BIGCODEBENCH: "7"}
"""Of the steps whose results alone have come to differ."""


@dataclass(frozen=True, slots=True)
class ScoreAsset:
    """One way in which a benchmark is asked: an asset of scores.

    `split` says how BigCodeBench is asked; the others know no such difference. `code_version` is
    the step's, raised where this benchmark's scores alone come to differ.
    """

    asset: str
    benchmark: BenchmarkName
    title: str
    split: BigCodeBenchSplit = BigCodeBenchSplit.COMPLETE
    code_version: str = "8"


SCORE_ASSETS = (
    ScoreAsset("humaneval_scores", BenchmarkName.HUMANEVAL, "HumanEval and HumanEval+"),
    ScoreAsset("mbpp_scores", BenchmarkName.MBPP, "MBPP and MBPP+ (v0.2.0)"),
    ScoreAsset(
        "bigcodebench_complete_scores",
        BenchmarkName.BIGCODEBENCH,
        "BigCodeBench Complete, Full and Hard",
        code_version="9",
    ),
    ScoreAsset(
        "bigcodebench_instruct_scores",
        BenchmarkName.BIGCODEBENCH,
        "BigCodeBench Instruct, Full and Hard",
        BigCodeBenchSplit.INSTRUCT,
        code_version="9",
    ),
    ScoreAsset("livecodebench_scores", BenchmarkName.LIVECODEBENCH, "LiveCodeBench"),
)


def score_assets_of(settings: Settings) -> tuple[ScoreAsset, ...]:
    """Those whose data the settings give."""
    names = settings.benchmarks.names()
    return tuple(asked for asked in SCORE_ASSETS if asked.benchmark in names)


def tasks_key(benchmark: BenchmarkName) -> ArtifactKey:
    """The artifact that says which of a benchmark's tasks can be run."""
    return ArtifactKey(f"{benchmark}_tasks")


def read_tasks(store: ArtifactStore, benchmark: BenchmarkName) -> list[ReferenceResult]:
    """A benchmark's tasks as published."""
    path = store.current(tasks_key(benchmark)).path(TASKS_FILE)
    rows = tables.read_table(path, tables.BENCHMARK_TASKS).iter_rows(named=True)
    return [ReferenceResult.model_validate(row) for row in rows]


def failing_benchmark_references(store: ArtifactStore, benchmark: BenchmarkName) -> Findings:
    """Tasks whose reference solution failed here for no known reason."""
    tasks = read_tasks(store, benchmark)
    failing = [
        Offender(
            name=task.task_id,
            reason=f"{task.verdict} {task.message}",
            asset=tasks_key(benchmark).asset,
        )
        for task in tasks
        if task.fails
    ]
    return Findings.of({"tasks": len(tasks)}, failing)


def _is_given(benchmark: BenchmarkName, settings: Settings) -> bool:
    """Whether the settings give a benchmark's data."""
    return benchmark in settings.benchmarks.names()


def _tasks_config(
    benchmark: BenchmarkName, context: StepContext, _partition: str
) -> Mapping[str, JsonValue]:
    return context.settings.benchmarks.config(benchmark).identity()


def _publish_tasks(benchmark: BenchmarkName, context: StepContext, plans: Sequence[Plan]) -> None:
    store = context.store
    suite = context.settings.benchmarks.open(benchmark)
    with suite.open_sandbox(WORKERS) as sandbox:
        tasks = suite.tasks(PromptStyle.CHAT, sandbox, _cache(store), WORKERS)
        for plan in each_named(plans):
            results = run_references(suite, tasks, sandbox, store.work_folder(plan), WORKERS)
            require_passing(results, remedy_of(suite))
            rows = [result.model_dump() for result in results]
            frame = pl.DataFrame(rows, schema=tables.BENCHMARK_TASKS)
            with store.publishing(plan) as staging:
                tables.write_table(frame, tables.BENCHMARK_TASKS, staging.folder / TASKS_FILE)
                source = suite.facts.source.model_dump_json(indent=2)
                (staging.folder / SOURCE_FILE).write_text(source + "\n", encoding="utf-8")
                prompts = json.dumps({name: _asked(task) for name, task in tasks.items()}, indent=2)
                (staging.folder / PROMPTS_FILE).write_text(prompts + "\n", encoding="utf-8")
                staging.row_count = frame.height


def _asked(task: EvaluationTask[Sandbox]) -> str:
    """What a task asks in a chat, for people to read."""
    return "\n\n".join(message.content for message in task.messages)


def _cache(store: ArtifactStore) -> Path:
    return store.root / "cache"


def _scores_config(
    asked: ScoreAsset, context: StepContext, partition: str
) -> Mapping[str, JsonValue]:
    settings = context.settings
    return {
        "benchmark": settings.benchmarks.config(asked.benchmark).identity(),
        "engine": settings.section("evaluation_engine"),
        "evaluation": settings.evaluation.for_result(),
        "base_prompts": _has_base_prompts(context, partition),
    }


def _has_base_prompts(context: StepContext, partition: str) -> bool:
    settings, model = context.settings, ModelVariant.parse(partition)
    unknown = set(settings.benchmarks.base_prompts) - settings.base_models.keys()
    if unknown:
        raise InputError(
            f"unknown base model {min(unknown)!r}",
            field="benchmarks.base_prompts",
            remedy=f"Use names of base_models: {', '.join(settings.base_models)}",
        )
    return model.is_reference and model.base_model in settings.benchmarks.base_prompts


@dataclass(frozen=True)
class OpenBenchmark:
    """A benchmark that models are scored on, with a sandbox for their programs.

    Attributes:
        suite: its data.
        results: what its reference solutions came to.
        sandbox: runs the programs.
        cache: what takes long to prepare lies here.
    """

    suite: Suite
    results: Sequence[ReferenceResult]
    sandbox: Sandbox
    cache: Path

    async def score(
        self, engine: Engine, style: PromptStyle, config: EvaluationConfig, work: Path
    ) -> pl.DataFrame:
        """Score the model of an engine that is already entered: tables.SCORES.

        Args:
            engine: the model.
            style: how it is asked.
            config: how its completions are drawn.
            work: the folder that unfinished work is kept in.
        """
        tasks = self.suite.tasks(style, self.sandbox, self.cache, WORKERS)
        runnable = [tasks[result.task_id] for result in self.results if not result.not_run]
        return await score_tasks(runnable, engine, self.sandbox, config, work)


@contextmanager
def open_benchmark(
    context: StepContext,
    name: BenchmarkName,
    split: BigCodeBenchSplit = BigCodeBenchSplit.COMPLETE,
) -> Generator[OpenBenchmark]:
    """A benchmark whose tasks are published.

    Raises:
        InputError: where a reference solution failed for no known reason, as an earlier version
            published it, or the data changed since.
    """
    suite = context.settings.benchmarks.open(name, split)
    results = read_tasks(context.store, name)
    require_passing(
        results, f"Materialize {tasks_key(name).asset} with `anew: true` in its run config"
    )
    _require_same_data(context.store, name, suite)
    with suite.open_sandbox(WORKERS) as sandbox:
        yield OpenBenchmark(suite, results, sandbox, _cache(context.store))


def _publish_scores(asked: ScoreAsset, context: StepContext, plans: Sequence[Plan]) -> None:
    with open_benchmark(context, asked.benchmark, asked.split) as benchmark:
        for plan in each_named(plans):
            asyncio.run(_score(context, plan, benchmark))


def _require_same_data(store: ArtifactStore, benchmark: BenchmarkName, suite: Suite) -> None:
    """Refuse data that changed at its source since its tasks were run."""
    text = store.current(tasks_key(benchmark)).path(SOURCE_FILE).read_text(encoding="utf-8")
    if DataSource.model_validate_json(text).sha256 != suite.facts.source.sha256:
        raise InputError(
            f"the data of {benchmark} changed since its reference solutions were run",
            remedy=f"Materialize {tasks_key(benchmark).asset} again",
        )


async def _score(context: StepContext, plan: Plan, benchmark: OpenBenchmark) -> None:
    settings, store, suite = context.settings, context.store, benchmark.suite
    folder = scored_model_folder(context, plan.key.partition)
    style = style_of(folder, as_base=_has_base_prompts(context, plan.key.partition))
    async with open_engine(settings.evaluation_engine, folder) as engine:
        work = store.work_folder(plan)
        scores = await benchmark.score(engine, style, settings.evaluation, work)
    summary = summarize_benchmark(
        scores,
        benchmark.results,
        suite.facts.source,
        style,
        settings.evaluation,
        suite.facts.rules,
    )
    with store.publishing(plan) as staging:
        tables.write_table(scores, tables.SCORES, staging.folder / SCORES_FILE)
        text = summary.model_dump_json(indent=2)
        (staging.folder / SUMMARY_FILE).write_text(text + "\n", encoding="utf-8")
        staging.row_count = scores.height


BENCHMARK_TASKS = tuple(
    Step(
        asset=tasks_key(name).asset,
        partitioning=Partitioning.WHOLE,
        config=partial(_tasks_config, name),
        publish=partial(_publish_tasks, name),
        code_version=_TASKS_VERSIONS.get(name, "5"),
        exists=partial(_is_given, name),
    )
    for name in BenchmarkName
)
BENCHMARK_SCORES = tuple(
    Step(
        asset=asked.asset,
        partitioning=Partitioning.SCORE,
        parents=(
            *(
                tasks
                for tasks in BENCHMARK_TASKS
                if tasks.asset == tasks_key(asked.benchmark).asset
            ),
            *SCORED_MODEL,
        ),
        config=partial(_scores_config, asked),
        publish=partial(_publish_scores, asked),
        gpus=scoring_gpus,
        code_version=asked.code_version,
        exists=partial(_is_given, asked.benchmark),
    )
    for asked in SCORE_ASSETS
)
