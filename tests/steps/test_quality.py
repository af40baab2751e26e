"""Test quality is measured on a sample, and rated where a judge is set."""

from pathlib import Path

import polars as pl
import pytest

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.frames import problems_to_frame
from iterpref_assets.core.records import Problem
from iterpref_assets.settings import Settings
from iterpref_assets.steps.generator import COMPLETIONS_FILE
from iterpref_assets.steps.heldout_problems import PROBLEMS_FILE
from iterpref_assets.steps.quality import QUALITY_FILE, TEST_QUALITY
from iterpref_assets.steps.step import StepContext

pytestmark = pytest.mark.sandbox

ANSWERS = {
    "p0": '<scores>{"accuracy": 5, "effectiveness": 2, "reasonableness": 4}</scores>',
    "p1": "They are excellent.",
}


def problem(name: str) -> Problem:
    cases = [{"arguments": "(1,)", "expected": "2"}]
    return Problem.model_validate(
        {
            "problem_id": name, "source": "mine", "prompt": "Add one.",
            "reference": "def f(x):\n    return x + 1",
            "tests": {"kind": "function", "entry_point": "f", "cases": cases},
        }
    )  # fmt: skip


def run(tmp_path: Path, **config: object) -> StepContext:
    root = tmp_path / "data"
    settings = Settings.model_validate({"root": root, "test_quality": {"problems": 2, **config}})
    context = StepContext(settings, ArtifactStore(root))
    with context.store.publishing(Plan(ArtifactKey("seed_problems", "s"), "1")) as staging:
        frame = problems_to_frame([problem("p0"), problem("p1")])
        tables.write_table(frame, tables.PROBLEMS, staging.folder / PROBLEMS_FILE)
    TEST_QUALITY.publish(context, [context.store.pinned(TEST_QUALITY.plan(context, "s"))])
    return context


def judge(tmp_path: Path) -> dict:
    rows = [
        {"key": f"{name}#0#0", "problem_id": name, "sample": 0, "round": 0, "completion": text,
         "prompt_tokens": 1, "completion_tokens": 1, "finish_reason": "stop", "seed": 0,
         "engine": "recorded"}
        for name, text in ANSWERS.items()
    ]  # fmt: skip
    file = tmp_path / "recorded.parquet"
    pl.DataFrame(rows, schema=tables.COMPLETIONS).write_parquet(file)
    return {"engine": {"kind": "replay", "completions": [str(file)]}, "model": "recorded"}


def quality(context: StepContext) -> pl.DataFrame:
    artifact = context.store.current(ArtifactKey("test_quality", "s"))
    return tables.read_table(artifact.path(QUALITY_FILE), tables.TEST_QUALITY)


def test_without_a_judge_tests_are_measured_and_not_rated(tmp_path: Path) -> None:
    context = run(tmp_path)
    measured = quality(context)
    assert measured["covered_lines"].to_list() == [2, 2]
    assert measured["flaky"].to_list() == [False, False]
    assert measured["accuracy"].null_count() == 2
    artifact = context.store.current(ArtifactKey("test_quality", "s"))
    assert not artifact.path(COMPLETIONS_FILE).exists()


def test_a_judges_answers_are_kept_and_read(tmp_path: Path) -> None:
    context = run(tmp_path, judge=judge(tmp_path))
    rated = quality(context).select("problem_id", "effectiveness", "rating_fault")
    assert rated.rows() == [("p0", 2, None), ("p1", None, "no_scores")]
    artifact = context.store.current(ArtifactKey("test_quality", "s"))
    answers = tables.read_table(artifact.path(COMPLETIONS_FILE), tables.COMPLETIONS)
    assert answers["completion"].to_list() == list(ANSWERS.values())


def test_the_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    key = ArtifactKey("test_quality", "s")
    hashes = [run(tmp_path / n).store.current(key).manifest.content_hash for n in "ab"]
    assert hashes[0] == hashes[1]
