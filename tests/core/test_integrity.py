"""An artifact that is not what its manifest says is not taken for it, however it was damaged."""

import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from iterpref_assets.core.artifacts import Artifact, ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.errors import InputError

KEY = ArtifactKey("checkpoints", "lab/sft")
PLAN = Plan(KEY, "1")
CONTENT = {"model.safetensors": b"0123456789", "deep/tokenizer.json": b"{}"}


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path)


@pytest.fixture
def artifact(store: ArtifactStore) -> Artifact:
    return publish(store)


def publish(store: ArtifactStore) -> Artifact:
    with store.publishing(PLAN) as staging:
        for name, content in CONTENT.items():
            (staging.folder / name).parent.mkdir(exist_ok=True)
            (staging.folder / name).write_bytes(content)
    return store.current(KEY)


def flip_a_byte(artifact: Artifact) -> str:
    path = artifact.path("model.safetensors")
    content = bytearray(path.read_bytes())
    content[5] ^= 1
    path.write_bytes(content)
    return "model.safetensors has another content"


def flip_a_byte_and_restore_the_time(artifact: Artifact) -> str:
    before = artifact.path("model.safetensors").stat()
    said = flip_a_byte(artifact)
    times = (before.st_atime_ns, before.st_mtime_ns)
    os.utime(artifact.path("model.safetensors"), ns=times)
    return said


def truncate(artifact: Artifact) -> str:
    os.truncate(artifact.path("model.safetensors"), 4)
    return "model.safetensors has 4 bytes, not 10"


def delete_a_file(artifact: Artifact) -> str:
    artifact.path("deep/tokenizer.json").unlink()
    return "tokenizer.json is missing"


def delete_a_folder(artifact: Artifact) -> str:
    shutil.rmtree(artifact.path("deep"))
    return "tokenizer.json is missing"


def delete_the_version(artifact: Artifact) -> str:
    shutil.rmtree(artifact.folder)
    return "manifest.json is missing"


def truncate_the_manifest(artifact: Artifact) -> str:
    os.truncate(artifact.path("manifest.json"), 20)
    return "manifest.json is no manifest"


def empty_the_pointer(artifact: Artifact) -> str:
    os.truncate(artifact.folder.parent / "current", 0)
    return "manifest.json is missing"


DAMAGES = (
    flip_a_byte, flip_a_byte_and_restore_the_time, truncate, delete_a_file, delete_a_folder,
    delete_the_version, truncate_the_manifest, empty_the_pointer,
)  # fmt: skip
every_damage = pytest.mark.parametrize("damage", DAMAGES, ids=lambda each: each.__name__)
Damage = Callable[[Artifact], str]


def test_a_whole_artifact_is_reusable(store: ArtifactStore, artifact: Artifact) -> None:
    assert store.reusable(PLAN) == artifact


@every_damage
def test_a_damaged_artifact_is_not_reusable(store, artifact, damage: Damage) -> None:
    damage(artifact)
    assert store.reusable(PLAN) is None


@every_damage
def test_one_log_line_names_the_file_that_differs(store, artifact, caplog, damage: Damage) -> None:
    said = damage(artifact)
    with caplog.at_level(logging.INFO, logger="iterpref"):
        store.reusable(PLAN)
    (line,) = caplog.messages
    assert line.startswith("checkpoints/lab/sft is not reused")
    assert said in line


@every_damage
def test_reading_a_damaged_artifact_names_the_file_and_the_remedy(
    store, artifact, damage: Damage
) -> None:
    said = damage(artifact)
    with pytest.raises(InputError, match=said) as caught:
        store.require_whole([KEY])
    assert caught.value.remedy == r"Materialize checkpoints (partition lab|sft) again"


@every_damage
def test_equal_bytes_made_again_mend_a_damaged_artifact(store, artifact, damage: Damage) -> None:
    damage(artifact)
    mended = publish(store)
    assert {name: mended.path(name).read_bytes() for name in CONTENT} == CONTENT
    assert store.reusable(PLAN) is not None


def test_a_missing_artifact_is_not_called_damaged(store: ArtifactStore, caplog) -> None:
    assert store.reusable(PLAN) is None
    assert caplog.messages == []


def test_an_open_reader_keeps_the_file_that_is_mended_under_it(store, artifact) -> None:
    with artifact.path("model.safetensors").open("rb") as reader:
        publish(store)
        assert reader.read() == CONTENT["model.safetensors"]
