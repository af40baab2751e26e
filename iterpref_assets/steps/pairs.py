"""CodeFlow pairs by shard, and the preference pairs of one base model's tokenizer."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.decontamination.refusal import refuse_benchmark_tasks
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.pairs.build import build_pairs
from iterpref_assets.core.pairs.tokenization import tokenize_pairs
from iterpref_assets.steps.generation import VERSIONS_FILE
from iterpref_assets.steps.models import base_model_folder, base_model_source, model_parents
from iterpref_assets.steps.problems import PROBLEMS_FILE
from iterpref_assets.steps.step import Step, StepContext

PAIRS_FILE = "pairs.parquet"
TOKENS_FILE = "tokens.parquet"


def read_pairs(store: ArtifactStore, shards: Sequence[str]) -> pl.DataFrame:
    """Every candidate pair of the shards, dropped ones included."""
    frames = [
        tables.read_table(
            store.current(ArtifactKey("codeflow_pairs", shard)).path(PAIRS_FILE), tables.PAIRS
        )
        for shard in shards
    ]
    return pl.concat(frames)


def read_tokens(store: ArtifactStore, base_model: str) -> pl.DataFrame:
    """The tokenized pairs of one base model."""
    artifact = store.current(ArtifactKey("preference_pairs", base_model))
    return tables.read_table(artifact.path(TOKENS_FILE), tables.TOKENIZED_PAIRS)


def _plan_codeflow_pairs(context: StepContext, shard: str) -> Plan:
    settings = context.settings
    return Plan(
        ArtifactKey("codeflow_pairs", shard),
        "1",
        {"pairs": settings.section("pairs")},
        (ArtifactKey("debug_trajectories", shard), ArtifactKey("seed_problems", shard)),
    )


def _plan_preference_pairs(context: StepContext, base_model: str) -> Plan:
    settings = context.settings
    shards = settings.seeds.shards()
    return Plan(
        ArtifactKey("preference_pairs", base_model),
        "1",
        {
            "pairs": settings.section("pairs"),
            "allow_training_on": list(settings.seed_filter.allow_training_on),
        },
        (
            *(ArtifactKey("codeflow_pairs", shard) for shard in shards),
            ArtifactKey("base_models", base_model),
            *model_parents(base_model_source(settings, base_model)),
        ),
    )


def _publish_codeflow_pairs(context: StepContext, plans: Sequence[Plan]) -> None:
    store = context.store
    for plan in plans:
        shard = plan.key.partition
        versions = store.current(ArtifactKey("debug_trajectories", shard)).path(VERSIONS_FILE)
        problems = store.current(ArtifactKey("seed_problems", shard)).path(PROBLEMS_FILE)
        pairs = build_pairs(
            tables.read_table(versions, tables.VERSIONS),
            tables.read_table(problems, tables.PROBLEMS),
            context.settings.pairs,
        )
        with store.publishing(plan) as staging:
            tables.write_table(pairs, tables.PAIRS, staging.folder / PAIRS_FILE)
            staging.row_count = pairs.height


def _publish_preference_pairs(context: StepContext, plans: Sequence[Plan]) -> None:
    from transformers import AutoTokenizer

    settings, store = context.settings, context.store
    for plan in plans:
        folder = base_model_folder(settings, store, plan.key.partition)
        pairs = read_pairs(store, settings.seeds.shards())
        refuse_benchmark_tasks(
            pairs["problem_id"], settings.seed_filter.allow_training_on, place="codeflow_pairs"
        )
        tokenized = tokenize_pairs(pairs, AutoTokenizer.from_pretrained(folder), settings.pairs)
        _require_pairs(tokenized.pairs)
        with store.publishing(plan) as staging:
            tables.write_table(tokenized.pairs, tables.PAIRS, staging.folder / PAIRS_FILE)
            tables.write_table(
                tokenized.table, tables.TOKENIZED_PAIRS, staging.folder / TOKENS_FILE
            )
            staging.row_count = tokenized.table.height


def _require_pairs(pairs: pl.DataFrame) -> None:
    if pairs["dropped_by"].null_count() == 0:
        drops = dict(pairs["dropped_by"].value_counts(sort=True).iter_rows())
        raise InputError(
            f"no pair is left of {pairs.height} candidates (dropped by {drops or 'nothing'})",
            field="preference_pairs",
            remedy="Sample more problems, allow more debugging rounds, or use a stronger generator",
        )


CODEFLOW_PAIRS = Step("codeflow_pairs", _plan_codeflow_pairs, _publish_codeflow_pairs)
PREFERENCE_PAIRS = Step("preference_pairs", _plan_preference_pairs, _publish_preference_pairs)
