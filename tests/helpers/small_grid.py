"""A small grid whose artifacts were published without any work, for tests of its export."""

import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from iterpref_assets import exporting, exporting_pairs
from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import UNPARTITIONED, ArtifactStore
from iterpref_assets.core.frames import problems_to_frame
from iterpref_assets.core.lab.config import LabConfig
from iterpref_assets.core.lab.problems import compose_heldout
from iterpref_assets.settings import Settings
from iterpref_assets.steps.heldout_problems import HELDOUT_PROBLEMS
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.step import Parent, Step, StepContext

SCORED = "sft@1e-05@0"
"""At a rate that the settings do not name."""


def a_step(
    asset: str, partitioning: Partitioning, version: str = "1", parents: tuple[Parent, ...] = ()
) -> Step:
    return Step(
        asset=asset, partitioning=partitioning, publish=lambda _context, _plans: None,
        code_version=version, parents=parents,
    )  # fmt: skip


MODELS = a_step("experiment_models", Partitioning.CELL)
FIRST_OF_SECOND = "focal_rpo@0.0001@0"
"""What models of a second round go on from."""
PAIRS = a_step("experiment_pairs", Partitioning.PAIR_SET)
SECOND_PAIRS = a_step("experiment_second_pairs", Partitioning.SECOND_ROUND)
TRAJECTORIES = a_step("debug_trajectories", Partitioning.SHARD)
INDEPENDENT = a_step("experiment_samples", Partitioning.SHARD)
SECOND_MODELS = a_step(
    "experiment_second_models", Partitioning.SECOND_CELL,
    parents=(Parent(MODELS, lambda _context, _partition: (FIRST_OF_SECOND,)),),
)  # fmt: skip
VALIDATION = a_step("experiment_validation", Partitioning.CELL)
SCORES = a_step("experiment_scores", Partitioning.CELL)
STRONGER = a_step("experiment_stronger", Partitioning.CELL)
SAMPLED = a_step("experiment_sampled", Partitioning.CELL)
BENCHMARKS = a_step("experiment_benchmarks", Partitioning.CELL)


def scores(*passed: bool) -> pl.DataFrame:
    rows = [
        {
            "task_id": f"t{place}", "sample": 0, "completion": "", "code": "",
            "verdict": "passed" if each else "raised", "error_type": "" if each else "KeyError",
            "base_passed": each, "plus_passed": None,
        }
        for place, each in enumerate(passed)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=tables.SCORES)


def small_grid(root: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings whose store holds a reference and one model, both scored, and one unscored model."""
    settings = Settings.model_validate(
        {
            "root": root,
            "seeds": {"lab": {"shards": 1}},
            "experiment": {"validation_problems": 2},
        }
    )
    context = StepContext(settings, ArtifactStore(settings.root))
    monkeypatch.setattr(exporting, "EXPERIMENT_MODELS", MODELS)
    monkeypatch.setattr(exporting, "EXPERIMENT_SECOND_MODELS", SECOND_MODELS)
    monkeypatch.setattr(exporting, "EXPERIMENT_VALIDATION", VALIDATION)
    monkeypatch.setattr(exporting, "EXPERIMENT_SCORES", SCORES)
    monkeypatch.setattr(exporting, "EXPERIMENT_STRONGER", STRONGER)
    monkeypatch.setattr(exporting, "EXPERIMENT_SAMPLED", SAMPLED)
    monkeypatch.setattr(exporting, "EXPERIMENT_BENCHMARKS", BENCHMARKS)
    monkeypatch.setattr(exporting, "DEBUG_TRAJECTORIES", TRAJECTORIES)
    monkeypatch.setattr(exporting, "EXPERIMENT_SAMPLES", INDEPENDENT)
    monkeypatch.setattr(exporting_pairs, "EXPERIMENT_PAIRS", PAIRS)
    monkeypatch.setattr(exporting_pairs, "EXPERIMENT_SECOND_PAIRS", SECOND_PAIRS)
    publish_pairs(context)
    publish_heldout(context)
    for key in (SCORED, "sft@3e-05@0"):
        publish_model(context, MODELS, key)
    for key in ("reference", SCORED, "sft@3e-05@0"):
        publish_scores(context, VALIDATION, key, True, False)
    for key in ("reference", SCORED):
        publish_scores(context, SCORES, key, key == SCORED, False, True)
    return settings


def publish_model(context: StepContext, step: Step, key: str) -> None:
    with context.store.publishing(step.plan(context, key)) as staging:
        staging.figures |= {"pairs": 2.0, "steps": 5.0}
        point = {"step": 1, "epoch": 0.5, "loss": 0.25}
        (staging.folder / "metrics.jsonl").write_text(json.dumps(point) + "\n")


def publish_scores(context: StepContext, step: Step, key: str, *passed: bool) -> None:
    with context.store.publishing(step.plan(context, key)) as staging:
        tables.write_table(scores(*passed), tables.SCORES, staging.folder / "greedy.parquet")


def publish_samples(context: StepContext, key: str, *codes: tuple[str, str, bool]) -> None:
    """Samples of a cell: problem, program, whether it passed."""
    rows = [
        {
            "task_id": task, "sample": place, "code": code, "completion": "", "verdict": "",
            "error_type": "", "base_passed": passed,
        }
        for place, (task, code, passed) in enumerate(codes)
    ]  # fmt: skip
    with context.store.publishing(SAMPLED.plan(context, key)) as staging:
        frame = pl.DataFrame(rows, schema=tables.SCORES)
        tables.write_table(frame, tables.SCORES, staging.folder / "sampled.parquet")


def publish_heldout(context: StepContext) -> None:
    """t0 to t3, of which the last is not among those that are scored."""
    problems = [
        each.model_copy(update={"problem_id": f"t{place}", "features": ("number", f"f{place}")})
        for place, each in enumerate(compose_heldout(LabConfig(heldout_problems=4)))
    ]
    with context.store.publishing(HELDOUT_PROBLEMS.plan(context, UNPARTITIONED)) as staging:
        frame = problems_to_frame(problems)
        tables.write_table(frame, tables.PROBLEMS, staging.folder / "problems.parquet")


def publish_versions(
    context: StepContext, step: Step, rows: Sequence[tuple[str, int, int, str]], calls: int = 0
) -> None:
    """Versions of lab-000, each: problem, sample, round, verdict."""
    names = ("problem_id", "sample", "round", "verdict")
    frame = pl.DataFrame(
        [
            dict(zip(names, row, strict=True)) | {"trajectory_id": f"{row[0]}/{row[1]}"}
            for row in rows
        ],
        schema=tables.VERSIONS,
    )
    with context.store.publishing(step.plan(context, "lab-000")) as staging:
        tables.write_table(frame, tables.VERSIONS, staging.folder / "versions.parquet")
        staging.figures["calls"] = calls


def publish_first_answers(context: StepContext, *problems: str) -> None:
    """One completion of each problem."""
    rows = [{"problem_id": name, "sample": 0, "round": 0} for name in problems]
    step = a_step("initial_samples", Partitioning.SHARD)
    with context.store.publishing(step.plan(context, "lab-000")) as staging:
        frame = pl.DataFrame(rows, schema=tables.COMPLETIONS)
        tables.write_table(frame, tables.COMPLETIONS, staging.folder / "completions.parquet")


def publish_seeds(context: StepContext, *names: str) -> None:
    problems = [
        each.model_copy(update={"problem_id": name})
        for name, each in zip(
            names, compose_heldout(LabConfig(heldout_problems=len(names))), strict=True
        )
    ]
    step = a_step("seed_problems", Partitioning.SHARD)
    with context.store.publishing(step.plan(context, "lab-000")) as staging:
        frame = problems_to_frame(problems)
        tables.write_table(frame, tables.PROBLEMS, staging.folder / "problems.parquet")


def publish_pairs(context: StepContext, step: Step = PAIRS, name: str = "random") -> None:
    row = {
        "pair_id": "p", "prompt_ids": [1], "chosen_ids": [1, 2], "rejected_ids": [1, 2, 3, 4],
        "chosen_mask": [False, True], "rejected_mask": [False, False, False, True],
    }  # fmt: skip
    with context.store.publishing(step.plan(context, name)) as staging:
        frame = pl.DataFrame([row], schema=tables.TOKENIZED_PAIRS)
        tables.write_table(frame, tables.TOKENIZED_PAIRS, staging.folder / "tokens.parquet")
        kept = {"pair_id": "p", "rejected": "x = 1", "rejected_diff_lines": [0]}
        dropped = {**kept, "pair_id": "q", "dropped_by": "equal_ast"}
        both = pl.DataFrame([kept, dropped], schema=tables.PAIRS)
        tables.write_table(both, tables.PAIRS, staging.folder / "pairs.parquet")
