"""CodeFlow pairs by shard, and the preference pairs of one base model's tokenizer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan, Staging
from iterpref_assets.core.decontamination.refusal import refuse_benchmark_tasks
from iterpref_assets.core.digests import digest_json
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.engines.protocol import Engine
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.pairs.config import JudgeConfig, Negatives, PairConfig, judge_gpus
from iterpref_assets.core.pairs.executions import ExecutionLog
from iterpref_assets.core.pairs.judge import judge_identity, judge_pair_file
from iterpref_assets.core.pairs.streaming import (
    build_pair_file,
    row_count,
    tokenize_pair_files,
)
from iterpref_assets.core.pairs.token_files import TOKENS_FILE
from iterpref_assets.core.sandbox.on_demand import judging
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.settings import Settings
from iterpref_assets.steps.by_problem import problem_figures, problems_of_shards
from iterpref_assets.steps.heldout_problems import PROBLEMS_FILE
from iterpref_assets.steps.models import BASE_MODELS, LAB_SOURCE, base_model_folder
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.seed_problems import SEED_PROBLEMS
from iterpref_assets.steps.step import Step, StepContext, parents_of
from iterpref_assets.steps.trajectories import DEBUG_TRAJECTORIES, VERSIONS_FILE

PAIRS_FILE = "pairs.parquet"
JUDGEMENTS_FILE = "judgements.parquet"


def pair_files(store: ArtifactStore, shards: Sequence[str]) -> list[Path]:
    """The tables of every candidate pair of the shards, dropped ones included."""
    keys = [ArtifactKey("codeflow_pairs", shard) for shard in shards]
    return [store.current(key).path(PAIRS_FILE) for key in keys]


def read_kept_pairs(
    store: ArtifactStore, shards: Sequence[str], columns: Sequence[str]
) -> pl.DataFrame:
    """Some columns of tables.PAIRS, of the shards' kept pairs alone."""
    files = pair_files(store, shards)
    for file in files:
        tables.check_table(file, tables.PAIRS)
    if not files:
        return pl.DataFrame(schema=tables.PAIRS).select(columns)
    kept = pl.scan_parquet(files).filter(pl.col("dropped_by").is_null())
    return kept.select(columns).collect()


def tokenized_pairs(store: ArtifactStore, base_model: str) -> pl.DataFrame:
    """The tokenized pairs of one base model."""
    artifact = store.current(ArtifactKey("preference_pairs", base_model))
    return tables.read_table(artifact.path(TOKENS_FILE), tables.TOKENIZED_PAIRS)


def named_judge(settings: Settings) -> JudgeConfig:
    """The judge that the settings name.

    Raises:
        InputError: where they name none.
    """
    judge = settings.pairs.judge
    if judge is None:
        raise InputError(
            "the settings name no judge",
            field="pairs.judge",
            remedy="Set its engine and model, or leave out --judge",
        )
    return judge


def building_config(settings: Settings, pairs: PairConfig) -> dict[str, JsonValue]:
    """What pairs depend on that `build_shard` makes: programs that are cut are judged again."""
    return {
        "pairs": pairs.for_result(),
        "limits": settings.section("limits"),
        "packages": list(settings.packages),
    }


def _codeflow_config(context: StepContext, _shard: str) -> Mapping[str, JsonValue]:
    pairs = context.settings.pairs
    judge = judge_identity(pairs.judge) if pairs.judge else None
    return {**building_config(context.settings, pairs), "judge": judge}


def tokenizing_config(settings: Settings, pairs: PairConfig) -> dict[str, JsonValue]:
    """What pairs depend on that are tokenized to be trained on, besides the tables of them."""
    return {
        "pairs": pairs.for_result(),
        "allow_training_on": list(settings.seed_filter.allow_training_on),
    }


def _preference_config(context: StepContext, _base_model: str) -> Mapping[str, JsonValue]:
    return tokenizing_config(context.settings, context.settings.pairs)


def _publish_codeflow_pairs(context: StepContext, plans: Sequence[Plan]) -> None:
    judge = context.settings.pairs.judge
    if judge is not None:
        asyncio.run(_build_and_judge(context, plans, judge))
        return
    for plan in plans:
        with context.store.publishing(plan) as staging:
            out = staging.folder / PAIRS_FILE
            _build_own(context, plan.key.partition, out)
            _describe(context, plan, staging)


async def _build_and_judge(context: StepContext, plans: Sequence[Plan], judge: JudgeConfig) -> None:
    async with open_engine(judge.engine, judge.model) as engine:
        for plan in plans:
            await _judge_shard(context, plan, judge, engine)


async def _judge_shard(
    context: StepContext, plan: Plan, judge: JudgeConfig, engine: Engine
) -> None:
    """Build a shard's pairs and ask about them.

    Answers outlast the artifact: they lie by judge, so pairs built in another way that hold the
    same two programs are not asked about again.
    """
    store = context.store
    answers = store.root / "judge" / digest_json(judge_identity(judge))[:16]
    built = store.work_folder(plan) / PAIRS_FILE
    _build_own(context, plan.key.partition, built)
    with store.publishing(plan) as staging:
        out = staging.folder / PAIRS_FILE
        outcome = await judge_pair_file(
            built,
            engine,
            judge,
            answers / f"{plan.key.partition}.jsonl",
            pairs_out=out,
            judgements_out=staging.folder / JUDGEMENTS_FILE,
        )
        _describe(context, plan, staging)
        staging.figures.update(
            {
                "judge_answers": outcome.answers,
                "judge_asked": outcome.asked,
                "calls_without_an_answer": outcome.failures,
            }
        )


def _describe(context: StepContext, plan: Plan, staging: Staging) -> None:
    """What the manifest says of a shard's pairs."""
    out = staging.folder / PAIRS_FILE
    staging.row_count = row_count(out)
    staging.figures.update(
        problem_figures(problems_of_shards(context.store, [plan.key.partition], [out]))
    )


def _build_own(context: StepContext, shard: str, out: Path) -> None:
    """Build a shard's pairs of its trajectories; verdicts outlast the artifact as well."""
    build_shard(
        context,
        shard,
        context.settings.pairs,
        out,
        versions=versions_of(context, DEBUG_TRAJECTORIES, shard),
        executions=context.store.root / "executions" / f"{shard}.jsonl",
    )


def versions_of(context: StepContext, source: Step, shard: str) -> Path:
    """The file of a shard's versions (tables.VERSIONS), of a step that makes them by shard."""
    return context.store.current(ArtifactKey(source.asset, shard)).path(VERSIONS_FILE)


def build_shard(
    context: StepContext,
    shard: str,
    pairs: PairConfig,
    out: Path,
    *,
    versions: Path,
    executions: Path,
) -> None:
    """Build a shard's pairs.

    Args:
        context: whose settings and artifacts count.
        shard: which one.
        pairs: how they are made.
        out: the file that they go to (tables.PAIRS).
        versions: the file that they are made of (tables.VERSIONS).
        executions: the log of verdicts on programs that were cut; one process at a time holds it.
    """
    store, settings = context.store, context.settings
    problems = store.current(ArtifactKey("seed_problems", shard)).path(PROBLEMS_FILE)
    limits, packages = settings.limits, settings.packages
    with (
        judging(lambda: Sandbox(packages=packages), limits) as judge,
        ExecutionLog(executions, judge, limits=limits, packages=packages) as log,
    ):
        build_pair_file(versions, problems, pairs, out, judge=log)


def _publish_preference_pairs(context: StepContext, plans: Sequence[Plan]) -> None:
    settings, store = context.settings, context.store
    for plan in plans:
        folder = base_model_folder(settings, store, plan.key.partition)
        shards = [key.partition for key in parents_of(plan, "codeflow_pairs")]
        files = pair_files(store, shards)
        refuse_pairs_of_benchmarks(context, dict(zip(shards, files, strict=True)), "codeflow_pairs")
        with store.publishing(plan) as staging:
            tokenize_pairs(files, folder, settings.pairs, staging, "preference_pairs")


def tokenize_pairs(
    files: Sequence[Path], model: Path, config: PairConfig, staging: Staging, asset: str
) -> None:
    """Fill an artifact of `asset` with the pairs of `files`, and their tokens for `model`.

    Raises:
        InputError: where no pair is left to train on.
    """
    from transformers import AutoTokenizer

    pairs, tokens = staging.folder / PAIRS_FILE, staging.folder / TOKENS_FILE
    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenize_pair_files(files, tokenizer, config, pairs_out=pairs, tokens_out=tokens)
    _require_pairs(pairs, asset, config.negatives)
    staging.row_count = row_count(tokens)


def refuse_pairs_of_benchmarks(context: StepContext, files: Mapping[str, Path], place: str) -> None:
    """Refuse pairs of benchmark tasks, unless the settings let their source through.

    Args:
        context: whose settings and seed problems count.
        files: by shard, the table of its pairs (tables.PAIRS).
        place: the asset that the pairs are of, or that they are to be of.

    Raises:
        InputError: naming the first task and its source.
    """
    for shard, file in files.items():
        tables.check_table(file, tables.PAIRS)
        ids = pl.scan_parquet(file).select("problem_id").unique(maintain_order=True)
        seeds = context.store.current(ArtifactKey("seed_problems", shard)).path(PROBLEMS_FILE)
        sources = pl.scan_parquet(seeds).select("problem_id", "source")
        problems = ids.join(sources, on="problem_id", how="left").collect()
        named = problems.with_columns(pl.col("source").fill_null("")).iter_rows()
        allowed = context.settings.seed_filter.allow_training_on
        refuse_benchmark_tasks(named, allowed, place=place)


def _require_pairs(file: Path, asset: str, negatives: Negatives) -> None:
    """Refuse a table of `asset` (tables.PAIRS) in which every pair is dropped, or none stands.

    Raises:
        InputError: with what dropped them.
    """
    dropped_by = pl.read_parquet(file, columns=["dropped_by"])["dropped_by"]
    if dropped_by.null_count() > 0:
        return
    problem = "no failing program was repaired, so there is no pair"
    more = "allow more debugging rounds"
    if negatives is Negatives.PASS_RATE:  # debugging makes nothing of these pairs
        problem = "no problem has a failing first program and a passing one, so there is no pair"
        more = "draw more samples of each"
    if drops := dict(dropped_by.value_counts(sort=True).iter_rows()):
        problem = f"no pair is left of {dropped_by.len()} candidates (dropped by {drops})"
    remedy = f"Sample more problems, {more}, or use a stronger generator"
    raise InputError(problem, field=asset, remedy=remedy)


CODEFLOW_PAIRS = Step(
    asset="codeflow_pairs",
    partitioning=Partitioning.SHARD,
    parents=(DEBUG_TRAJECTORIES, SEED_PROBLEMS),
    config=_codeflow_config,
    publish=_publish_codeflow_pairs,
    gpus=lambda settings: judge_gpus(settings.pairs.judge),
    code_version="4",
)
PREFERENCE_PAIRS = Step(
    asset="preference_pairs",
    partitioning=Partitioning.BASE_MODEL,
    parents=(CODEFLOW_PAIRS, BASE_MODELS, LAB_SOURCE),
    config=_preference_config,
    publish=_publish_preference_pairs,
    code_version="3",
)
