"""What is shown beside pairs: how many each filter dropped, and some of each to look at."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import Artifact, ArtifactKey, ArtifactStore, Plan
from iterpref_assets.defs import metadata
from iterpref_assets.steps.generator import COMPLETIONS_FILE
from iterpref_assets.steps.pairs import PAIRS_FILE, TOKENS_FILE
from iterpref_assets.steps.trajectories import VERSIONS_FILE


def published(
    root: Path, file: str, rows: list[dict], schema: tables.Schema, **more: Any
) -> Artifact:
    store, key = ArtifactStore(root), ArtifactKey("shown", "a")
    with store.publishing(Plan(key, "1", more.get("config", {}))) as staging:
        tables.write_table(pl.DataFrame(rows, schema=schema), schema, staging.folder / file)
        for other, frame, columns in more.get("others", ()):
            tables.write_table(frame, columns, staging.folder / other)
        staging.figures.update(more.get("figures", {}))
    return store.current(key)


def pair(name: str, dropped_by: str | None) -> dict:
    return {
        "pair_id": f"{name}#0:0-1", "trajectory_id": f"{name}#0", "problem_id": name,
        "prompt": "Do.", "chosen": f"{name} = 1", "rejected": f"{name} = 2", "chosen_round": 1,
        "rejected_round": 0, "chosen_diff_lines": [0], "rejected_diff_lines": [0],
        "dropped_by": dropped_by,
    }  # fmt: skip


@pytest.fixture
def pairs(tmp_path: Path) -> Artifact:
    rows = [pair("a", None), pair("b", "equal_ast"), pair("c", "long_difference")]
    figures = {"judge_answers": {"form": 0, "no_verdict": 1}}
    return published(tmp_path, PAIRS_FILE, rows, tables.PAIRS, figures=figures)


def test_drops_are_counted_by_filter(pairs: Artifact) -> None:
    shown = metadata.of_pairs(pairs)
    assert shown["kept"].value == 1
    counts = shown["dropped_by_filter"].value
    assert {name: count for name, count in counts.items() if count} == {
        "equal_ast": 1, "long_difference": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ("examples", "-a = 2\n+a = 1"),
        ("dropped_by_equal_ast", "-b = 2\n+b = 1"),
        ("dropped_by_long_difference", "-c = 2\n+c = 1"),
    ],
)
def test_a_pair_of_each_fate_can_be_looked_at(pairs: Artifact, entry: str, line: str) -> None:
    assert line in metadata.of_pairs(pairs)[entry].value


def test_problems_without_a_pair_are_named_with_why(tmp_path: Path) -> None:
    figures = {
        "problems_with_pairs": 1,
        "problems_without_pairs": {"never solved": 1},
        "examples_without_pairs": {"z": "never solved: 0 of 8 first programs pass"},
    }
    found = published(tmp_path, PAIRS_FILE, [pair("a", None)], tables.PAIRS, figures=figures)
    shown = metadata.of_pairs(found)
    assert shown["problems_without_pairs"].value == {"never solved": 1}
    [row] = shown["examples_without_pairs"].records
    assert row.data == {"problem_id": "z", "why": "never solved: 0 of 8 first programs pass"}


def test_what_the_judge_answered_is_counted(pairs: Artifact) -> None:
    assert metadata.of_pairs(pairs)["judge_answers"].value["no_verdict"] == 1


@pytest.fixture
def trajectories(tmp_path: Path) -> Artifact:
    """One trajectory of two rounds, so one completion after the first."""
    rows = [
        {
            "trajectory_id": "a#0",
            "problem_id": "a",
            "sample": 0,
            "round": number,
            "verdict": verdict,
        }
        for number, verdict in enumerate(["wrong_answer", "passed"])
    ]
    answer = {
        "key": "a#1#0", "problem_id": "a", "sample": 0, "round": 1, "completion": "x",
        "prompt_tokens": 1, "completion_tokens": 1, "finish_reason": "stop", "seed": 0,
        "engine": "none",
    }  # fmt: skip
    calls = pl.DataFrame([answer], schema=tables.COMPLETIONS)
    return published(
        tmp_path,
        VERSIONS_FILE,
        rows,
        tables.VERSIONS,
        config={"debugging": {"max_rounds": 1}},
        figures={"trajectories": 1},
        others=[(COMPLETIONS_FILE, calls, tables.COMPLETIONS)],
    )


def test_the_cost_of_pairs_stands_beside_trajectories(trajectories: Artifact) -> None:
    table = metadata.of_trajectories(trajectories)["debugging_and_sampling_by_calls"]
    assert {record.data["method"]: record.data["pairs"] for record in table.records} == {
        "debugging": "1", "sampling": "0",
    }  # fmt: skip


def test_how_debugging_turns_ended_stands_beside_trajectories(trajectories: Artifact) -> None:
    table = metadata.of_trajectories(trajectories)["finish_reasons"]
    assert [record.data for record in table.records] == [{"finish_reason": "stop", "count": "1"}]


def test_the_focal_share_stands_beside_tokens(tmp_path: Path) -> None:
    row = {
        "pair_id": "a", "prompt_ids": [1], "chosen_ids": [1], "rejected_ids": [1, 2, 3, 4],
        "chosen_mask": [True], "rejected_mask": [True, False, False, False],
    }  # fmt: skip
    shown = metadata.of_preference_pairs(
        published(tmp_path, TOKENS_FILE, [row], tables.TOKENIZED_PAIRS)
    )
    assert shown["focal_share"].value == 0.25
    assert shown["mean_tokens"].value == "prompt 1, y+ 1, y- 4"
