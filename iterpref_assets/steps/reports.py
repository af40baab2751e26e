"""The report of one base model's experiment: problems to pass@1, every variant that was scored."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.config import EvaluationConfig
from iterpref_assets.core.evaluation.summary import ScoreSummary, summarize
from iterpref_assets.core.pairs.statistics import count_by_filter, focal_share
from iterpref_assets.core.reporting.markdown import pair_difference
from iterpref_assets.core.reporting.plots import PlottedScore
from iterpref_assets.core.reporting.report import (
    BenchmarkScores,
    ReportInputs,
    summary_lines,
    write_report,
)
from iterpref_assets.steps.checkpoints import CHECKPOINTS, METRICS_FILE
from iterpref_assets.steps.evaluations import GREEDY_FILE, HELDOUT_SCORES, SAMPLED_FILE
from iterpref_assets.steps.heldout_problems import HELDOUT_PROBLEMS
from iterpref_assets.steps.leaderboard import BOARD_FILE, LEADERBOARD
from iterpref_assets.steps.pairs import CODEFLOW_PAIRS, PAIRS_FILE, PREFERENCE_PAIRS, TOKENS_FILE
from iterpref_assets.steps.partitions import ModelVariant, Partitioning
from iterpref_assets.steps.samples import INITIAL_SAMPLES
from iterpref_assets.steps.scored import is_current, scored_variants, that_still_stand
from iterpref_assets.steps.seed_problems import SEED_PROBLEMS
from iterpref_assets.steps.step import Parent, Step, StepContext, parents_of
from iterpref_assets.steps.trajectories import (
    DEBUG_TRAJECTORIES,
    VERSIONS_FILE,
    rates_by_round,
    trajectories_in,
)

SUMMARY_FILE = "summary.txt"
SHOWN_PAIRS = 3


def _scored(context: StepContext, base_model: str) -> list[ModelVariant]:
    return scored_variants(context.store, base_model, HELDOUT_SCORES.asset)


def _config(context: StepContext, base_model: str) -> Mapping[str, JsonValue]:
    return {"variants": [each.variant for each in _scored(context, base_model)]}


def _scored_checkpoints(context: StepContext, base_model: str) -> list[str]:
    return [each.key for each in _scored(context, base_model) if not each.is_reference]


def _if_it_stands(context: StepContext, base_model: str) -> tuple[str, ...]:
    """The leaderboard, where it still stands."""
    key = ArtifactKey(LEADERBOARD.asset, base_model)
    return (base_model,) if is_current(context.store, key) else ()


def _publish(context: StepContext, plans: Sequence[Plan]) -> None:
    for plan in plans:
        if not parents_of(plan, "heldout_scores"):
            raise InputError(
                f"no scores of {plan.key.partition} on the held-out problems still stand",
                remedy="Materialize heldout_scores first",
            )
        inputs = _inputs(context, plan)
        with context.store.publishing(plan) as staging:
            write_report(inputs, staging.folder)
            summary = "\n".join(summary_lines(inputs))
            (staging.folder / SUMMARY_FILE).write_text(summary + "\n", encoding="utf-8")


def _inputs(context: StepContext, plan: Plan) -> ReportInputs:
    store = context.store
    debugged = [store.current(key) for key in parents_of(plan, "debug_trajectories")]
    versions = pl.concat(
        tables.read_table(each.path(VERSIONS_FILE), tables.VERSIONS) for each in debugged
    )
    preferences = store.current(ArtifactKey("preference_pairs", plan.key.partition))
    pairs = tables.read_table(preferences.path(PAIRS_FILE), tables.PAIRS)
    tokens = preferences.path(TOKENS_FILE)
    kept = pairs.filter(pl.col("dropped_by").is_null())
    shown = kept.head(SHOWN_PAIRS).iter_rows(named=True)
    counts = count_by_filter(pairs)
    return ReportInputs(
        problems={
            "train": sum(_rows(store, key) for key in parents_of(plan, "seed_problems")),
            "held-out": _rows(store, ArtifactKey("heldout_problems")),
        },
        samples=trajectories_in(debugged),
        programs_run=versions.height,
        pass_rate_by_round=rates_by_round(versions, debugged),
        kept=counts.kept,
        dropped=counts.dropped,
        focal_share=focal_share(pl.scan_parquet(tokens)),
        curves=_curves(store, parents_of(plan, "checkpoints")),
        benchmarks=[_heldout_benchmark(store, parents_of(plan, "heldout_scores"))],
        leaderboard=_leaderboard(store, parents_of(plan, "leaderboard")),
        provenance={
            str(parent): store.current(parent).manifest.content_hash[:16] for parent in plan.parents
        },
        example_pairs=[pair_difference(row) for row in shown],
    )


def _rows(store: ArtifactStore, key: ArtifactKey) -> int:
    return store.current(key).manifest.row_count or 0


def _curves(
    store: ArtifactStore, checkpoints: Sequence[ArtifactKey]
) -> dict[str, list[dict[str, float]]]:
    curves: dict[str, list[dict[str, float]]] = {}
    for key in checkpoints:
        lines = store.current(key).path(METRICS_FILE).read_text(encoding="utf-8").splitlines()
        curves[ModelVariant.parse(key.partition).variant] = [json.loads(line) for line in lines]
    return curves


def _leaderboard(store: ArtifactStore, planned: Sequence[ArtifactKey]) -> pl.DataFrame | None:
    for key in planned:
        return tables.read_table(store.current(key).path(BOARD_FILE), tables.LEADERBOARD)
    return None


def _heldout_benchmark(store: ArtifactStore, scored: Sequence[ArtifactKey]) -> BenchmarkScores:
    scores: list[PlottedScore] = []
    pass_at_k: dict[str, dict[int, float]] = {}
    for key in scored:
        variant = ModelVariant.parse(key.partition).variant
        greedy = _summary(store, key, GREEDY_FILE, "evaluation")
        scores.append(PlottedScore(variant, greedy.interval, greedy.n))
        sampled = _summary(store, key, SAMPLED_FILE, "sampled_evaluation")
        pass_at_k[variant] = sampled.pass_at_k
    return BenchmarkScores("Held-out problems, greedy pass@1", scores, pass_at_k)


def _summary(store: ArtifactStore, key: ArtifactKey, file: str, section: str) -> ScoreSummary:
    artifact = store.current(key)
    frame = tables.read_scores(artifact.path(file))
    return summarize(frame, EvaluationConfig.model_validate(artifact.manifest.config[section]))


EXPERIMENT_REPORTS = Step(
    asset="experiment_reports",
    partitioning=Partitioning.BASE_MODEL,
    parents=(
        HELDOUT_PROBLEMS,
        PREFERENCE_PAIRS,
        SEED_PROBLEMS,
        INITIAL_SAMPLES,
        DEBUG_TRAJECTORIES,
        CODEFLOW_PAIRS,
        Parent(CHECKPOINTS, _scored_checkpoints),
        that_still_stand(HELDOUT_SCORES),
        Parent(LEADERBOARD, _if_it_stands),
    ),
    config=_config,
    publish=_publish,
    code_version="3",
)
