"""The runs of the whole chain follow from the steps: parents first, model by model."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from iterpref_assets.core.artifacts import ArtifactStore
from iterpref_assets.core.errors import InputError
from iterpref_assets.phases import phases
from iterpref_assets.settings import Settings
from iterpref_assets.steps.chain import CHAIN, step_of
from iterpref_assets.steps.pairs import CODEFLOW_PAIRS
from iterpref_assets.steps.partitions import Partitioning, partitions_of
from iterpref_assets.steps.step import Step, StepContext

BENCHMARKS = {"humaneval": {"data": "official"}, "bigcodebench": {"data": "official"}}
VARIANTS = {"variants": ["reference", "sft"]}


def settings(**sections) -> Settings:
    return Settings.model_validate({**VARIANTS, **sections})


def made(found: Settings) -> Iterator[tuple[str, str]]:
    for phase in phases(found):
        for asset in phase.assets:
            for partition in phase.partitions:
                yield asset, partition


def test_every_partition_of_every_asset_of_the_run_is_made_once() -> None:
    found = settings(benchmarks=BENCHMARKS)
    wanted = {
        (step.asset, partition)
        for step in CHAIN
        if step.exists(found) and step.in_run(found)
        for partition in partitions_of(step.partitioning, found)
    }
    assert sorted(made(found)) == sorted(wanted)
    assert {"checkpoints", "leaderboard", "bigcodebench_instruct_scores"} <= {a for a, _ in wanted}


def test_nothing_is_made_before_what_it_is_made_of(tmp_path: Path) -> None:
    found = settings(benchmarks=BENCHMARKS)
    context = StepContext(found, ArtifactStore(tmp_path))
    done: set[tuple[str, str]] = set()
    for asset, partition in made(found):
        step = step_of(asset)
        for parent in step.made_of:
            names = parent.partitions(context, step.partitioning, partition)
            assert {(parent.step.asset, name) for name in names} <= done, asset
        done.add((asset, partition))


def test_shards_go_from_problems_to_pairs_in_one_run() -> None:
    (stretch,) = (phase.assets for phase in phases(settings()) if "seed_problems" in phase.assets)
    assert stretch == (
        "seed_problems", "initial_samples", "debug_trajectories", "codeflow_pairs",
    )  # fmt: skip


def test_raw_seeds_of_every_shard_come_before_the_seed_problems_of_any() -> None:
    (stretch,) = (phase.assets for phase in phases(settings()) if "raw_seeds" in phase.assets)
    assert stretch == ("raw_seeds",)


def test_the_first_models_report_is_there_before_the_second_model_is_begun() -> None:
    found = settings(base_models={"one": {"source": "lab"}, "two": {"source": "lab"}})
    order = list(made(found))
    first = order.index(("experiment_reports", "one"))
    assert first < order.index(("preference_pairs", "two"))


def test_a_step_of_shards_beside_a_models_does_not_cut_the_models_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counts = Step(
        asset="pair_counts",
        partitioning=Partitioning.SHARD,
        parents=(CODEFLOW_PAIRS,),
        publish=lambda _context, _plans: None,
        code_version="1",
    )
    after = next(n for n, step in enumerate(CHAIN) if step.asset == "preference_pairs") + 1
    monkeypatch.setattr("iterpref_assets.phases.CHAIN", (*CHAIN[:after], counts, *CHAIN[after:]))
    found = settings(base_models={"one": {"source": "lab"}, "two": {"source": "lab"}})
    order = list(made(found))
    assert ("pair_counts", "lab-000") in order
    assert order.index(("experiment_reports", "one")) < order.index(("preference_pairs", "two"))


def test_a_variant_is_scored_before_the_next_is_trained() -> None:
    found = settings(variants=["reference", "sft", "focal_rpo"])
    order = list(made(found))
    assert order.index(("heldout_scores", "lab/sft")) < order.index(
        ("checkpoints", "lab/focal_rpo")
    )


def test_the_labs_model_is_made_where_it_is_used_alone() -> None:
    hub = {"source": "hub", "repository": "owner/name", "revision": "0" * 40}
    assert "lab_base_model" in {asset for asset, _ in made(settings())}
    without = settings(generator=hub, base_models={"mine": hub})
    assert "lab_base_model" not in {asset for asset, _ in made(without)}


def test_the_quality_of_tests_is_measured_when_asked_for_alone() -> None:
    assert "test_quality" not in {asset for asset, _ in made(settings())}


def test_a_run_until_an_asset_makes_that_and_what_it_is_made_of() -> None:
    assets = [asset for phase in phases(settings(), "codeflow_pairs") for asset in phase.assets]
    assert assets == [
        "heldout_problems", "lab_base_model", "raw_seeds", "seed_problems", "initial_samples",
        "debug_trajectories", "codeflow_pairs",
    ]  # fmt: skip


def test_an_asset_that_a_run_leaves_out_can_be_asked_for() -> None:
    assert "test_quality" not in {asset for asset, _ in made(settings())}
    *_, last = phases(settings(), "test_quality")
    assert last.assets[-1] == "test_quality"


@pytest.mark.parametrize(
    ("asset", "told"),
    [("codeflow_pair", "unknown asset"), ("humaneval_scores", "these settings have no humaneval")],
)
def test_a_run_until_what_is_not_made_is_refused(asset: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        list(phases(settings(), asset))
