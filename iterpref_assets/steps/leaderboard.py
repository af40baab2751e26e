"""The leaderboard of one base model: every benchmark's scores that still stand, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.benchmark_summary import groups_of
from iterpref_assets.core.evaluation.config import EvaluationConfig
from iterpref_assets.core.evaluation.leaderboard import COLUMNS, Column, leaderboard
from iterpref_assets.core.evaluation.summary import error_table, in_group
from iterpref_assets.core.reporting.leaderboard import (
    failures_text,
    leaderboard_plot,
    leaderboard_text,
)
from iterpref_assets.core.training.recipes import REFERENCE
from iterpref_assets.settings import Settings
from iterpref_assets.steps.benchmarks import (
    BENCHMARK_SCORES,
    BENCHMARK_TASKS,
    SCORE_ASSETS,
    SCORES_FILE,
    read_tasks,
)
from iterpref_assets.steps.partitions import ModelVariant, Partitioning
from iterpref_assets.steps.scored import that_still_stand
from iterpref_assets.steps.step import Step, StepContext, parents_of

BOARD_FILE = "leaderboard.parquet"
TEXT_FILE = "leaderboard.md"
PLOT_FILE = "leaderboard.png"


_STANDING_SCORES = tuple(that_still_stand(step) for step in BENCHMARK_SCORES)


def _config(context: StepContext, base_model: str) -> Mapping[str, JsonValue]:
    scored = [
        f"{scores.step.asset}/{name}"
        for scores in _STANDING_SCORES
        for name in scores.partitions(context, Partitioning.BASE_MODEL, base_model)
    ]
    return {"scores": [*scored], "evaluation": context.settings.evaluation.for_result()}


def _is_made(settings: Settings) -> bool:
    return bool(settings.benchmarks.names())


def _publish(context: StepContext, plans: Sequence[Plan]) -> None:
    for plan in plans:
        cells = _cells(context.store, plan)
        if not cells:
            raise InputError(
                f"no scores of {plan.key.partition} on any benchmark still stand",
                remedy="Materialize the benchmarks' scores first",
            )
        config = EvaluationConfig.model_validate(plan.config["evaluation"])
        board = leaderboard(cells, REFERENCE, config)
        with context.store.publishing(plan) as staging:
            tables.write_table(board, tables.LEADERBOARD, staging.folder / BOARD_FILE)
            text = "\n".join([leaderboard_text(board), *_failures(cells)])
            (staging.folder / TEXT_FILE).write_text(text, encoding="utf-8")
            (staging.folder / PLOT_FILE).write_bytes(leaderboard_plot(board))
            staging.row_count = board.height


def _cells(store: ArtifactStore, plan: Plan) -> dict[Column, dict[str, pl.DataFrame]]:
    benchmark_of = {asked.asset: asked.benchmark for asked in SCORE_ASSETS}
    cells: dict[Column, dict[str, pl.DataFrame]] = {}
    for column in COLUMNS:
        for key in parents_of(plan, column.asset):
            scores = _scores(store, key)
            shown = replace(column, title=column.titled(_rules(store, key)))
            if column.group:
                tasks = read_tasks(store, benchmark_of[column.asset])
                scores = in_group(scores, groups_of(tasks), column.group)
            if scores.height:
                cells.setdefault(shown, {})[ModelVariant.parse(key.partition).variant] = scores
    return cells


def _rules(store: ArtifactStore, key: ArtifactKey) -> str:
    """By which of several sets of rules a score's programs were judged, "" where there is one."""
    benchmark = store.current(key).manifest.config.get("benchmark")
    return str(benchmark.get("rules", "")) if isinstance(benchmark, dict) else ""


def _failures(cells: Mapping[Column, Mapping[str, pl.DataFrame]]) -> Iterator[str]:
    """How programs failed, once for each asset of scores."""
    seen: set[str] = set()
    for column, variants in cells.items():
        if column.asset not in seen:
            seen.add(column.asset)
            yield failures_text(column.title, error_table(variants))


def _scores(store: ArtifactStore, key: ArtifactKey) -> pl.DataFrame:
    return tables.read_scores(store.current(key).path(SCORES_FILE))


LEADERBOARD = Step(
    asset="leaderboard",
    partitioning=Partitioning.BASE_MODEL,
    parents=(*BENCHMARK_TASKS, *_STANDING_SCORES),
    config=_config,
    publish=_publish,
    code_version="1",
    exists=_is_made,
)
