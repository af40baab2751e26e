"""Which benchmarks seeds are kept clear of, which are left out, and whether seeds are clear."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import JsonValue

from iterpref_assets.core.artifacts import ArtifactStore
from iterpref_assets.core.decontamination.filtering import SeedFilter
from iterpref_assets.core.decontamination.items import (
    Benchmark,
    BenchmarkItem,
    bigcodebench_item,
    evalplus_item,
    livecodebench_item,
    read_items,
)
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.benchmark_config import OFFICIAL, BenchmarkName
from iterpref_assets.core.evaluation.evalplus.data import EvalPlusBenchmark
from iterpref_assets.core.lab.problems import SOURCE as LAB
from iterpref_assets.core.seeds.reading import file_digest
from iterpref_assets.settings import Settings
from iterpref_assets.steps.findings import Findings, Offender
from iterpref_assets.steps.heldout_problems import SEEDS, training_problems

_SCORED = {
    BenchmarkName.HUMANEVAL: Benchmark.HUMANEVAL,
    BenchmarkName.MBPP: Benchmark.MBPP_PLUS,
    BenchmarkName.BIGCODEBENCH: Benchmark.BIGCODEBENCH,
    BenchmarkName.LIVECODEBENCH: Benchmark.LIVECODEBENCH,
}
"""What is kept clear of where a benchmark is scored."""

_FILES = {
    Benchmark.HUMANEVAL: "HumanEvalPlus.jsonl.gz",
    Benchmark.MBPP: "mbpp.jsonl.gz (scoring mbpp compares with MBPP+ alone)",
    Benchmark.MBPP_PLUS: "MbppPlus.jsonl.gz",
    Benchmark.BIGCODEBENCH: "BigCodeBench-v0.1.4.jsonl.gz",
    Benchmark.LIVECODEBENCH: "test.jsonl to test6.jsonl",
}
"""The published files that hold each benchmark."""


def benchmark_files(settings: Settings) -> dict[str, Path | None]:
    """The file of each benchmark to keep clear of, None for its official source.

    Those that are scored come by their names, the others by their files' names.

    Raises:
        InputError: where two have one name.
    """
    benchmarks = settings.benchmarks
    files = {name.value: benchmarks.config(name).path for name in benchmarks.names()}
    for path in settings.seed_filter.benchmark_files:
        if path.name in files:
            raise InputError(
                "another benchmark has this name",
                file=path,
                field="seed_filter.benchmark_files",
                remedy="Name each file once, and rename one of two that are called the same",
            )
        files[path.name] = path
    return files


def benchmark_digests(settings: Settings) -> dict[str, JsonValue]:
    """The content of each benchmark file, as it goes into a manifest.

    Raises:
        InputError: where a file is missing, or two have one name.
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
    from iterpref_assets.core.evaluation.bigcodebench.data import (
        BigCodeBenchSubset,
        load_bigcodebench,
    )
    from iterpref_assets.core.evaluation.evalplus.data import load_evalplus
    from iterpref_assets.core.evaluation.livecodebench.data import load_livecodebench

    if name in set(EvalPlusBenchmark):
        plus = load_evalplus(EvalPlusBenchmark(name)).problems.values()
        return [
            evalplus_item(each.task_id, each.prompt, each.entry_point, each.canonical_solution)
            for each in plus
        ]
    if name == BenchmarkName.BIGCODEBENCH:
        problems = load_bigcodebench(None, BigCodeBenchSubset.FULL).problems.values()
        return [
            bigcodebench_item(
                each.task_id, (each.complete_prompt, each.instruct_prompt), each.canonical_solution
            )
            for each in problems
        ]
    contests = load_livecodebench().problems.values()
    return [livecodebench_item(each.task_id, each.question, each.starter_code) for each in contests]


def uncompared_benchmarks(
    settings: Settings, store: ArtifactStore, shards: Sequence[str]
) -> Findings:
    """Benchmarks that nothing keeps the seeds clear of, each with the remedy.

    None where every published seed is the lab's: its problems are composed here, after no
    benchmark. An official source is believed to hold what it should, and not fetched for this.

    Raises:
        InputError: where a file is missing or no benchmark.
    """
    sources = [problem.source for _, problem in training_problems(store, shards)]
    if all(source == LAB for source in sources):
        return Findings.of({"lab problems": len(sources)}, [])
    files = settings.seed_filter.benchmark_files
    compared: set[str] = {_SCORED[name] for name in settings.benchmarks.names()}
    compared |= {item.benchmark for path in files for item in read_items(path)}
    uncompared = [
        Offender(
            name=f"not compared with {benchmark}",
            reason=f"add {_FILES[benchmark]} to seed_filter.benchmark_files",
            asset=SEEDS,
            partition=shards[0],
        )
        for benchmark in Benchmark
        if benchmark not in compared
    ]
    return Findings.of({"problems": len(sources), "benchmarks": len(Benchmark)}, uncompared)


def contaminated_problems(
    settings: Settings,
    store: ArtifactStore,
    shards: Sequence[str],
    items: Sequence[BenchmarkItem],
) -> Findings:
    """Published training problems that share something with a benchmark, or are one's own tasks.

    Sources that the settings name under `seed_filter.allow_training_on` are let through. `items`
    are those of every benchmark to keep clear of.
    """
    seeds = SeedFilter(settings.seed_filter, items)
    problems = list(training_problems(store, shards))
    contaminated = [
        Offender(
            name=problem.problem_id,
            reason=f"{row['reason']} of {row['shared_with'] or row['benchmark']}",
            asset=SEEDS,
            partition=shard,
        )
        for shard, problem in problems
        for row in seeds.contamination(problem)
    ]
    return Findings.of({"problems": len(problems), "benchmark items": len(items)}, contaminated)
