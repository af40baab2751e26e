"""What Dagster calls stale after seeds were edited, and what is made again of it."""

import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from private_dagster import stale_partitions

from iterpref_assets.core.artifacts import ArtifactKey
from iterpref_assets.defs.partitions import SHARDS, range_tags
from iterpref_assets.defs.problems import heldout_problems, raw_seeds, seed_problems
from iterpref_assets.defs.resources import ProjectResource, WorkerResource

from .conftest import PROBLEM

NAMES = ("a", "b", "c")
ASSETS = [heldout_problems, raw_seeds, seed_problems]
RESOURCES = {"project": ProjectResource(), "workers": WorkerResource()}


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "home").mkdir()
    with dg.instance_for_test(temp_dir=str(tmp_path / "home")) as opened:
        yield opened


@pytest.fixture
def made(seeds: Path, instance: dg.DagsterInstance) -> Path:
    """The seed folder of three shards that are materialized."""
    for number, name in enumerate(NAMES):
        write(seeds, name, added=number + 2)
    instance.add_dynamic_partitions(SHARDS, list(NAMES))
    dg.materialize([heldout_problems], instance=instance, resources=RESOURCES)
    materialize(instance, NAMES)
    return seeds


def write(seeds: Path, name: str, *, added: int) -> None:
    """A seed file of one problem: to add a number."""
    problem = {
        **PROBLEM, "problem_id": f"p-{name}", "prompt": f"Add the number {added} to x, in {name}.",
        "reference": f"def f(x):\n    return x + {added}",
        "tests": {**PROBLEM["tests"], "cases": [{"arguments": "(1,)", "expected": f"{added + 1}"}]},
    }  # fmt: skip
    (seeds / f"{name}.jsonl").write_text(json.dumps(problem) + "\n")


def materialize(
    instance: dg.DagsterInstance, names: tuple[str, ...], *assets: dg.AssetsDefinition
) -> None:
    chosen = list(assets) or [raw_seeds, seed_problems]
    anew = {each.key.to_user_string(): {"config": {"anew": bool(assets)}} for each in chosen}
    dg.materialize(
        ASSETS, instance=instance, resources=RESOURCES, selection=chosen,
        partition_key=names[0] if len(names) == 1 else None, run_config={"ops": anew},
        tags=range_tags(names) if len(names) > 1 else {},
    )  # fmt: skip


def stale(instance: dg.DagsterInstance) -> set[str]:
    """What the UI calls stale, as asset/shard."""
    definitions = dg.Definitions(ASSETS, resources=RESOURCES)
    return {
        f"{asset.key.to_user_string()}/{name}"
        for asset in (raw_seeds, seed_problems)
        for name in stale_partitions(instance, definitions, asset.key, NAMES)
    }


def test_nothing_is_stale_at_first(made: Path, instance: dg.DagsterInstance) -> None:
    assert stale(instance) == set()


@pytest.mark.parametrize("edited", NAMES)
@pytest.mark.parametrize("read", ["alone", "in a range"])
def test_an_edited_seed_makes_every_shard_stale_that_may_be_compared_with_it(
    made: Path, instance: dg.DagsterInstance, edited: str, read: str
) -> None:
    """Dagster has no mapping for `this shard and those after it`, so it is told of all shards."""
    write(made, edited, added=9)
    materialize(instance, (edited,) if read == "alone" else NAMES, raw_seeds)
    assert stale(instance) == {f"seed_problems/{name}" for name in NAMES}


@pytest.mark.parametrize(
    ("edited", "descendants"), [("a", {"a", "b", "c"}), ("b", {"b", "c"}), ("c", {"c"})]
)
def test_of_what_is_stale_only_the_descendants_of_the_edited_seed_are_made_again(
    made: Path, instance: dg.DagsterInstance, store, edited: str, descendants: set[str]
) -> None:
    keys = {name: ArtifactKey("seed_problems", name) for name in NAMES}
    before = {name: store.stamp(key) for name, key in keys.items()}
    write(made, edited, added=9)
    materialize(instance, (edited,), raw_seeds)
    materialize(instance, NAMES)
    assert {name for name in NAMES if store.stamp(keys[name]) != before[name]} == descendants
    assert stale(instance) == set()


@pytest.mark.parametrize("read", ["alone", "in a range"])
def test_seeds_read_again_with_equal_bytes_make_nothing_stale(
    made: Path, instance: dg.DagsterInstance, read: str
) -> None:
    materialize(instance, ("b",) if read == "alone" else NAMES, raw_seeds)
    assert stale(instance) == set()


def test_what_is_made_again_after_an_edit_is_no_longer_stale(
    made: Path, instance: dg.DagsterInstance
) -> None:
    write(made, "b", added=9)
    materialize(instance, ("b",), raw_seeds)
    materialize(instance, NAMES, seed_problems)
    assert stale(instance) == set()
