"""How good the tests of seed problems are, measured on a sample of each shard."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core import tables
from iterpref_assets.core.answer_log import failures_in
from iterpref_assets.core.artifacts import ArtifactKey, Plan
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.pairs.config import JudgeConfig, judge_gpus
from iterpref_assets.core.quality.measuring import measure_tests, sampled_problems, with_ratings
from iterpref_assets.core.quality.ratings import rate_tests, rating_identity
from iterpref_assets.core.records import Problem
from iterpref_assets.steps.generator import COMPLETIONS_FILE
from iterpref_assets.steps.heldout_problems import read_problems
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.seed_problems import SEED_PROBLEMS
from iterpref_assets.steps.step import Step, StepContext, each_named

QUALITY_FILE = "quality.parquet"


def _config(context: StepContext, _shard: str) -> Mapping[str, JsonValue]:
    settings, config = context.settings, context.settings.test_quality
    return {
        **config.model_dump(mode="json", exclude={"judge"}),
        "judge": rating_identity(config.judge) if config.judge else None,
        "limits": settings.section("limits"),
        "packages": list(settings.packages),
    }


def _publish(context: StepContext, plans: Sequence[Plan]) -> None:
    answers = _ask_judge(context, plans)
    settings, store = context.settings, context.store
    for plan in each_named(plans):
        problems = _sample(context, plan)
        quality = measure_tests(problems, settings.test_quality, settings.limits, settings.packages)
        with store.publishing(plan) as staging:
            if (found := answers.get(plan.key.partition)) is not None:
                quality = with_ratings(quality, found)
                tables.write_table(found, tables.COMPLETIONS, staging.folder / COMPLETIONS_FILE)
                staging.figures["calls_without_an_answer"] = failures_in(found)
            tables.write_table(quality, tables.TEST_QUALITY, staging.folder / QUALITY_FILE)
            staging.row_count = quality.height


def _sample(context: StepContext, plan: Plan) -> list[Problem]:
    key = ArtifactKey("seed_problems", plan.key.partition)
    return sampled_problems(read_problems(context.store, key), context.settings.test_quality)


def _ask_judge(context: StepContext, plans: Sequence[Plan]) -> dict[str, pl.DataFrame]:
    """Each shard's answers; none where no judge is set."""
    judge = context.settings.test_quality.judge
    return asyncio.run(_ratings(context, plans, judge)) if judge is not None else {}


async def _ratings(
    context: StepContext, plans: Sequence[Plan], judge: JudgeConfig
) -> dict[str, pl.DataFrame]:
    async with open_engine(judge.engine, judge.model) as engine:
        return {
            plan.key.partition: await rate_tests(
                _sample(context, plan), engine, judge, context.store.work_folder(plan)
            )
            for plan in each_named(plans)
        }


TEST_QUALITY = Step(
    asset="test_quality",
    partitioning=Partitioning.SHARD,
    parents=(SEED_PROBLEMS,),
    config=_config,
    publish=_publish,
    gpus=lambda settings: judge_gpus(settings.test_quality.judge),
    code_version="4",
    in_run=lambda _settings: False,
)
