"""Artifacts on disk: content-addressed folders with a manifest, published whole or not at all.

Layout below the store's root:
    artifacts/<asset>/<partition>/<content hash>/   one immutable version: its files, manifest.json
    artifacts/<asset>/<partition>/current           the name of the newest version
    work/<asset>/<partition>/<fingerprint>/         unfinished work that a restart resumes from

A version's folder appears by one rename and `current` is replaced by another, so a reader sees
the old version or the new one, never a half of either.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import Field, JsonValue

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import replace_text, sync, sync_tree
from iterpref_assets.core.records import Record

MANIFEST = "manifest.json"
CURRENT = "current"
UNPARTITIONED = "all"
_EXISTS = {errno.EEXIST, errno.ENOTEMPTY}
"""Why a folder is not renamed to the name of another."""


@dataclass(frozen=True, slots=True, order=True)
class ArtifactKey:
    """An asset and one of its partitions; several dimensions are joined by a slash."""

    asset: str
    partition: str = UNPARTITIONED

    def __str__(self) -> str:
        return f"{self.asset}/{self.partition}"

    @classmethod
    def parse(cls, name: str) -> ArtifactKey:
        """The key that `str` wrote, as manifests name what an artifact was made of."""
        return cls(*name.split("/", 1))


@dataclass(frozen=True)
class Plan:
    """What an artifact is to be made of, before it is made.

    `config` is everything the result depends on besides its parents and the code; `fingerprint`
    is set by `ArtifactStore.pinned`, before the parents are read.
    """

    key: ArtifactKey
    code_version: str
    config: Mapping[str, JsonValue] = field(default_factory=dict)
    parents: tuple[ArtifactKey, ...] = ()
    fingerprint: str = ""


class FileEntry(Record):
    """One file of an artifact."""

    sha256: str
    bytes: int


class Manifest(Record):
    """What an artifact is and what it was made of.

    `figures` are what the run reported about it (counts, curves, timings); they are not hashed.
    """

    asset: str
    partition: str
    content_hash: str
    fingerprint: str
    code_version: str
    row_count: int | None
    config: dict[str, JsonValue]
    upstream: dict[str, str]
    files: dict[str, FileEntry]
    figures: dict[str, JsonValue] = Field(default_factory=dict)


@dataclass
class Staging:
    """A folder being filled; what is set here goes into the manifest."""

    folder: Path
    row_count: int | None = None
    figures: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Artifact:
    """One published version."""

    folder: Path
    manifest: Manifest

    def path(self, name: str) -> Path:
        """The path of one of its files."""
        return self.folder / name


class ArtifactStore:
    """All artifacts below one root; any number of processes may read and publish at once."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def current(self, key: ArtifactKey) -> Artifact:
        """The newest version of `key`.

        Raises:
            InputError: where nothing was published under `key`.
        """
        artifact = self.find(key)
        if artifact is None:
            # As the UI and commands write a partition of two dimensions.
            partition = key.partition.replace("/", "|")
            raise InputError(
                f"{key} has not been materialized",
                file=self._folder(key),
                remedy=f"Materialize {key.asset} (partition {partition}) first",
            )
        return artifact

    def find(self, key: ArtifactKey) -> Artifact | None:
        """The newest version of `key`, or None."""
        try:
            name = (self._folder(key) / CURRENT).read_text()
        except FileNotFoundError:
            return None
        folder = self._folder(key) / name
        return Artifact(folder, Manifest.model_validate_json((folder / MANIFEST).read_bytes()))

    def stamp(self, key: ArtifactKey) -> tuple[str, int] | None:
        """What changes whenever `key` is published, be it with equal content; None before that."""
        try:
            name = (self._folder(key) / CURRENT).read_text()
            return name, (self._folder(key) / name / MANIFEST).stat().st_ino
        except FileNotFoundError:
            return None

    def version(self, key: ArtifactKey, content_hash: str) -> Artifact:
        """The version of `key` with this content, be it the newest or an earlier one.

        Raises:
            InputError: where it is not there.
        """
        for manifest in sorted(self._folder(key).glob(f"{content_hash[:16]}-*/{MANIFEST}")):
            artifact = Artifact(
                manifest.parent, Manifest.model_validate_json(manifest.read_bytes())
            )
            if artifact.manifest.content_hash == content_hash:
                return artifact
        raise InputError(
            f"the version {content_hash[:16]} of {key} is no longer there",
            file=self._folder(key),
            remedy="Materialize again what was made of it",
        )

    def partitions(self, asset: str) -> tuple[str, ...]:
        """The published partitions of an asset, sorted."""
        home = self.root / "artifacts" / asset
        found = (path for depth in ("*", "*/*") for path in home.glob(f"{depth}/{CURRENT}"))
        return tuple(sorted(path.parent.relative_to(home).as_posix() for path in found))

    def fingerprint(self, plan: Plan) -> str:
        """The hash of what `plan` depends on: config, code version, parents' present content."""
        return digest_json(
            {
                "key": str(plan.key),
                "config": dict(plan.config),
                "code_version": plan.code_version,
                "upstream": self._upstream(plan),
            }
        )

    def pinned(self, plan: Plan) -> Plan:
        """`plan` tied to its parents' present content: no other content is published under it."""
        return replace(plan, fingerprint=self.fingerprint(plan))

    def reusable(self, plan: Plan) -> Artifact | None:
        """The current version where it was made of exactly what `plan` asks for, or None."""
        artifact = self.find(plan.key)
        if artifact is None or any(self.find(parent) is None for parent in plan.parents):
            return None
        return artifact if artifact.manifest.fingerprint == self.fingerprint(plan) else None

    def work_folder(self, plan: Plan) -> Path:
        """Where unfinished work on `plan` is kept; emptied when `plan` is published."""
        folder = self._work_folder(plan.key, plan.fingerprint or self.fingerprint(plan))
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextmanager
    def publishing(self, plan: Plan) -> Generator[Staging]:
        """A folder to fill; leaving the block publishes it, an exception leaves no trace.

        Raises:
            InputError: where a parent was published anew since `plan` was pinned, or since entry.
        """
        upstream, fingerprint = self._upstream(plan), self.fingerprint(plan)
        self._require_same_parents(plan, plan.fingerprint or fingerprint)
        home = self._folder(plan.key)
        with staging_folder(home) as folder:
            staging = Staging(folder)
            yield staging
            self._require_same_parents(plan, fingerprint)
            files = _hash_files(folder)
            manifest = Manifest(
                asset=plan.key.asset,
                partition=plan.key.partition,
                content_hash=digest_json({name: f.sha256 for name, f in files.items()}),
                fingerprint=fingerprint,
                code_version=plan.code_version,
                row_count=staging.row_count,
                config=dict(plan.config),
                upstream=upstream,
                files=files,
                figures=staging.figures,
            )
            _publish(folder, home, manifest)
        self._sync_above(home)
        shutil.rmtree(self._work_folder(plan.key, fingerprint), ignore_errors=True)

    def _require_same_parents(self, plan: Plan, fingerprint: str) -> None:
        if self.fingerprint(plan) != fingerprint:
            raise InputError(
                f"a parent of {plan.key} was materialized anew while it was being made",
                remedy="Materialize it again",
            )

    def _folder(self, key: ArtifactKey) -> Path:
        return self.root / "artifacts" / key.asset / key.partition

    def _sync_above(self, home: Path) -> None:
        """Keep `home` itself, which may be new, from being lost with the folders that name it."""
        for folder in home.parents:
            sync(folder)
            if folder == self.root:
                return

    def _work_folder(self, key: ArtifactKey, fingerprint: str) -> Path:
        return self.root / "work" / key.asset / key.partition / fingerprint[:16]

    def _upstream(self, plan: Plan) -> dict[str, str]:
        parents = sorted(plan.parents)
        return {str(parent): self.current(parent).manifest.content_hash for parent in parents}


def _publish(staging: Path, home: Path, manifest: Manifest) -> None:
    name = f"{manifest.content_hash[:16]}-{manifest.fingerprint[:16]}"
    (staging / MANIFEST).write_text(manifest.model_dump_json(indent=2), encoding="utf-8")
    target = home / name
    try:
        publish_folder(staging, target)
    except OSError as error:
        if error.errno not in _EXISTS:
            raise
        # The same content from the same inputs: keep the files, renew what was reported of them.
        replace_text(target / MANIFEST, manifest.model_dump_json(indent=2))
    # The folder of the version is on disk before `current` names it: it must outlast a power cut.
    replace_text(home / CURRENT, name)


def publish_folder(folder: Path, target: Path) -> None:
    """Give a filled folder the name `target`, of the same disk, once the disk holds all of it.

    Raises:
        OSError: where `target` is a folder that holds something.
    """
    sync_tree(folder)
    folder.rename(target)
    sync(target.parent)


def _hash_files(folder: Path) -> dict[str, FileEntry]:
    entries: dict[str, FileEntry] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        name = path.relative_to(folder).as_posix()
        entries[name] = FileEntry(sha256=digest, bytes=path.stat().st_size)
    return entries


def digest_json(value: Any) -> str:
    """The SHA-256 of a JSON value, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


_PREFIX = ".staging-"


@contextmanager
def staging_folder(home: Path) -> Generator[Path]:
    """A new folder in `home`, gone when the block ends unless it was renamed.

    Folders that killed processes left are removed first. A living one holds a lock on its folder,
    which ends with the process, in whatever container it runs.
    """
    home.mkdir(parents=True, exist_ok=True)
    _sweep(home)
    name = uuid.uuid4().hex
    new, folder = home / f".new-{name}", home / f"{_PREFIX}{name}"
    new.mkdir()
    lock = os.open(new, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        new.rename(folder)  # only now can others see it, and it is locked
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _sweep(home: Path) -> None:
    for folder in home.glob(f"{_PREFIX}*"):
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            continue
        finally:
            os.close(lock)
