"""The leaderboard shows scores that still stand, and no others."""

import json
from pathlib import Path

import polars as pl
import pytest
from score_tables import score_table

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.config import EvaluationConfig
from iterpref_assets.settings import load_settings
from iterpref_assets.steps.benchmarks import SCORES_FILE, TASKS_FILE
from iterpref_assets.steps.leaderboard import BOARD_FILE, LEADERBOARD, TEXT_FILE
from iterpref_assets.steps.step import StepContext

MODEL = ArtifactKey("base_models", "lab")
CHECKPOINT = ArtifactKey("checkpoints", "lab/focal_rpo")
TASKS = ArtifactKey("bigcodebench_tasks")
ASSET = "bigcodebench_complete_scores"


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StepContext:
    monkeypatch.setenv("ITERPREF_BENCHMARKS", json.dumps({"bigcodebench": {"data": "official"}}))
    monkeypatch.setenv("ITERPREF_ROOT", str(tmp_path))
    context = StepContext(load_settings(), ArtifactStore(tmp_path))
    publish(context, MODEL, "v1")
    publish(context, CHECKPOINT, "v1")
    rows = [
        {"task_id": name, "group": group, "not_run": "", "verdict": "passed",
         "error_type": "", "message": ""}
        for name, group in (("a", ""), ("b", "hard"))
    ]  # fmt: skip
    with context.store.publishing(Plan(TASKS, "1")) as staging:
        frame = pl.DataFrame(rows, schema=tables.BENCHMARK_TASKS)
        tables.write_table(frame, tables.BENCHMARK_TASKS, staging.folder / TASKS_FILE)
    return context


def publish(context: StepContext, key: ArtifactKey, content: str) -> None:
    with context.store.publishing(Plan(key, "1")) as staging:
        (staging.folder / "content").write_text(content)


def publish_scores(context: StepContext, variant: str, model: ArtifactKey, *passed: bool) -> None:
    rows = [
        (name, 0, "", "", "passed", "", ok, None) for name, ok in zip("ab", passed, strict=True)
    ]
    key = ArtifactKey(ASSET, f"lab/{variant}")
    with context.store.publishing(Plan(key, "1", {}, (TASKS, model))) as staging:
        frame = score_table(rows)
        tables.write_table(frame, tables.SCORES, staging.folder / SCORES_FILE)


def board(context: StepContext) -> pl.DataFrame:
    LEADERBOARD.publish(context, [context.store.pinned(LEADERBOARD.plan(context, "lab"))])
    path = context.store.current(ArtifactKey("leaderboard", "lab")).path(BOARD_FILE)
    return tables.read_table(path, tables.LEADERBOARD)


def test_full_and_hard_figures_come_from_one_run(context: StepContext) -> None:
    publish_scores(context, "reference", MODEL, True, False)
    publish_scores(context, "focal_rpo", CHECKPOINT, True, True)
    shown = board(context).select("column", "variant", "tasks", "pass_at_1", "difference").rows()
    assert shown == [
        ("BCB-F comp", "reference", 2, 0.5, None),
        ("BCB-F comp", "focal_rpo", 2, 1.0, 0.5),
        ("BCB-H comp", "reference", 1, 0.0, None),
        ("BCB-H comp", "focal_rpo", 1, 1.0, 1.0),
    ]


def test_scores_of_a_checkpoint_that_was_trained_anew_are_left_out(context: StepContext) -> None:
    publish_scores(context, "reference", MODEL, True, False)
    publish_scores(context, "focal_rpo", CHECKPOINT, True, True)
    publish(context, CHECKPOINT, "v2")
    assert board(context)["variant"].unique().to_list() == ["reference"]
    text = context.store.current(ArtifactKey("leaderboard", "lab")).path(TEXT_FILE).read_text()
    assert "focal_rpo" not in text


def test_a_new_score_makes_the_leaderboard_stale(context: StepContext) -> None:
    publish_scores(context, "reference", MODEL, True, False)
    board(context)
    assert context.store.reusable(LEADERBOARD.plan(context, "lab")) is not None
    publish_scores(context, "focal_rpo", CHECKPOINT, True, True)
    assert context.store.reusable(LEADERBOARD.plan(context, "lab")) is None


def test_a_score_that_came_since_the_plan_is_not_shown_as_it_is_not_upstream(context) -> None:
    publish_scores(context, "reference", MODEL, True, False)
    plan = context.store.pinned(LEADERBOARD.plan(context, "lab"))
    publish_scores(context, "focal_rpo", CHECKPOINT, True, True)
    LEADERBOARD.publish(context, [plan])
    artifact = context.store.current(plan.key)
    shown = tables.read_table(artifact.path(BOARD_FILE), tables.LEADERBOARD)["variant"].unique()
    assert f"{ASSET}/lab/focal_rpo" not in artifact.manifest.upstream
    assert shown.to_list() == ["reference"]


def test_fewer_completions_asked_for_at_once_ask_for_no_other_leaderboard(context) -> None:
    publish_scores(context, "reference", MODEL, True, False)
    board(context)
    settings = context.settings.overridden("evaluation", {"in_flight": 1})
    changed = StepContext(settings, context.store)
    assert context.store.reusable(LEADERBOARD.plan(changed, "lab")) is not None


def test_without_any_score_that_stands_there_is_no_leaderboard(context: StepContext) -> None:
    with pytest.raises(InputError, match="no scores of lab on any benchmark still stand"):
        board(context)


def test_a_column_says_by_which_rules_its_programs_were_judged(context: StepContext) -> None:
    config = {"benchmark": {"rules": "official"}}
    frame = score_table([("a", 0, "", "", "passed", "", True, None)])
    key = ArtifactKey("livecodebench_scores", "lab/reference")
    with context.store.publishing(Plan(key, "1", config, (TASKS, MODEL))) as staging:
        tables.write_table(frame, tables.SCORES, staging.folder / SCORES_FILE)
    plan = Plan(
        ArtifactKey("leaderboard", "lab"),
        "1",
        {"evaluation": EvaluationConfig().for_result()},
        (key, TASKS),
    )
    LEADERBOARD.publish(context, [context.store.pinned(plan)])
    path = context.store.current(ArtifactKey("leaderboard", "lab")).path(BOARD_FILE)
    assert tables.read_table(path, tables.LEADERBOARD)["column"].to_list() == ["LCB (official)"]
