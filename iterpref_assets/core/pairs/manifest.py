"""What a pair table made outside Dagster consists of, written beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import ValidationError

from iterpref_assets.core.decontamination.refusal import (
    BenchmarkSource,
    benchmark_tasks,
    is_benchmark_task,
    refuse_benchmark_tasks,
)
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import replace_text
from iterpref_assets.core.pairs.config import PairConfig
from iterpref_assets.core.records import Record
from iterpref_assets.core.seeds.reading import file_digest


class PairManifest(Record):
    """Where pairs come from and what they may be used for.

    Attributes:
        made_of: the SHA-256 of each input file, by name.
        compared_with: the SHA-256 of each benchmark file that they were kept clear of, by name.
        pairs: how they were made.
        benchmark_tasks: how many tasks of which benchmark they solve.
        benchmark_sources: the sources that these tasks come from.
        allow_training_on: the override, by name: sources of benchmark tasks to train on all the
            same.
    """

    made_of: dict[str, str]
    compared_with: dict[str, str]
    pairs: PairConfig
    benchmark_tasks: dict[str, int]
    benchmark_sources: tuple[str, ...]
    allow_training_on: tuple[BenchmarkSource, ...]

    def refused_sources(self) -> list[str]:
        """The sources of benchmark tasks that the override does not name."""
        return [each for each in self.benchmark_sources if each not in self.allow_training_on]


def manifest_beside(pairs: Path) -> Path:
    """Where the manifest of a pair table lies."""
    return pairs.with_suffix(".manifest.json")


def write_manifest(
    pairs: Path,
    sources: Mapping[str, str],
    *,
    made_of: Iterable[Path],
    compared_with: Iterable[Path],
    config: PairConfig,
    allow_training_on: Iterable[BenchmarkSource],
) -> PairManifest:
    """Write the manifest of the table `pairs`; `sources` has that of each problem by its id."""
    counts = Counter(task.partition("/")[0] for task in benchmark_tasks(sources))
    named = {source for name, source in sources.items() if is_benchmark_task(source, name)}
    manifest = PairManifest(
        made_of={file.name: file_digest(file) for file in made_of},
        compared_with={file.name: file_digest(file) for file in compared_with},
        pairs=config,
        benchmark_tasks=dict(sorted(counts.items())),
        benchmark_sources=tuple(sorted(named)),
        allow_training_on=tuple(allow_training_on),
    )
    replace_text(manifest_beside(pairs), manifest.model_dump_json(indent=2) + "\n")
    return manifest


def read_manifest(pairs: Path) -> PairManifest | None:
    """The manifest of the table `pairs`; None where there is none beside it.

    Raises:
        InputError: where it is malformed.
    """
    file = manifest_beside(pairs)
    if not file.is_file():
        return None
    try:
        return PairManifest.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise InputError.of_record(error, file=file, remedy="Make the pairs again") from None


def require_trainable(pairs: Path, ids: Iterable[str]) -> None:
    """Refuse to train on a table of benchmark tasks, unless its manifest holds the override.

    Args:
        pairs: the table.
        ids: of its problems, trajectories or pairs.

    Raises:
        InputError: naming the first task, or where the manifest is malformed.
    """
    manifest = read_manifest(pairs)
    sources: tuple[str, ...] = ()
    allowed: tuple[BenchmarkSource, ...] = ()
    if manifest is not None:
        sources, allowed = manifest.benchmark_sources, manifest.allow_training_on
    # The table does not say which task is of which source, so the override must name them all.
    names = list(ids)
    tasks = benchmark_tasks(names) or names
    problems = ((task, source) for task in tasks for source in sources or ("",))
    refuse_benchmark_tasks(problems, allowed, place=str(pairs))
