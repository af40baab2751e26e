"""`iterpref evaluate`: score a samples file on a benchmark, without Dagster."""

from __future__ import annotations

import logging
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from iterpref_assets.core.evaluation.batch import RESULTS, SUMMARY, score_samples
from iterpref_assets.core.evaluation.results import ResultSummary
from iterpref_assets.core.evaluation.samples import read_samples


class BenchmarkName(StrEnum):
    """The benchmarks that can be scored."""

    HUMANEVAL = "humaneval"
    MBPP = "mbpp"


def evaluate(
    benchmark: Annotated[BenchmarkName, typer.Option(help="What to score on.")],
    samples: Annotated[
        Path, typer.Option(help="Lines of JSON: task_id with solution or completion.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for results.jsonl and summary.json.")],
    data: Annotated[
        Path | None, typer.Option(help="The benchmark's file; fetched by evalplus if not given.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Programs run at once; one per CPU if not given.")
    ] = None,
    skip_invalid: Annotated[
        bool, typer.Option("--skip-invalid", help="Count invalid lines instead of stopping.")
    ] = False,
) -> None:
    """Score samples in the sandbox; run again to resume after an interruption."""
    _log_to_stderr()
    count = workers or os.cpu_count() or 1
    summary = _score_plus(benchmark, samples, out, data, workers=count, skip=skip_invalid)
    _print(summary, out)


def _score_plus(
    name: BenchmarkName, samples: Path, out: Path, path: Path | None, *, workers: int, skip: bool
) -> ResultSummary:
    from iterpref_assets.core.evaluation.plus.benchmark import SANDBOX_PACKAGES, plus_benchmark
    from iterpref_assets.core.evaluation.plus.data import PlusBenchmark, load_plus
    from iterpref_assets.core.sandbox.sandbox import Sandbox

    data = load_plus(PlusBenchmark(name.value), path)
    prompts = {task_id: problem.prompt for task_id, problem in data.problems.items()}
    file = read_samples(samples, prompts, skip_invalid=skip)
    with Sandbox(workers, packages=SANDBOX_PACKAGES) as sandbox:
        benchmark = plus_benchmark(data, sandbox, _cache_folder(), workers)
        return score_samples(benchmark, file, sandbox, out, workers)


def _cache_folder() -> Path:
    """Where what can be computed again is kept, by the XDG convention."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "iterpref"


def _log_to_stderr() -> None:
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s  %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("iterpref").setLevel(logging.INFO)


def _print(summary: ResultSummary, out: Path) -> None:
    for label, rates in (("base tests", summary.base), ("base and plus tests", summary.plus)):
        if rates is not None:
            shown = "  ".join(f"{name} {rate:.1%}" for name, rate in rates.items())
            typer.echo(f"{summary.data.benchmark}, {label}: {shown}")
    typer.echo(
        f"{summary.samples} samples of {summary.tasks} tasks in {summary.seconds:.1f} s; "
        f"{summary.invalid_lines} invalid lines; data md5 {summary.data.md5}"
    )
    typer.echo(f"{out / RESULTS}\n{out / SUMMARY}")
