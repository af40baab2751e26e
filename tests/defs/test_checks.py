"""What a check looks at where it is executed alone, and what it says of that."""

from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.defs.checks import (
    chosen_passes_all_tests,
    every_pair_has_focal_tokens,
    pairs_differ,
    prompts_leak_no_tests,
    rejected_fails_a_test,
)
from iterpref_assets.defs.offenders import check_result
from iterpref_assets.defs.partitions import SHARDS
from iterpref_assets.defs.preferences import codeflow_pairs, preference_pairs
from iterpref_assets.defs.resources import ProjectResource, WorkerResource
from iterpref_assets.defs.trajectories import debug_trajectories
from iterpref_assets.steps.findings import Findings, Offender
from iterpref_assets.steps.pairs import PAIRS_FILE

from .conftest import PROBLEM, publish_problems

RESOURCES = {"project": ProjectResource(), "workers": WorkerResource()}


@pytest.fixture
def instance(instance: dg.DagsterInstance) -> dg.DagsterInstance:
    """One that knows the shards a and b."""
    instance.add_dynamic_partitions(SHARDS, ["a", "b"])
    return instance


def evaluation(
    instance: dg.DagsterInstance, asset: dg.AssetsDefinition, check: dg.AssetChecksDefinition
) -> dg.AssetCheckEvaluation:
    """What the check says where nothing but it is executed."""
    result = dg.materialize(
        [asset, check], instance=instance, resources=RESOURCES,
        selection=dg.AssetSelection.checks(check), raise_on_error=False,
    )  # fmt: skip
    (found,) = result.get_asset_check_evaluations()
    return found


def publish_equal_pair(store: ArtifactStore, shard: str) -> None:
    row = {
        "pair_id": "q1", "trajectory_id": "p1#0", "problem_id": "p1", "prompt": "Add one to x.",
        "chosen": "x = 1", "rejected": "x = 1", "chosen_round": 1, "rejected_round": 0,
        "chosen_diff_lines": [0], "rejected_diff_lines": [0], "dropped_by": None,
    }  # fmt: skip
    with store.publishing(Plan(ArtifactKey("codeflow_pairs", shard), "1")) as staging:
        frame = pl.DataFrame([row], schema=tables.PAIRS)
        tables.write_table(frame, tables.PAIRS, staging.folder / PAIRS_FILE)


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("asset", "check"),
    [
        (debug_trajectories, prompts_leak_no_tests),
        (codeflow_pairs, pairs_differ),
        (codeflow_pairs, chosen_passes_all_tests),
        (codeflow_pairs, rejected_fails_a_test),
    ],
)
def test_a_shard_that_has_seeds_but_not_yet_the_checked_asset_is_passed_over(
    store: ArtifactStore,
    instance: dg.DagsterInstance,
    asset: dg.AssetsDefinition,
    check: dg.AssetChecksDefinition,
) -> None:
    publish_problems(store, ArtifactKey("seed_problems", "a"), PROBLEM)
    assert evaluation(instance, asset, check).passed


def test_a_shard_that_was_forgotten_is_not_looked_at(
    store: ArtifactStore, instance: dg.DagsterInstance
) -> None:
    publish_equal_pair(store, "a")
    publish_equal_pair(store, "b")
    instance.delete_dynamic_partition(SHARDS, "b")
    assert evaluation(instance, codeflow_pairs, pairs_differ).metadata["partitions"].value == ["a"]


def test_a_base_model_that_the_settings_no_longer_have_is_not_looked_at(
    store: ArtifactStore, instance: dg.DagsterInstance
) -> None:
    with store.publishing(Plan(ArtifactKey("preference_pairs", "dropped"), "1")):
        pass
    found = evaluation(instance, preference_pairs, every_pair_has_focal_tokens)
    assert (found.passed, found.metadata["partitions"].value) == (True, [])


def test_every_shard_that_has_the_checked_asset_is_looked_at(
    store: ArtifactStore, instance: dg.DagsterInstance
) -> None:
    publish_problems(store, ArtifactKey("seed_problems", "a"), PROBLEM)
    publish_equal_pair(store, "b")
    found = evaluation(instance, codeflow_pairs, pairs_differ)
    assert (found.passed, found.description) == (False, "q1")


def test_a_check_says_what_it_looked_at_and_where(
    store: ArtifactStore, instance: dg.DagsterInstance
) -> None:
    publish_equal_pair(store, "a")
    publish_equal_pair(store, "b")
    shown = evaluation(instance, codeflow_pairs, pairs_differ).metadata
    assert shown["looked_at"].value == "2 pairs, 1 problems of a, b"
    assert shown["partitions"].value == ["a", "b"]
    assert (shown["pairs"].value, shown["problems"].value) == (2, 1)


def test_a_check_that_passes_says_what_it_looked_at(
    store: ArtifactStore, instance: dg.DagsterInstance
) -> None:
    found = evaluation(instance, codeflow_pairs, pairs_differ)
    assert (found.passed, found.description) == (True, "0 pairs, 0 problems")


def test_an_offender_is_shown_with_its_page_and_its_folder(
    store: ArtifactStore, instance: dg.DagsterInstance
) -> None:
    publish_equal_pair(store, "b")
    shown = evaluation(instance, codeflow_pairs, pairs_differ).metadata
    folder = store.current(ArtifactKey("codeflow_pairs", "b")).folder
    assert shown["offenders"].value == 1
    row = shown["first"].value.splitlines()[2]
    assert row.startswith("| `q1` |")
    assert "/assets/codeflow_pairs?view=partitions&partition=b" in row
    assert str(folder) in row


def test_what_a_program_printed_stays_in_its_cell() -> None:
    offender = Offender(name="p1", reason="a | b\nc `d`" + "x" * 10_000, asset="seed_problems")
    result = check_result(
        lambda: Findings.of({"problems": 1}, [offender] * 1000), ArtifactStore(Path("none")), ["a"]
    )
    text = result.metadata["first"].value
    assert text.splitlines()[2].startswith("| `p1` | `a / b c 'd'xxx")
    assert "975 more" in text
    assert len(text) < 20_000
