"""Each statement that guards the chain is true of good artifacts and false of bad ones."""

from pathlib import Path

import polars as pl
import pytest

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.conversations import LAB_PROMPTS, Prompts
from iterpref_assets.core.frames import problems_to_frame
from iterpref_assets.core.lab.config import LabConfig
from iterpref_assets.core.lab.problems import compose_shard
from iterpref_assets.core.records import Problem
from iterpref_assets.settings import load_settings
from iterpref_assets.steps import verification
from iterpref_assets.steps.evaluations import GREEDY_FILE
from iterpref_assets.steps.heldout_problems import PROBLEMS_FILE
from iterpref_assets.steps.pairs import PAIRS_FILE, TOKENS_FILE
from iterpref_assets.steps.trajectories import VERSIONS_FILE

SHARD = "a"
GOOD, BAD = "def f(x):\n    return x + 1", "def f(x):\n    return x - 1"
OTHER = "def f(x):\n    return 1 + x"
REFUSED = "def f(x):\n    value = []\n    value.append(value)\n    return value"
PROBLEM = Problem.model_validate(
    {
        "problem_id": "p1",
        "source": "mine",
        "prompt": "Add one to x.",
        "entry_point": "f",
        "reference": GOOD,
        "tests": {
            "kind": "function",
            "entry_point": "f",
            "cases": [{"arguments": "(1,)", "expected": "2"}],
        },
    }
)
SETTINGS = load_settings()


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path)


def publish(store: ArtifactStore, key: ArtifactKey, file: str, frame: pl.DataFrame, schema) -> None:
    with store.publishing(Plan(key, "1")) as staging:
        tables.write_table(frame, schema, staging.folder / file)


def publish_problems(
    store: ArtifactStore, *problems: Problem, asset: str = "seed_problems"
) -> None:
    key = ArtifactKey(asset, SHARD if asset == "seed_problems" else "all")
    publish(store, key, PROBLEMS_FILE, problems_to_frame(problems), tables.PROBLEMS)


def publish_pair(store: ArtifactStore, chosen: str, rejected: str, dropped_by=None) -> None:
    publish_pairs(store, ("q1", chosen, rejected), dropped_by=dropped_by)


def publish_pairs(
    store: ArtifactStore,
    *pairs: tuple[str, str, str],
    dropped_by: str | None = None,
    problem_of: dict[str, str] | None = None,
) -> None:
    """Pairs as (name, chosen, rejected), all of problem p1 but those in `problem_of`."""
    rows = [
        {
            "pair_id": name, "trajectory_id": "p1#0",
            "problem_id": (problem_of or {}).get(name, "p1"), "prompt": PROBLEM.prompt,
            "chosen": chosen, "rejected": rejected, "chosen_round": 1, "rejected_round": 0,
            "chosen_diff_lines": [1], "rejected_diff_lines": [1], "dropped_by": dropped_by,
        }
        for name, chosen, rejected in pairs
    ]  # fmt: skip
    frame = pl.DataFrame(rows, schema=tables.PAIRS)
    publish(store, ArtifactKey("codeflow_pairs", SHARD), PAIRS_FILE, frame, tables.PAIRS)


def publish_scores(store: ArtifactStore, variant: str, passed: list[bool]) -> None:
    rows = [
        {"task_id": f"t{i}", "sample": 0, "completion": "", "code": "", "verdict": "passed",
         "error_type": "", "base_passed": ok, "plus_passed": None}
        for i, ok in enumerate(passed)
    ]  # fmt: skip
    frame = pl.DataFrame(rows, schema=tables.SCORES)
    key = ArtifactKey("heldout_scores", f"lab/{variant}")
    publish(store, key, GREEDY_FILE, frame, tables.SCORES)


def test_a_passing_reference_is_no_offender(store: ArtifactStore) -> None:
    publish_problems(store, PROBLEM)
    assert verification.failing_references(SETTINGS, store, [SHARD]).lines == []


def test_a_failing_reference_is_named_with_its_failure(store: ArtifactStore) -> None:
    publish_problems(store, PROBLEM.model_copy(update={"reference": BAD}))
    (line,) = verification.failing_references(SETTINGS, store, [SHARD]).lines
    assert line.startswith("p1: wrong_answer")


def test_the_labs_own_tests_leave_no_sibling_alive(store: ArtifactStore) -> None:
    config = LabConfig(problems_per_shard=5)
    publish_problems(store, *compose_shard(config, "lab-000"))
    assert verification.lab_siblings(store, [SHARD]).lines == []


def test_a_lab_problem_with_one_test_lets_a_sibling_live(store: ArtifactStore) -> None:
    (problem,) = compose_shard(LabConfig(problems_per_shard=1), "lab-000")
    cases = problem.tests.cases[:1]
    weak = problem.model_copy(update={"tests": problem.tests.model_copy(update={"cases": cases})})
    publish_problems(store, weak)
    assert verification.lab_siblings(store, [SHARD]).lines != []


def test_a_training_problem_that_is_held_out_too_is_named(store: ArtifactStore) -> None:
    publish_problems(store, PROBLEM)
    publish_problems(store, PROBLEM, asset="heldout_problems")
    assert verification.leaked_problems(store, [SHARD]).lines != []


def test_other_problems_than_the_held_out_ones_are_no_leak(store: ArtifactStore) -> None:
    other = {"problem_id": "h1", "prompt": "Take one from x.", "reference": BAD}
    publish_problems(store, PROBLEM)
    publish_problems(store, PROBLEM.model_copy(update=other), asset="heldout_problems")
    assert verification.leaked_problems(store, [SHARD]).lines == []


def test_equal_programs_are_an_offending_pair(store: ArtifactStore) -> None:
    publish_pair(store, GOOD, GOOD)
    assert verification.equal_pairs(store, [SHARD]).lines == ["q1"]


def test_a_program_chosen_in_one_pair_and_rejected_in_another_is_named(store) -> None:
    publish_pairs(store, ("q1", GOOD, BAD), ("q2", OTHER, GOOD))
    assert verification.equal_pairs(store, [SHARD]).lines == ["q1"]


def test_another_problems_rejected_program_may_be_chosen_here(store: ArtifactStore) -> None:
    publish_pairs(store, ("q1", GOOD, BAD), ("q2", OTHER, GOOD), problem_of={"q2": "p2"})
    assert verification.equal_pairs(store, [SHARD]).lines == []


@pytest.mark.parametrize(
    ("told", "count"),
    [("f(1) gave 0", 0), ("f(12345678) gave 0 and f(87654321) gave 1", 1)],
)
def test_a_prompt_that_tells_of_a_second_test_is_named(store, told: str, count: int) -> None:
    cases = [{"arguments": f"({n},)", "expected": "2"} for n in ("12345678", "87654321")]
    tests = {"kind": "function", "entry_point": "f", "cases": cases}
    publish_problems(store, Problem.model_validate(PROBLEM.model_dump() | {"tests": tests}))
    rows = [
        {"trajectory_id": "p1#0", "problem_id": "p1", "round": n, "code": GOOD, "feedback": told}
        for n in range(2)
    ]
    frame = pl.DataFrame(rows, schema=tables.VERSIONS)
    key = ArtifactKey("debug_trajectories", SHARD)
    config = {"prompts": Prompts(LAB_PROMPTS).identity()}
    with store.publishing(Plan(key, "1", config)) as staging:
        tables.write_table(frame, tables.VERSIONS, staging.folder / VERSIONS_FILE)
    assert len(verification.leaking_prompts(store, [SHARD]).lines) == count


def test_a_dropped_pair_is_not_looked_at(store: ArtifactStore) -> None:
    publish_pair(store, GOOD, GOOD, dropped_by="empty_focus")
    assert verification.equal_pairs(store, [SHARD]).lines == []


@pytest.mark.parametrize(("chosen", "offenders"), [(GOOD, []), (BAD, ["q1"])])
def test_the_chosen_program_is_executed_again(store, chosen: str, offenders: list[str]) -> None:
    publish_problems(store, PROBLEM)
    publish_pair(store, chosen, BAD)
    assert verification.failing_chosen(SETTINGS, store, [SHARD]).lines == offenders


@pytest.mark.parametrize(("rejected", "offenders"), [(BAD, []), (GOOD, ["q1"]), (REFUSED, ["q1"])])
def test_the_rejected_program_is_executed_again(store, rejected: str, offenders: list[str]) -> None:
    publish_problems(store, PROBLEM)
    publish_pair(store, GOOD, rejected)
    assert verification.unfailing_rejected(SETTINGS, store, [SHARD]).lines == offenders


@pytest.mark.parametrize(
    ("mask", "offenders"), [([False, True], []), ([False, False], ["lab: q1"])]
)
def test_a_pair_without_a_focal_token_is_named(store, mask, offenders: list[str]) -> None:
    row = {
        "pair_id": "q1", "prompt_ids": [1], "chosen_ids": [1, 2], "rejected_ids": [1, 3],
        "chosen_mask": [False, True], "rejected_mask": mask,
    }  # fmt: skip
    frame = pl.DataFrame([row], schema=tables.TOKENIZED_PAIRS)
    key = ArtifactKey("preference_pairs", "lab")
    publish(store, key, TOKENS_FILE, frame, tables.TOKENIZED_PAIRS)
    assert verification.unfocused_pairs(store, ["lab"]).lines == offenders


@pytest.mark.parametrize(("ours", "count"), [([True, True], 0), ([False, False], 1)])
def test_a_checkpoint_below_its_reference_is_named(store, ours: list[bool], count: int) -> None:
    publish_scores(store, "reference", [True, False])
    publish_scores(store, "focal_rpo", ours)
    assert len(verification.worse_than_reference(store, ["lab/focal_rpo"]).lines) == count
