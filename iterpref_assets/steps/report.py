"""The report of one base model's experiment: problems to pass@1, every variant that was scored."""

from __future__ import annotations

import json
from collections.abc import Sequence

import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.debugging.figures import pass_rate_by_round
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.bootstrap import Interval
from iterpref_assets.core.evaluation.config import EvaluationConfig
from iterpref_assets.core.evaluation.summary import ScoreSummary, summarize
from iterpref_assets.core.pairs.statistics import count_by_filter, focal_share
from iterpref_assets.core.reporting.markdown import pair_difference
from iterpref_assets.core.reporting.plots import Score
from iterpref_assets.core.reporting.report import (
    Benchmark,
    ReportInputs,
    summary_lines,
    write_report,
)
from iterpref_assets.core.training.recipes import REFERENCE
from iterpref_assets.steps.checkpoints import METRICS_FILE
from iterpref_assets.steps.evaluation import GREEDY_FILE, SAMPLED_FILE
from iterpref_assets.steps.leaderboard import BOARD_FILE
from iterpref_assets.steps.pairs import PAIRS_FILE, TOKENS_FILE
from iterpref_assets.steps.scored import is_current, scored_variants, variant_of
from iterpref_assets.steps.step import Basis, Step, StepContext, parents_of
from iterpref_assets.steps.trajectories import VERSIONS_FILE, allowed_rounds

SUMMARY_FILE = "summary.txt"
SHOWN_PAIRS = 3


def _basis_of_experiment_reports(context: StepContext, base_model: str) -> Basis:
    shards = context.settings.seeds.shards()
    variants = scored_variants(context.store, base_model)
    by_shard = ("seed_problems", "initial_samples", "debug_trajectories", "codeflow_pairs")
    return Basis(
        {"variants": variants},
        (
            ArtifactKey("heldout_problems"),
            ArtifactKey("preference_pairs", base_model),
            *(ArtifactKey(asset, shard) for asset in by_shard for shard in shards),
            *(ArtifactKey("checkpoints", f"{base_model}/{v}") for v in variants if v != REFERENCE),
            *(ArtifactKey("heldout_scores", f"{base_model}/{v}") for v in variants),
            *_leaderboard_keys(context, base_model),
        ),
    )


def _leaderboard_keys(context: StepContext, base_model: str) -> list[ArtifactKey]:
    """The leaderboard, where benchmarks are scored and it still stands."""
    key = ArtifactKey("leaderboard", base_model)
    asked = context.settings.benchmarks.names()
    return [key] if asked and is_current(context.store, key) else []


def _publish_experiment_reports(context: StepContext, plans: Sequence[Plan]) -> None:
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
        samples=versions.filter(pl.col("round") == 0).height,
        programs_run=versions.height,
        pass_rate_by_round=pass_rate_by_round(versions, allowed_rounds(debugged)),
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
        curves[variant_of(key)] = [json.loads(line) for line in lines]
    return curves


def _leaderboard(store: ArtifactStore, planned: Sequence[ArtifactKey]) -> pl.DataFrame | None:
    for key in planned:
        return tables.read_table(store.current(key).path(BOARD_FILE), tables.LEADERBOARD)
    return None


def _heldout_benchmark(store: ArtifactStore, scored: Sequence[ArtifactKey]) -> Benchmark:
    scores: list[Score] = []
    pass_at_k: dict[str, dict[int, float]] = {}
    for key in scored:
        variant = variant_of(key)
        greedy = _summary(store, key, GREEDY_FILE, "evaluation")
        interval = Interval(estimate=greedy.pass_at_1, low=greedy.low, high=greedy.high)
        scores.append(Score(variant, interval, greedy.n))
        sampled = _summary(store, key, SAMPLED_FILE, "sampled_evaluation")
        pass_at_k[variant] = sampled.pass_at_k
    return Benchmark("Held-out problems, greedy pass@1", scores, pass_at_k)


def _summary(store: ArtifactStore, key: ArtifactKey, file: str, section: str) -> ScoreSummary:
    artifact = store.current(key)
    frame = tables.read_table(artifact.path(file), tables.SCORES)
    return summarize(frame, EvaluationConfig.model_validate(artifact.manifest.config[section]))


EXPERIMENT_REPORTS = Step(
    "experiment_reports",
    _basis_of_experiment_reports,
    _publish_experiment_reports,
    code_version="2",
)
