"""Which benchmarks seeds are kept clear of, and whether published seeds are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import JsonValue

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.core.decontamination.items import (
    BenchmarkItem,
    bigcode_item,
    contest_item,
    plus_item,
    read_items,
)
from iterpref_assets.core.evaluation.benchmark_config import OFFICIAL, BenchmarkName
from iterpref_assets.core.evaluation.plus.data import PlusBenchmark
from iterpref_assets.core.seeds.filtering import SeedFilter
from iterpref_assets.core.seeds.reading import file_digest
from iterpref_assets.settings import Settings
from iterpref_assets.steps.problems import read_problems


def benchmark_files(settings: Settings) -> dict[str, Path | None]:
    """The file of each benchmark to keep clear of, None for its official source.

    Those that are scored come by their names, the others by their files' names.
    """
    benchmarks = settings.benchmarks
    scored = {name.value: benchmarks.config(name).path for name in benchmarks.names()}
    return {**scored, **{path.name: path for path in settings.seed_filter.benchmark_files}}


def benchmark_digests(settings: Settings) -> dict[str, JsonValue]:
    """The content of each benchmark file, as it goes into a manifest.

    Raises:
        InputError: where a file is missing.
    """
    files = benchmark_files(settings)
    return {name: file_digest(path) if path else OFFICIAL for name, path in files.items()}


def benchmark_items(settings: Settings) -> list[BenchmarkItem]:
    """Every item of every benchmark to keep clear of.

    Raises:
        InputError: where a file is missing or no benchmark, or an official one cannot be fetched.
    """
    files = benchmark_files(settings)
    return [
        item
        for name, path in files.items()
        for item in (read_items(path) if path else _official_items(name))
    ]


def _official_items(name: str) -> list[BenchmarkItem]:
    """The items of a benchmark from its own source."""
    from iterpref_assets.core.evaluation.bigcode.data import Subset, load_bigcode
    from iterpref_assets.core.evaluation.contests.data import load_contests
    from iterpref_assets.core.evaluation.plus.data import load_plus

    if name in set(PlusBenchmark):
        plus = load_plus(PlusBenchmark(name)).problems.values()
        return [
            plus_item(each.task_id, each.prompt, each.entry_point, each.canonical_solution)
            for each in plus
        ]
    if name == BenchmarkName.BIGCODEBENCH:
        problems = load_bigcode(None, Subset.FULL).problems.values()
        return [
            bigcode_item(
                each.task_id, (each.complete_prompt, each.instruct_prompt), each.canonical_solution
            )
            for each in problems
        ]
    contests = load_contests().problems.values()
    return [contest_item(each.task_id, each.question, each.starter_code) for each in contests]


def contaminated_problems(
    settings: Settings, store: ArtifactStore, shards: Sequence[str]
) -> list[str]:
    """Published training problems that share something with a benchmark, or are one's own tasks.

    Sources that the settings name under `seed_filter.allow_training_on` are let through.
    """
    seeds = SeedFilter(settings.seed_filter, benchmark_items(settings))
    return [
        f"{row['problem_id']}: {row['reason']} of {row['shared_with'] or row['benchmark']}"
        for shard in shards
        for problem in read_problems(store, ArtifactKey("seed_problems", shard))
        for row in seeds.contamination(problem)
    ]
