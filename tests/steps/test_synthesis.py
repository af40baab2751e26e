"""From recorded responses to raw seeds: read, run once, and every way of failing kept apart."""

import json
from pathlib import Path

import polars as pl
import pytest

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.settings import Settings
from iterpref_assets.steps.problems import read_problems
from iterpref_assets.steps.raw_seeds import PROGRAMS_FILE, RAW_SEEDS, UNUSABLE_FILE
from iterpref_assets.steps.step import Step, StepContext
from iterpref_assets.steps.synthesis import SYNTHETIC_TASKS

pytestmark = pytest.mark.sandbox

TASK = """<task>Add two numbers.</task>
<signature>def add(x, y):</signature>
<examples>add(1, 2) == 3</examples>
<tags>sums</tags>"""
PROGRAM = """<file>add.py</file>
```python
def add(x, y):
    return x + y
```
<file>test_add.py</file>
```python
from add import add

assert add(3, 5) == 8
```
<json>{"file_names": ["add.py", "test_add.py"], "packages": []}</json>"""
RESPONSES = {
    0: PROGRAM,
    1: PROGRAM.replace("x + y", "x - y"),
    2: PROGRAM.replace("add(3, 5) == 8", "add(3, 5) == 9"),
    3: PROGRAM.replace('"packages": []', '"packages": ["requests"]'),
    4: "I cannot do that.",
}


@pytest.fixture
def context(tmp_path: Path) -> StepContext:
    rows = [
        {
            "key": f"tree-000/{number:05d}#{round_}#0", "problem_id": f"tree-000/{number:05d}",
            "sample": 0, "round": round_, "completion": text, "prompt_tokens": 1,
            "completion_tokens": 1, "finish_reason": "stop", "seed": 0, "engine": "recorded",
        }
        for number, response in RESPONSES.items()
        for round_, text in enumerate((TASK, response))
    ]  # fmt: skip
    pl.DataFrame(rows, schema=tables.COMPLETIONS).write_parquet(tmp_path / "recorded.parquet")
    (tmp_path / "tree.json").write_text(json.dumps({"numbers": ["sums", "products"]}))
    settings = Settings.model_validate(
        {
            "root": tmp_path / "data",
            "seeds": {
                "kind": "feature_tree", "tree": tmp_path / "tree.json", "tasks_per_shard": 5,
                "heldout": tmp_path / "heldout.jsonl",
            },
            "engine": {"kind": "replay", "completions": [tmp_path / "recorded.parquet"]},
            "generator": {"source": "hub", "repository": "owner/name", "revision": "main"},
        }
    )  # fmt: skip
    return StepContext(settings, ArtifactStore(settings.root))


def publish(step: Step, context: StepContext) -> None:
    step.publish(context, [context.store.pinned(step.plan(context, "tree-000"))])


def test_responses_become_raw_seeds_with_what_came_of_each_program(context: StepContext) -> None:
    publish(SYNTHETIC_TASKS, context)
    publish(RAW_SEEDS, context)
    key = ArtifactKey("raw_seeds", "tree-000")
    artifact = context.store.current(key)
    programs = tables.read_table(artifact.path(PROGRAMS_FILE), tables.WRITTEN_PROGRAMS)
    unusable = tables.read_table(artifact.path(UNUSABLE_FILE), tables.UNUSABLE_SEEDS)
    problems = read_problems(context.store, key)
    assert [(each.problem_id, bool(each.reference)) for each in problems] == [
        ("tree-000/00000", True), ("tree-000/00001", False), ("tree-000/00002", False),
    ]  # fmt: skip
    assert programs["verdict"].to_list() == ["passed", "wrong_answer", "wrong_answer"]
    assert unusable.rows() == [
        ("tree-000/00003", "not_run", "requests"),
        ("tree-000/00004", "malformed", "no_files"),
    ]
    assert artifact.manifest.figures == {
        "unusable": {"not_run": 1, "malformed": 1},
        "malformed": {"no_files": 1},
        "programs": {"passed": 1, "wrong_answer": 2},
    }


def test_raw_seeds_are_stale_once_the_responses_or_the_allow_list_change(context) -> None:
    publish(SYNTHETIC_TASKS, context)
    publish(RAW_SEEDS, context)
    other = context.settings.model_copy(update={"packages": ("numpy",)})
    changed = StepContext(other, context.store)
    assert context.store.reusable(RAW_SEEDS.plan(context, "tree-000")) is not None
    assert context.store.reusable(RAW_SEEDS.plan(changed, "tree-000")) is None
    assert context.store.reusable(SYNTHETIC_TASKS.plan(changed, "tree-000")) is None
