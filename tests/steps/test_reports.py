"""What the report shows of the shards and scores that it was planned from."""

import json
from pathlib import Path

import polars as pl
import pytest
from score_tables import score_table

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import Artifact, ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.debugging.trajectory import DebugConfig
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.config import EvaluationConfig
from iterpref_assets.core.reporting.report import REPORT
from iterpref_assets.settings import load_settings
from iterpref_assets.steps.checkpoints import METRICS_FILE
from iterpref_assets.steps.evaluations import GREEDY_FILE, SAMPLED_FILE
from iterpref_assets.steps.pairs import PAIRS_FILE, TOKENS_FILE
from iterpref_assets.steps.reports import EXPERIMENT_REPORTS, SUMMARY_FILE
from iterpref_assets.steps.step import StepContext
from iterpref_assets.steps.trajectories import VERSIONS_FILE

ROUNDS = {"a": 1, "b": 3}
"""The debugging rounds that each shard is allowed."""
HELDOUT = ArtifactKey("heldout_problems")
MODEL = ArtifactKey("base_models", "lab")
CHECKPOINT = ArtifactKey("checkpoints", "lab/focal_rpo")
PAIR = {
    "pair_id": "p#0:0-1", "trajectory_id": "p#0", "problem_id": "p", "prompt": "Do.",
    "chosen": "x = 1", "rejected": "x = 2", "chosen_round": 1, "rejected_round": 0,
    "chosen_diff_lines": [0], "rejected_diff_lines": [0], "dropped_by": None,
}  # fmt: skip
TOKENS = {
    "pair_id": "p#0:0-1", "prompt_ids": [1], "chosen_ids": [1, 2], "rejected_ids": [1, 3],
    "chosen_mask": [False, True], "rejected_mask": [False, True],
}  # fmt: skip
SCORES = score_table([("t", 0, "", "", "passed", "", True, None)])


def publish(
    store: ArtifactStore, key: ArtifactKey, *files: tuple[str, pl.DataFrame, tables.Schema],
    config: dict | None = None, parents: tuple[ArtifactKey, ...] = (), note: str = "",
    figures: dict | None = None,
) -> None:  # fmt: skip
    with store.publishing(Plan(key, "1", config or {}, parents)) as staging:
        (staging.folder / "note").write_text(note)
        for name, frame, schema in files:
            tables.write_table(frame, schema, staging.folder / name)
        staging.figures.update(figures or {})


def versions(shard: str, rounds: int) -> pl.DataFrame:
    """One trajectory, which passes in the last round it is allowed."""
    rows = [
        {
            "trajectory_id": f"{shard}#0", "problem_id": shard, "sample": 0, "round": number,
            "verdict": "passed" if number == rounds else "wrong_answer",
        }
        for number in range(rounds + 1)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=tables.VERSIONS)


def publish_scores(store: ArtifactStore, variant: str, model: ArtifactKey) -> None:
    config = EvaluationConfig().model_dump(mode="json")
    publish(
        store,
        ArtifactKey("heldout_scores", f"lab/{variant}"),
        (GREEDY_FILE, SCORES, tables.SCORES),
        (SAMPLED_FILE, SCORES, tables.SCORES),
        config={"evaluation": config, "sampled_evaluation": config},
        parents=(HELDOUT, model),
    )


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StepContext:
    """All that a report is made of, but for scores."""
    (tmp_path / "seeds").mkdir()
    for shard in ROUNDS:
        (tmp_path / "seeds" / f"{shard}.jsonl").touch()
    seeds = {"kind": "files", "folder": str(tmp_path / "seeds"), "heldout": "none"}
    monkeypatch.setenv("ITERPREF_SEEDS", json.dumps(seeds))
    monkeypatch.setenv("ITERPREF_ROOT", str(tmp_path / "data"))
    store = ArtifactStore(tmp_path / "data")
    publish(store, HELDOUT)
    publish(store, MODEL)
    with store.publishing(Plan(CHECKPOINT, "1")) as staging:
        (staging.folder / METRICS_FILE).write_text('{"step": 1, "loss": 0.5}\n')
    publish(
        store,
        ArtifactKey("preference_pairs", "lab"),
        (PAIRS_FILE, pl.DataFrame([PAIR], schema=tables.PAIRS), tables.PAIRS),
        (
            TOKENS_FILE,
            pl.DataFrame([TOKENS], schema=tables.TOKENIZED_PAIRS),
            tables.TOKENIZED_PAIRS,
        ),
    )
    for shard, rounds in ROUNDS.items():
        for asset in ("seed_problems", "initial_samples", "codeflow_pairs"):
            publish(store, ArtifactKey(asset, shard))
        publish(
            store,
            ArtifactKey("debug_trajectories", shard),
            (VERSIONS_FILE, versions(shard, rounds), tables.VERSIONS),
            config={"debugging": DebugConfig(max_rounds=rounds).model_dump(mode="json")},
            figures={"trajectories": 1},
        )
    return StepContext(load_settings(), store)


def planned(context: StepContext) -> Plan:
    return context.store.pinned(EXPERIMENT_REPORTS.plan(context, "lab"))


def published(context: StepContext, plan: Plan) -> Artifact:
    EXPERIMENT_REPORTS.publish(context, [plan])
    return context.store.current(plan.key)


def test_the_curve_goes_on_to_the_most_rounds_that_any_shard_is_allowed(context) -> None:
    publish_scores(context.store, "reference", MODEL)
    summary = published(context, planned(context)).path(SUMMARY_FILE).read_text()
    assert "solved by round, %  0.0 50.0 50.0 100.0\n" in summary


def test_a_score_that_came_since_the_plan_is_not_shown_as_it_is_not_upstream(context) -> None:
    publish_scores(context.store, "reference", MODEL)
    plan = planned(context)
    publish_scores(context.store, "focal_rpo", CHECKPOINT)
    artifact = published(context, plan)
    assert "heldout_scores/lab/focal_rpo" not in artifact.manifest.upstream
    assert "focal_rpo" not in artifact.path(REPORT).read_text()


def test_once_the_held_out_problems_changed_no_score_stands_and_there_is_no_report(context) -> None:
    publish_scores(context.store, "reference", MODEL)
    publish(context.store, HELDOUT, note="changed")
    with pytest.raises(InputError, match="no scores of lab on the held-out problems still stand"):
        published(context, planned(context))
