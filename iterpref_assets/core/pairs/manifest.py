"""What a pair table made outside Dagster consists of, written beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from iterpref_assets.core.decontamination.refusal import benchmark_tasks, refuse_benchmark_tasks
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import replacing
from iterpref_assets.core.pairs.config import PairConfig
from iterpref_assets.core.records import Record
from iterpref_assets.core.seeds.reading import file_digest


class PairManifest(Record):
    """Where pairs come from and what they may be used for.

    Attributes:
        made_of: the SHA-256 of each input file, by name.
        pairs: how they were made.
        benchmark_tasks: how many tasks of which benchmark they solve.
        allow_training_on: the override that lets one train on those all the same, by name.
    """

    made_of: dict[str, str]
    pairs: PairConfig
    benchmark_tasks: dict[str, int]
    allow_training_on: tuple[str, ...]


def manifest_beside(pairs: Path) -> Path:
    """Where the manifest of a pair table lies."""
    return pairs.with_suffix(".manifest.json")


def write_manifest(
    pairs: Path,
    ids: Iterable[str],
    *,
    made_of: Iterable[Path],
    config: PairConfig,
    allow_training_on: Iterable[str],
) -> PairManifest:
    """Write the manifest of the table `pairs`, whose problems have these ids."""
    counts = Counter(task.partition("/")[0] for task in benchmark_tasks(ids))
    manifest = PairManifest(
        made_of={file.name: file_digest(file) for file in made_of},
        pairs=config,
        benchmark_tasks=dict(sorted(counts.items())),
        allow_training_on=tuple(allow_training_on),
    )
    with replacing(manifest_beside(pairs)) as partial:
        partial.write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return manifest


def require_trainable(pairs: Path, ids: Iterable[str]) -> None:
    """Refuse to train on a table of benchmark tasks, unless its manifest holds the override.

    Args:
        pairs: the table.
        ids: of its problems, trajectories or pairs.

    Raises:
        InputError: naming the first task, or where the manifest is malformed.
    """
    file = manifest_beside(pairs)
    allowed: tuple[str, ...] = ()
    if file.is_file():
        try:
            allowed = PairManifest.model_validate_json(file.read_bytes()).allow_training_on
        except ValidationError as error:
            raise InputError(
                error.errors()[0]["msg"], file=file, remedy="Make the pairs again"
            ) from None
    refuse_benchmark_tasks(ids, allowed, place=str(pairs))
