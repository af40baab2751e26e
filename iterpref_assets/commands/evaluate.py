"""`iterpref evaluate`: score a samples file on a benchmark, without Dagster."""

from __future__ import annotations

import logging
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.benchmark_config import (
    OFFICIAL,
    BenchmarkName,
    BigCodeConfig,
    ContestConfig,
    PlusConfig,
)
from iterpref_assets.core.evaluation.bigcodebench.data import BigCodeSplit, BigCodeSubset
from iterpref_assets.core.evaluation.evalplus.data import PlusBenchmark
from iterpref_assets.core.evaluation.sample_scoring import RESULTS, SUMMARY, SampleRun, score_file
from iterpref_assets.core.evaluation.sample_summary import SampleSummary

if TYPE_CHECKING:
    from iterpref_assets.core.evaluation.suite import Suite


def evaluate(
    benchmark: Annotated[BenchmarkName, typer.Option(help="What to score on.")],
    samples: Annotated[
        Path, typer.Option(help="Lines of JSON: task_id with solution or completion.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for results.jsonl and summary.json.")],
    data: Annotated[
        Path | None, typer.Option(help="The benchmark's file; its official source if not given.")
    ] = None,
    split: Annotated[
        BigCodeSplit, typer.Option(help="How BigCodeBench tasks were asked.")
    ] = BigCodeSplit.COMPLETE,
    subset: Annotated[
        BigCodeSubset, typer.Option(help="Which BigCodeBench tasks.")
    ] = BigCodeSubset.FULL,
    since: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First day of LiveCodeBench contests."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], help="Last day of LiveCodeBench contests."),
    ] = None,
    libraries: Annotated[
        Path | None, typer.Option(help="Folder of what BigCodeBench programs may import.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Programs run at once; one per CPU if not given.")
    ] = None,
    skip_invalid: Annotated[
        bool, typer.Option("--skip-invalid", help="Count invalid lines instead of stopping.")
    ] = False,
) -> None:
    """Score samples in the sandbox; run again to resume after an interruption."""
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s  %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("iterpref").setLevel(logging.INFO)
    _refuse_misplaced(
        benchmark,
        {
            BenchmarkName.BIGCODEBENCH: {
                "--split": split is not BigCodeSplit.COMPLETE,
                "--subset": subset is not BigCodeSubset.FULL,
                "--libraries": libraries is not None,
            },
            BenchmarkName.LIVECODEBENCH: {"--from": since is not None, "--to": until is not None},
        },
    )
    source = data or OFFICIAL
    suite: Suite
    if benchmark is BenchmarkName.BIGCODEBENCH:
        suite = BigCodeConfig(data=source, libraries=libraries).open(split, subset)
    elif benchmark is BenchmarkName.LIVECODEBENCH:
        window = {"since": since and since.date(), "until": until and until.date()}
        suite = ContestConfig(data=source, **window).open()
    else:
        suite = PlusConfig(data=source).open(PlusBenchmark(benchmark), _cache_folder())
    run = SampleRun(samples, out, _cache_folder(), workers or os.cpu_count() or 1, skip_invalid)
    _print(score_file(suite, run), out)


def _refuse_misplaced(
    benchmark: BenchmarkName, given: dict[BenchmarkName, dict[str, bool]]
) -> None:
    """Refuse options that would be ignored."""
    for owner, options in given.items():
        for option, is_given in options.items():
            if is_given and benchmark is not owner:
                raise InputError(f"{option} is for {owner} only", remedy="Leave it out")


def _cache_folder() -> Path:
    """Where what can be computed again is kept, by the XDG convention."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "iterpref"


def _print(summary: SampleSummary, out: Path) -> None:
    labels = ("base tests", "base and plus tests") if summary.plus else ("all tests", "")
    for label, rates in zip(labels, (summary.base, summary.plus), strict=True):
        if rates is not None:
            shown = "  ".join(f"{name} {rate:.1%}" for name, rate in rates.items())
            typer.echo(f"{summary.data.benchmark}, {label}: {shown}")
    typer.echo(
        f"{summary.samples} samples of {summary.tasks} tasks in {summary.seconds:.1f} s; "
        f"{len(summary.tasks_not_run)} tasks cannot run here; "
        f"{summary.invalid_lines} invalid lines; data md5 {summary.data.md5}"
    )
    typer.echo(f"{out / RESULTS}\n{out / SUMMARY}")
