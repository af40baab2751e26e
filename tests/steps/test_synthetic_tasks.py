"""From recorded responses to raw seeds: read, run once, and every way of failing kept apart."""

import json
from pathlib import Path

import polars as pl
import pytest
from written_program import PROGRAM

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import UNPARTITIONED, ArtifactKey, ArtifactStore
from iterpref_assets.core.prompts import fenced
from iterpref_assets.core.records import Case, FunctionTests, Problem, Split
from iterpref_assets.settings import Settings
from iterpref_assets.steps.heldout_problems import HELDOUT_PROBLEMS, read_problems
from iterpref_assets.steps.pairs import CODEFLOW_PAIRS, PAIRS_FILE
from iterpref_assets.steps.provenance import find_pair
from iterpref_assets.steps.raw_seeds import PROGRAMS_FILE, RAW_SEEDS, UNUSABLE_FILE
from iterpref_assets.steps.samples import INITIAL_SAMPLES
from iterpref_assets.steps.seed_problems import SEED_PROBLEMS
from iterpref_assets.steps.step import Step, StepContext
from iterpref_assets.steps.synthetic_tasks import SYNTHETIC_TASKS
from iterpref_assets.steps.trajectories import DEBUG_TRAJECTORIES

pytestmark = pytest.mark.sandbox

TASK = """<task>Add two numbers.</task>
<signature>def add(x, y):</signature>
<examples>add(1, 2) == 3</examples>
<tags>sums</tags>"""
TASKS = (
    "Add two numbers.",
    "Give the sum that both arguments come to.",
    "How much are x and y together?",
    "Add two numbers by a request.",
    "Add two numbers anyhow.",
)
ADD = "def add(x, y):\n    return x + y"
HELDOUT = Problem(
    problem_id="h0",
    source="test",
    split=Split.HELDOUT,
    prompt="Take one from x.",
    tests=FunctionTests(entry_point="f", cases=(Case(arguments="(1,)", expected="0"),)),
)
RESPONSES = {
    0: PROGRAM,
    1: PROGRAM.replace("x + y", "x - y"),
    2: PROGRAM.replace("add(3, 5) == 8", "add(3, 5) == 9"),
    3: PROGRAM.replace('"packages": []', '"packages": ["requests"]'),
    4: "I cannot do that.",
}


@pytest.fixture
def context(tmp_path: Path) -> StepContext:
    answers = {
        (number, -2): TASK.replace("Add two numbers.", TASKS[number]) for number in RESPONSES
    }
    answers |= {(number, -1): response for number, response in RESPONSES.items()}
    answers |= {(number, round_): fenced(ADD) for number in (1, 2) for round_ in range(1, 6)}
    rows = [
        {
            "key": f"tree-000/{number:05d}#{round_}#0", "problem_id": f"tree-000/{number:05d}",
            "sample": 0, "round": round_, "completion": text, "prompt_tokens": 1,
            "completion_tokens": 1, "finish_reason": "stop", "seed": 0, "engine": "recorded",
        }
        for (number, round_), text in answers.items()
    ]  # fmt: skip
    pl.DataFrame(rows, schema=tables.COMPLETIONS).write_parquet(tmp_path / "recorded.parquet")
    (tmp_path / "heldout.jsonl").write_text(HELDOUT.model_dump_json())
    (tmp_path / "tree.json").write_text(json.dumps({"numbers": ["sums", "products"]}))
    settings = Settings.model_validate(
        {
            "root": tmp_path / "data",
            "seeds": {
                "kind": "feature_tree", "tree": tmp_path / "tree.json", "tasks_per_shard": 5,
                "heldout": tmp_path / "heldout.jsonl",
            },
            "engine": {"kind": "replay", "completions": [tmp_path / "recorded.parquet"]},
            "generator": {"source": "hub", "repository": "owner/name", "revision": "0" * 40},
            "prompts": {"debug_turn": "continue", "retries": 0},
        }
    )  # fmt: skip
    return StepContext(settings, ArtifactStore(settings.root))


def publish(step: Step, context: StepContext, partition: str = "tree-000") -> None:
    step.publish(context, [context.store.pinned(step.plan(context, partition))])


def publish_up_to_pairs(context: StepContext) -> None:
    publish(HELDOUT_PROBLEMS, context, UNPARTITIONED)
    for step in (SYNTHETIC_TASKS, RAW_SEEDS, SEED_PROBLEMS, INITIAL_SAMPLES):
        publish(step, context)
    publish(DEBUG_TRAJECTORIES, context)
    publish(CODEFLOW_PAIRS, context)


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


def test_a_program_that_came_with_its_task_is_debugged_into_a_pair(context: StepContext) -> None:
    """Drawn are only the repairs: a first sample that is not recorded would stop the replay."""
    publish_up_to_pairs(context)
    pairs = context.store.current(ArtifactKey("codeflow_pairs", "tree-000"))
    kept = tables.read_table(pairs.path(PAIRS_FILE), tables.PAIRS).filter(
        pl.col("dropped_by").is_null()
    )
    assert kept["chosen"].to_list() == [ADD]
    assert kept["rejected"].to_list() == [ADD.replace("+", "-")]


def test_its_provenance_tells_what_asked_for_that_program_and_the_whole_answer(context) -> None:
    publish_up_to_pairs(context)
    (trajectory,) = find_pair(context.store, "tree-000/00001#0:0-1").trajectories
    first, repaired = trajectory.versions
    assert TASKS[1] in first.prompt[0][1]
    assert "<file>solution.py</file>" in first.prompt[0][1]
    assert first.completion.text == RESPONSES[1]
    assert repaired.prompt[1] == ("assistant", fenced(first.code))


def test_prompts_of_another_template_are_not_made_up(context, monkeypatch) -> None:
    publish_up_to_pairs(context)
    other = "iterpref_assets.core.pairs.provenance.template_versions"
    monkeypatch.setattr(other, lambda: {"program_and_tests": "another"})
    (trajectory,) = find_pair(context.store, "tree-000/00001#0:0-1").trajectories
    assert [version.prompt is None for version in trajectory.versions] == [True, False]
