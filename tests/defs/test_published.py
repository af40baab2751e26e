"""What Dagster shows of a range is what is on disk: alive or killed, shard by shard."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import two_stage_graph
from private_dagster import stale_partitions
from two_stage_graph import DEFINITIONS, KILLED_AT, NAMES, materialize

from iterpref_assets.core.artifacts import Artifact, ArtifactKey, ArtifactStore, Plan
from iterpref_assets.defs.published import told_when_published

VERSION = "dagster/data_version"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data"
    (folder / "words").mkdir(parents=True)
    for name in NAMES:
        (folder / "words" / name).write_text(f"{name} {name}")
    monkeypatch.setenv("ITERPREF_ROOT", str(folder))
    return folder


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "home").mkdir()
    with dg.instance_for_test(temp_dir=str(tmp_path / "home")) as opened:
        yield opened


def made(root: Path) -> Counter[str]:
    return Counter((root / "made.log").read_text().split())


def last_events(instance: dg.DagsterInstance, asset: str) -> dict[str, dg.AssetMaterialization]:
    records = instance.fetch_materializations(dg.AssetKey(asset), limit=100).records
    return {each.partition_key: each.asset_materialization for each in reversed(records)}


def stale(instance: dg.DagsterInstance, asset: str) -> set[str]:
    """The shards of an asset that the UI calls stale."""
    return stale_partitions(instance, DEFINITIONS, dg.AssetKey(asset), NAMES)


def change(root: Path, shard: str, text: str) -> None:
    (root / "words" / shard).write_text(text)


def test_each_shard_of_a_range_has_the_version_of_its_own_content(root, instance) -> None:
    materialize(instance, ["words"], NAMES)
    store = ArtifactStore(root)
    for name, event in last_events(instance, "words").items():
        content = store.current(ArtifactKey("words", name)).manifest.content_hash
        assert event.tags[VERSION] == content
        assert event.metadata["content_hash"].value == content
    assert len(last_events(instance, "words")) == 3


def test_after_a_range_of_both_nothing_is_stale(root, instance) -> None:
    materialize(instance, ["words", "counts"], NAMES)
    assert stale(instance, "words") | stale(instance, "counts") == set()


@pytest.mark.parametrize("again", [NAMES, ("b",)], ids=["in a range", "alone"])
def test_a_changed_shard_makes_its_descendants_stale_and_no_other(root, instance, again) -> None:
    materialize(instance, ["words", "counts"], NAMES)
    change(root, "b", "other words")
    materialize(instance, ["words"], again)
    assert stale(instance, "counts") == {"b"}


@pytest.mark.parametrize("again", [NAMES, ("b",)], ids=["in a range", "alone"])
def test_equal_bytes_made_again_make_nothing_stale(root, instance, again) -> None:
    materialize(instance, ["words", "counts"], NAMES)
    materialize(instance, ["words"], again, anew=True)
    assert made(root)["words/b"] == 2
    assert stale(instance, "counts") == set()


def test_shards_made_alone_and_then_in_a_range_are_not_stale(root, instance) -> None:
    for name in NAMES:
        materialize(instance, ["words", "counts"], (name,))
    materialize(instance, ["words"], NAMES)
    assert stale(instance, "counts") == set()


def test_what_is_published_of_the_same_inputs_is_recorded_and_not_made_again(
    root, instance
) -> None:
    materialize(instance, ["words"], ("a",))
    materialize(instance, ["words"], NAMES)
    assert made(root) == {"words/a": 1, "words/b": 1, "words/c": 1}


def test_what_is_asked_for_anew_is_made_again(root, instance) -> None:
    materialize(instance, ["words"], NAMES)
    materialize(instance, ["words"], NAMES, anew=True)
    assert set(made(root).values()) == {2}


def test_a_damaged_shard_alone_is_made_again_and_no_descendant(root, instance) -> None:
    materialize(instance, ["words", "counts"], NAMES)
    damage(root, "words", "b")
    materialize(instance, ["words", "counts"], NAMES)
    assert {name for name, times in made(root).items() if times == 2} == {"words/b"}
    assert ArtifactStore(root).current(ArtifactKey("words", "b")).path("words").read_text() == "b b"
    assert stale(instance, "counts") == set()


def test_a_step_that_would_read_a_damaged_parent_says_which_file_and_what_to_do(
    root, instance
) -> None:
    materialize(instance, ["words"], NAMES)
    path = damage(root, "words", "b")
    result = materialize(instance, ["counts"], NAMES, raise_on_error=False)
    (failed,) = result.get_step_failure_events()
    said = failed.step_failure_data.user_failure_data
    assert said.description == (
        f"words/b is damaged: {path} has 2 bytes, not 3. Materialize words (partition b) again"
    )
    assert not any(name.startswith("counts/") for name in made(root))


def damage(root: Path, asset: str, shard: str) -> Path:
    path = ArtifactStore(root).current(ArtifactKey(asset, shard)).path(asset)
    os.truncate(path, 2)
    return path


@pytest.fixture
def killed(root: Path, instance: dg.DagsterInstance) -> None:
    """A range was killed while its second shard was made."""
    done = subprocess.run(
        [sys.executable, two_stage_graph.__file__, instance.root_directory],
        env={**os.environ, KILLED_AT: "words/b"}, check=False, capture_output=True,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-2000:]


def test_a_killed_range_has_recorded_the_shard_that_it_finished(root, instance, killed) -> None:
    (event,) = last_events(instance, "words").values()
    content = ArtifactStore(root).current(ArtifactKey("words", "a")).manifest.content_hash
    assert (event.partition, event.tags[VERSION]) == ("a", content)


def test_the_launch_after_a_kill_makes_no_finished_shard_again(root, instance, killed) -> None:
    materialize(instance, ["words"], NAMES)
    assert made(root) == {"words/a": 1, "words/b": 1, "words/c": 1}
    assert last_events(instance, "words").keys() == set(NAMES)


def test_a_report_that_fails_once_is_made_again(tmp_path: Path) -> None:
    store, keys = ArtifactStore(tmp_path), [ArtifactKey("words", name) for name in NAMES]
    plans = [Plan(key, code_version="1") for key in keys]
    told: list[str] = []

    def tell(artifact: Artifact) -> None:
        told.append(artifact.manifest.partition)
        if len(told) == 1:
            raise OSError("the database is locked")
        if len(told) == 2:
            both_told.set()

    both_told = threading.Event()
    with told_when_published(store, plans, tell):
        with store.publishing(plans[0]) as staging:
            (staging.folder / "words").write_text("a")
        assert both_told.wait(60)
    assert told == ["a", "a"]
