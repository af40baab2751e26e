"""Artifacts on disk: content-addressed folders with a manifest, published whole or not at all.

Layout below the store's root:
    artifacts/<asset>/<partition>/<content hash>/   one immutable version: its files, manifest.json
    artifacts/<asset>/<partition>/current           the name of the newest version
    work/<asset>/<partition>/<fingerprint>/         unfinished work that a restart resumes from

A version's folder appears by one rename and `current` is replaced by another, so a reader sees
the old version or the new one, never a half of either. What a killed process leaves is removed by
the next one that publishes, or takes up, the same artifact.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import shutil
import uuid
import weakref
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import Field, JsonValue, ValidationError

from iterpref_assets.core.digests import digest_json
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import (
    locked,
    made_and_shared,
    publish_folder,
    remove_unshared,
    replace_files,
    replace_text,
    sync,
)
from iterpref_assets.core.integrity import FileEntry, file_entry, first_damage
from iterpref_assets.core.records import Record

MANIFEST = "manifest.json"
CURRENT = "current"
UNPARTITIONED = "all"
_EXISTS = {errno.EEXIST, errno.ENOTEMPTY}
"""Why a folder is not renamed to the name of another."""

_log = logging.getLogger("iterpref")


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

    @property
    def key(self) -> ArtifactKey:
        """What it was published under."""
        return ArtifactKey(self.manifest.asset, self.manifest.partition)

    def path(self, name: str) -> Path:
        """The path of one of its files."""
        return self.folder / name


class ArtifactStore:
    """All artifacts below one root; any number of processes may read and publish at once."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._held: dict[Path, int] = {}
        weakref.finalize(self, _release_all, self._held)

    def current(self, key: ArtifactKey) -> Artifact:
        """The newest version of `key`.

        Raises:
            InputError: where nothing was published under `key`, or its manifest is damaged.
        """
        artifact = self.find(key)
        if artifact is None:
            raise InputError(
                f"{key} has not been materialized",
                file=self._folder(key),
                remedy=f"Materialize {_shown(key)} first",
            )
        return artifact

    def find(self, key: ArtifactKey) -> Artifact | None:
        """The newest version of `key`, or None where nothing was published under it.

        Raises:
            InputError: where its manifest is damaged.
        """
        try:
            name = (self._folder(key) / CURRENT).read_text()
        except FileNotFoundError:
            return None
        folder = self._folder(key) / name
        try:
            manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
        except FileNotFoundError:
            raise _damaged(key, f"{folder / MANIFEST} is missing") from None
        except ValidationError:
            raise _damaged(key, f"{folder / MANIFEST} is no manifest") from None
        return Artifact(folder, manifest)

    def require_whole(self, keys: Iterable[ArtifactKey]) -> None:
        """Read the newest version of each of `keys` through.

        Raises:
            InputError: naming the first file that is not what its artifact's manifest says.
        """
        for key in keys:
            artifact = self.current(key)
            if damage := first_damage(artifact.folder, artifact.manifest.files):
                raise _damaged(key, damage)

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

    def reusable(self, plan: Plan, *, whole: bool = True) -> Artifact | None:
        """The current version where it was made of exactly what `plan` asks for, or None.

        Its files are read through unless `whole` is False: one that is damaged is logged, and the
        artifact is not reusable.
        """
        try:
            artifact = self.find(plan.key)
            if artifact is None or any(self.find(parent) is None for parent in plan.parents):
                return None
            if artifact.manifest.fingerprint != self.fingerprint(plan):
                return None
            if whole:
                self.require_whole([plan.key])
        except InputError as error:
            _log.warning("%s is not reused: %s", plan.key, error.problem)
            return None
        return artifact

    def clear(self, plan: Plan) -> None:
        """Remove what killed processes left of a plan whose artifact is published.

        Work that another store goes on with stays: the artifact is being made anew.
        """
        home = self._folder(plan.key)
        with locked(home):
            _sweep(home)
        self._remove_work(plan.key, plan.fingerprint or self.fingerprint(plan))

    def work_folder(self, plan: Plan) -> Path:
        """Where unfinished work on `plan` is kept; removed when `plan` is published.

        As long as this store lives and has not published it, no other removes it.
        """
        folder = self._work_folder(plan.key, plan.fingerprint or self.fingerprint(plan))
        if folder not in self._held:
            self._held[folder] = made_and_shared(folder)
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
        self._remove_work(plan.key, fingerprint)

    def _remove_work(self, key: ArtifactKey, fingerprint: str) -> None:
        folder = self._work_folder(key, fingerprint)
        if folder in self._held:
            os.close(self._held.pop(folder))
        remove_unshared(folder)

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


def _release_all(held: dict[Path, int]) -> None:
    while held:
        os.close(held.popitem()[1])


def _shown(key: ArtifactKey) -> str:
    """An artifact as the UI and commands write it."""
    return f"{key.asset} (partition {key.partition.replace('/', '|')})"


def _damaged(key: ArtifactKey, damage: str) -> InputError:
    return InputError(f"{key} is damaged: {damage}", remedy=f"Materialize {_shown(key)} again")


def _publish(staging: Path, home: Path, manifest: Manifest) -> None:
    name = f"{manifest.content_hash[:16]}-{manifest.fingerprint[:16]}"
    (staging / MANIFEST).write_text(manifest.model_dump_json(indent=2), encoding="utf-8")
    try:
        publish_folder(staging, home / name)
    except OSError as error:
        if error.errno not in _EXISTS:
            raise
        # The same content from the same inputs stands there; files of it may be damaged.
        replace_files(staging, home / name, (*manifest.files, MANIFEST))
    # The folder of the version is on disk before `current` names it: it must outlast a power cut.
    with locked(home):
        replace_text(home / CURRENT, name)


def _hash_files(folder: Path) -> dict[str, FileEntry]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_entry(path) for path in found}


_PREFIX = ".staging-"


@contextmanager
def staging_folder(home: Path) -> Generator[Path]:
    """A new folder in `home`, gone when the block ends unless it was renamed.

    Folders that killed processes left are removed first. A living one holds a lock on its folder,
    which ends with the process, in whatever container it runs.
    """
    home.mkdir(parents=True, exist_ok=True)
    folder = home / f"{_PREFIX}{uuid.uuid4().hex}"
    with locked(home):
        _sweep(home)
        folder.mkdir()
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _sweep(home: Path) -> None:
    """Remove what killed processes left in `home`, which is locked."""
    for partial in home.glob(f".{CURRENT}.*"):
        partial.unlink()
    for folder in home.glob(f"{_PREFIX}*"):
        remove_unshared(folder)
