"""A step plans its own asset, from what it says that it is made of."""

import json
from pathlib import Path

import pytest

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.settings import load_settings
from iterpref_assets.steps.chain import step_of
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.step import Parent, Step, StepContext


def a_step(asset: str, partitioning: Partitioning, *parents: Step | Parent, **more) -> Step:
    return Step(
        asset=asset,
        partitioning=partitioning,
        parents=parents,
        publish=lambda _context, _plans: None,
        code_version="7",
        **more,
    )


@pytest.fixture
def context(tmp_path: Path) -> StepContext:
    return StepContext(load_settings(), ArtifactStore(tmp_path))


def test_a_plan_names_the_steps_asset_code_version_config_and_parents(context) -> None:
    other = a_step("other", Partitioning.SHARD)
    step = a_step(
        "asset", Partitioning.SHARD, other, config=lambda _context, partition: {"of": partition}
    )
    parents = (ArtifactKey("other", "a"),)
    assert step.plan(context, "a") == Plan(ArtifactKey("asset", "a"), "7", {"of": "a"}, parents)


def test_what_selects_among_a_parents_partitions_decides(context) -> None:
    other = a_step("other", Partitioning.SHARD)
    step = a_step("asset", Partitioning.SHARD, Parent(other, lambda _context, name: ("0", name)))
    assert step.plan(context, "1").parents == (ArtifactKey("other", "0"), ArtifactKey("other", "1"))


def test_a_parent_that_the_settings_do_not_have_is_no_parent(context) -> None:
    absent = a_step("absent", Partitioning.SHARD, exists=lambda _settings: False)
    assert a_step("asset", Partitioning.SHARD, absent).plan(context, "1").parents == ()


@pytest.mark.parametrize(
    ("asset", "variable"),
    [
        ("codeflow_pairs", "ITERPREF_PAIRS__JUDGE"),
        ("test_quality", "ITERPREF_TEST_QUALITY__JUDGE"),
    ],
)
def test_a_step_computes_on_the_gpus_of_its_own_judge(
    asset: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = step_of(asset)
    assert step.gpus(load_settings()) == 0
    judge = {"engine": {"kind": "vllm", "tensor_parallel_size": 3}, "model": "judge"}
    monkeypatch.setenv(variable, json.dumps(judge))
    assert step.gpus(load_settings()) == 3
