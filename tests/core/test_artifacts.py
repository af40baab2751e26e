"""Artifacts are published whole, named by content, and trace what they were made of."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from iterpref_assets.core.artifacts import Artifact, ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.errors import InputError

PARENT = ArtifactKey("seed_problems", "lab-000")
CHILD = ArtifactKey("initial_samples", "lab-000")


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path)


def publish(store: ArtifactStore, plan: Plan, text: str) -> Artifact:
    with store.publishing(plan) as staging:
        (staging.folder / "table.txt").write_text(text)
        staging.row_count = len(text)
    return store.current(plan.key)


def test_a_published_artifact_is_read_back_with_its_files(store: ArtifactStore) -> None:
    artifact = publish(store, Plan(PARENT, "1"), "abc")
    assert artifact.path("table.txt").read_text() == "abc"
    assert artifact.manifest.row_count == 3


def test_equal_content_has_equal_hashes_whatever_the_config(store: ArtifactStore) -> None:
    first = publish(store, Plan(PARENT, "1", {"seed": 1}), "abc").manifest
    second = publish(store, Plan(PARENT, "1", {"seed": 2}), "abc").manifest
    assert first.content_hash == second.content_hash
    assert first.fingerprint != second.fingerprint


def test_the_manifest_names_the_content_of_its_parents(store: ArtifactStore) -> None:
    parent = publish(store, Plan(PARENT, "1"), "abc")
    child = publish(store, Plan(CHILD, "1", parents=(PARENT,)), "x")
    assert child.manifest.upstream == {"seed_problems/lab-000": parent.manifest.content_hash}


def test_an_error_while_filling_leaves_the_earlier_version_current(store: ArtifactStore) -> None:
    publish(store, Plan(PARENT, "1"), "old")
    with pytest.raises(RuntimeError), store.publishing(Plan(PARENT, "2")) as staging:
        (staging.folder / "table.txt").write_text("half")
        raise RuntimeError
    assert store.current(PARENT).path("table.txt").read_text() == "old"


def test_an_error_while_filling_leaves_no_folder_behind(store: ArtifactStore) -> None:
    with pytest.raises(RuntimeError), store.publishing(Plan(PARENT, "1")):
        raise RuntimeError
    assert list((store.root / "artifacts" / "seed_problems" / "lab-000").iterdir()) == []


def _fill_and_die(root: Path) -> None:
    with ArtifactStore(root).publishing(Plan(PARENT, "2")) as staging:
        (staging.folder / "table.txt").write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_killed_while_filling_publishes_nothing(store: ArtifactStore) -> None:
    publish(store, Plan(PARENT, "1"), "old")
    process = multiprocessing.get_context("fork").Process(target=_fill_and_die, args=(store.root,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert store.current(PARENT).path("table.txt").read_text() == "old"


def test_what_a_killed_process_was_filling_is_gone_after_the_next_publication(
    store: ArtifactStore,
) -> None:
    process = multiprocessing.get_context("fork").Process(target=_fill_and_die, args=(store.root,))
    process.start()
    process.join()
    home = store.root / "artifacts" / "seed_problems" / "lab-000"
    assert len(list(home.glob(".staging-*"))) == 1
    publish(store, Plan(PARENT, "1"), "new")
    assert list(home.glob(".staging-*")) == []


def _die_at(root: Path, renaming: str) -> None:
    """Publish, and die at the moment that a path of this name is to be renamed."""
    for name in ("rename", "replace"):
        move = getattr(Path, name)

        def die(path: Path, target: Path, move=move) -> Path:
            if path.name.startswith(renaming):
                os.kill(os.getpid(), signal.SIGKILL)
            return move(path, target)

        setattr(Path, name, die)
    publish(ArtifactStore(root), Plan(PARENT, "1"), "abc")


@pytest.mark.parametrize("renaming", [".staging-", ".current"])
def test_nothing_is_left_of_a_killed_publication_after_the_next(
    store: ArtifactStore, renaming: str
) -> None:
    process = multiprocessing.get_context("fork").Process(
        target=_die_at, args=(store.root, renaming)
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert store.find(PARENT) is None
    artifact = publish(store, Plan(PARENT, "1"), "abc")
    home = store.root / "artifacts" / "seed_problems" / "lab-000"
    assert {path.name for path in home.iterdir()} == {"current", artifact.folder.name}


def test_what_is_taken_up_is_cleared_of_what_a_killed_process_left(store: ArtifactStore) -> None:
    publish(store, Plan(PARENT, "1"), "abc")
    process = multiprocessing.get_context("fork").Process(target=_fill_and_die, args=(store.root,))
    process.start()
    process.join()
    plan = store.pinned(Plan(PARENT, "1"))
    (store.work_folder(plan) / "log.jsonl").write_text("{}")
    store.clear(plan)
    home = store.root / "artifacts" / "seed_problems" / "lab-000"
    assert list(home.glob(".*")) == []
    assert not (store.root / "work" / "seed_problems" / "lab-000" / plan.fingerprint[:16]).exists()


def test_what_a_living_process_is_filling_is_not_cleared(store: ArtifactStore) -> None:
    publish(store, Plan(PARENT, "1"), "abc")
    with store.publishing(Plan(PARENT, "2")) as staging:
        store.clear(Plan(PARENT, "1"))
        assert staging.folder.is_dir()


def test_work_that_another_goes_on_with_is_not_cleared(store: ArtifactStore) -> None:
    publish(store, Plan(PARENT, "1"), "abc")
    maker = ArtifactStore(store.root)
    log = maker.work_folder(store.pinned(Plan(PARENT, "1"))) / "log.jsonl"
    log.write_text("{}")
    store.clear(Plan(PARENT, "1"))
    assert log.read_text() == "{}"


def test_work_that_two_share_goes_with_the_last_that_publishes(store: ArtifactStore) -> None:
    slow, plan = ArtifactStore(store.root), store.pinned(Plan(PARENT, "1"))
    log = slow.work_folder(plan) / "log.jsonl"
    log.write_text("{}")
    assert store.work_folder(plan) == log.parent
    publish(store, plan, "abc")
    assert log.read_text() == "{}"
    publish(slow, plan, "abc")
    assert not log.parent.exists()


def _work_and_die(root: Path, plan: Plan) -> None:
    (ArtifactStore(root).work_folder(plan) / "log.jsonl").write_text("{}")
    os.kill(os.getpid(), signal.SIGKILL)


def test_work_of_a_killed_process_is_cleared(store: ArtifactStore) -> None:
    publish(store, Plan(PARENT, "1"), "abc")
    plan = store.pinned(Plan(PARENT, "1"))
    process = multiprocessing.get_context("fork").Process(
        target=_work_and_die, args=(store.root, plan)
    )
    process.start()
    process.join()
    folder = store.root / "work" / "seed_problems" / "lab-000" / plan.fingerprint[:16]
    assert (folder / "log.jsonl").exists()
    store.clear(plan)
    assert not folder.exists()


def test_what_a_living_process_is_filling_stays(store: ArtifactStore) -> None:
    with store.publishing(Plan(PARENT, "1")) as staging:
        (staging.folder / "table.txt").write_text("slow")
        publish(store, Plan(PARENT, "2"), "quick")
        assert (staging.folder / "table.txt").read_text() == "slow"


def test_content_that_another_process_published_a_moment_before_is_published(
    store: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename, others = Path.rename, []

    def rename_second(path: Path, target: Path) -> Path:
        if path.name.startswith(".staging-") and not others:
            others.append(path)
            publish(store, Plan(PARENT, "1"), "abc")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", rename_second)
    assert publish(store, Plan(PARENT, "1"), "abc").path("table.txt").read_text() == "abc"
    assert len(list((store.root / "artifacts").rglob("table.txt"))) == 1


def test_a_version_outlasts_a_power_cut_before_current_names_it(
    store: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced, at_naming = synced_paths(monkeypatch), []
    replace = Path.replace

    def name(path: Path, target: Path) -> Path:
        at_naming.extend(synced)
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", name)
    with store.publishing(Plan(PARENT, "1")) as staging:
        (staging.folder / "deep").mkdir()
        (staging.folder / "deep" / "table.txt").write_text("abc")
        filled = staging.folder
    whole = {filled, filled / "deep", filled / "deep" / "table.txt", filled / "manifest.json"}
    assert {*whole, filled.parent} <= set(at_naming)


def test_new_folders_above_a_version_outlast_a_power_cut(
    store: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = synced_paths(monkeypatch)
    publish(store, Plan(PARENT, "1"), "abc")
    home = store.root / "artifacts" / "seed_problems" / "lab-000"
    assert {home, home.parent, home.parent.parent, store.root} <= set(synced)


def synced_paths(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Where what is on the disk from now on lies, as it is put there."""
    fsync, synced = os.fsync, []

    def record(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", record)
    return synced


def test_the_same_plan_is_reusable(store: ArtifactStore) -> None:
    publish(store, Plan(PARENT, "1", {"seed": 1}), "abc")
    assert store.reusable(Plan(PARENT, "1", {"seed": 1})) is not None


@pytest.mark.parametrize("plan", [Plan(PARENT, "2", {"seed": 1}), Plan(PARENT, "1", {"seed": 2})])
def test_another_config_or_code_version_is_not_reusable(store: ArtifactStore, plan: Plan) -> None:
    publish(store, Plan(PARENT, "1", {"seed": 1}), "abc")
    assert store.reusable(plan) is None


def test_an_artifact_is_not_reusable_once_its_parent_changed(store: ArtifactStore) -> None:
    publish(store, Plan(PARENT, "1"), "abc")
    plan = Plan(CHILD, "1", parents=(PARENT,))
    publish(store, plan, "x")
    publish(store, Plan(PARENT, "1"), "other")
    assert store.reusable(plan) is None


def test_a_missing_artifact_is_named_with_its_remedy(store: ArtifactStore) -> None:
    with pytest.raises(InputError, match="Materialize seed_problems") as caught:
        store.current(PARENT)
    assert "lab-000" in str(caught.value)


def test_publishing_empties_the_work_folder_of_its_plan(store: ArtifactStore) -> None:
    plan = Plan(PARENT, "1")
    work = store.work_folder(plan)
    (work / "log.jsonl").write_text("{}")
    publish(store, plan, "abc")
    assert not work.exists()


def test_unfinished_work_is_found_again_under_the_same_plan(store: ArtifactStore) -> None:
    plan = Plan(PARENT, "1", {"seed": 1})
    (store.work_folder(plan) / "log.jsonl").write_text("{}")
    assert (ArtifactStore(store.root).work_folder(plan) / "log.jsonl").read_text() == "{}"
