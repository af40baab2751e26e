"""What must hold after the launch that follows a fault."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.integrity import first_damage

Seen = dict[str, tuple[str, int, int]]
"""Of each whole artifact by name: its version, and its manifest's inode and time of change."""

_VERSION = "dagster/data_version"
_CACHES = ("torchinductor_",)
"""What libraries keep in the temporary folder, killed or not."""
_SANDBOXES = "iterpref-sandboxes-"
"""The folder of sandboxes' folders, which stays there empty."""


@dataclass(frozen=True)
class Undisturbed:
    """The content hash of every artifact of the undisturbed run, by name."""

    hashes: dict[str, str]

    @classmethod
    def of(cls, root: Path) -> "Undisturbed":
        """The undisturbed deployment's."""
        store = ArtifactStore(root)
        return cls({str(key): store.current(key).manifest.content_hash for key in keys_of(store)})


def keys_of(store: ArtifactStore) -> Iterator[ArtifactKey]:
    """Everything that is published."""
    for asset in sorted(path.name for path in (store.root / "artifacts").iterdir()):
        for partition in store.partitions(asset):
            yield ArtifactKey(asset, partition)


def seen_of(store: ArtifactStore) -> Seen:
    """What is whole and finished now, so that nobody may make it again."""
    seen: Seen = {}
    for key in keys_of(store):
        try:
            artifact = store.current(key)
        except InputError:
            continue
        if first_damage(artifact.folder, artifact.manifest.files) is None:
            stat = artifact.path("manifest.json").stat()
            seen[str(key)] = artifact.folder.name, stat.st_ino, stat.st_mtime_ns
    return seen


def faults_found(
    store: ArtifactStore, undisturbed: Undisturbed, before: Seen, temporary: Path
) -> list[str]:
    """Every promise that was not kept."""
    now = seen_of(store)
    problems = [f"{name} is gone or damaged" for name in undisturbed.hashes if name not in now]
    for name in now:
        found = store.current(ArtifactKey.parse(name)).manifest.content_hash
        if found != undisturbed.hashes.get(name):
            problems.append(f"{name} differs from the undisturbed one")
    problems += [f"{name} was made again" for name in before if before[name] != now.get(name)]
    problems += [f"left behind: {path}" for path in leftovers(store.root)]
    problems += [f"left behind: {name}" for name in left_in(temporary)]
    return problems


def left_in(temporary: Path) -> Iterator[str]:
    """What lies in the temporary folder and should not, by its name below it."""
    for path in sorted(temporary.iterdir()):
        if path.name.startswith(_SANDBOXES):
            yield from (f"{path.name}/{each.name}" for each in sorted(path.iterdir()))
        elif not path.name.startswith(_CACHES):
            yield path.name


def leftovers(root: Path) -> Iterator[Path]:
    """Half-written files, staging folders, and work of what is finished."""
    for path in sorted((root / "artifacts").rglob(".*")):
        yield path.relative_to(root)
    for folder in ("work", "workers"):
        for path in sorted((root / folder).rglob("*")):
            if path.is_file():
                yield path.relative_to(root)


def faults_of_records(store: ArtifactStore, keys: Sequence[ArtifactKey]) -> list[str]:
    """Slots that are held though nothing runs, and artifacts that Dagster knows otherwise."""
    problems: list[str] = []
    with dg.DagsterInstance.get() as instance:
        for pool in instance.event_log_storage.get_concurrency_keys():
            info = instance.event_log_storage.get_concurrency_info(pool)
            if info.active_slot_count:
                problems.append(f"pool {pool} is held by {sorted(info.active_run_ids)}")
        for key in keys:
            problems += _unrecorded(instance, store, key)
    return problems


def _unrecorded(
    instance: dg.DagsterInstance, store: ArtifactStore, key: ArtifactKey
) -> Iterator[str]:
    name = key.partition.replace("/", "|")
    asset = dg.AssetKey(key.asset)
    selected = dg.AssetRecordsFilter(asset, asset_partitions=None if name == "all" else [name])
    records = instance.fetch_materializations(selected, limit=1).records
    told = records[0].asset_materialization.tags.get(_VERSION) if records else None
    if told != store.current(key).manifest.content_hash:
        yield f"Dagster's last word of {key} is version {told}"
