"""`iterpref evaluate`: score programs or answers on a benchmark, without Dagster."""

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
from iterpref_assets.core.evaluation.bootstrap import Interval
from iterpref_assets.core.evaluation.config import OWN_LIMITS, JudgingLimits
from iterpref_assets.core.evaluation.evalplus.data import PlusBenchmark
from iterpref_assets.core.evaluation.livecodebench.data import LATEST_RELEASE
from iterpref_assets.core.evaluation.livecodebench.sources import ContestRules
from iterpref_assets.core.evaluation.sample_scoring import RESULTS, SUMMARY, SampleRun, score_file
from iterpref_assets.core.evaluation.sample_summary import SampleSummary

if TYPE_CHECKING:
    from iterpref_assets.core.evaluation.suite import Suite

BENCHMARK = typer.Option(help="What to score on.")
DATA = typer.Option(help="The benchmark's file; its official source if not given.")


def evaluate(
    benchmark: Annotated[BenchmarkName, BENCHMARK],
    samples: Annotated[
        Path,
        typer.Option(
            help="Lines of JSON: task_id with solution or completion; or a folder of .py files."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for results.jsonl and summary.json.")],
    data: Annotated[Path | None, DATA] = None,
    answers: Annotated[
        bool,
        typer.Option("--answers", help="Lines hold models' whole answers, not programs."),
    ] = False,
    tasks: Annotated[
        str, typer.Option(help="Tasks to score: ids, numbers, ranges, as in 3,10-19.")
    ] = "",
    base_only: Annotated[
        bool, typer.Option("--base-only", help="Run the base tests of HumanEval or MBPP alone.")
    ] = False,
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
    release: Annotated[
        int,
        typer.Option(min=1, max=LATEST_RELEASE, help="LiveCodeBench's release, without --data."),
    ] = LATEST_RELEASE,
    rules: Annotated[
        ContestRules, typer.Option(help="How LiveCodeBench programs are run.")
    ] = ContestRules.STRICT,
    libraries: Annotated[
        Path | None, typer.Option(help="Folder of what BigCodeBench programs may import.")
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(
            help="CPU seconds in place of the benchmark's: a call at least (HumanEval, MBPP), "
            "a test (LiveCodeBench), a program (BigCodeBench)."
        ),
    ] = None,
    reference_factor: Annotated[
        float | None,
        typer.Option(help="Times the reference's time that a call may take (HumanEval, MBPP)."),
    ] = None,
    official_results: Annotated[
        bool,
        typer.Option(
            "--official-results", help="Write the files of the benchmark's own harness too."
        ),
    ] = False,
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
    plus = (BenchmarkName.HUMANEVAL, BenchmarkName.MBPP)
    bigcode, contests = (BenchmarkName.BIGCODEBENCH,), (BenchmarkName.LIVECODEBENCH,)
    _refuse_misplaced(
        benchmark,
        {
            "--split": (bigcode, split is not BigCodeSplit.COMPLETE),
            "--subset": (bigcode, subset is not BigCodeSubset.FULL),
            "--libraries": (bigcode, libraries is not None),
            "--from": (contests, since is not None),
            "--to": (contests, until is not None),
            "--release": (contests, release != LATEST_RELEASE),
            "--rules": (contests, rules is not ContestRules.STRICT),
            "--base-only": (plus, base_only),
            "--reference-factor": (plus, reference_factor is not None),
        },
    )
    limits = JudgingLimits(seconds=seconds, reference_factor=reference_factor)
    source = data or OFFICIAL
    suite: Suite
    if benchmark is BenchmarkName.BIGCODEBENCH:
        suite = BigCodeConfig(data=source, libraries=libraries).open(split, subset, limits)
    elif benchmark is BenchmarkName.LIVECODEBENCH:
        window = {"since": since and since.date(), "until": until and until.date()}
        suite = ContestConfig(data=source, release=release, rules=rules, **window).open(limits)
    else:
        suite = PlusConfig(data=source).open(
            PlusBenchmark(benchmark), _cache_folder(), limits, base_only=base_only
        )
    run = SampleRun(
        samples=samples,
        out=out,
        cache=_cache_folder(),
        workers=workers or os.cpu_count() or 1,
        skip_invalid=skip_invalid,
        answers=answers,
        tasks=tasks,
        official_results=official_results,
    )
    summary, files = score_file(suite, run)
    _print(summary, answers=answers)
    for path in (out / RESULTS, out / SUMMARY, *files):
        typer.echo(path)


def sanitize(
    benchmark: Annotated[BenchmarkName, BENCHMARK],
    samples: Annotated[Path, typer.Option(help="Lines of JSON: task_id with an answer.")],
    out: Annotated[Path, typer.Option(help="File for the programs: task_id and solution.")],
    data: Annotated[Path | None, DATA] = None,
) -> None:
    """Take the programs out of models' answers as `evaluate --answers` does, and show them."""
    from iterpref_assets.core.evaluation.sanitizing import sanitize_file

    source = data or OFFICIAL
    suite: Suite
    if benchmark is BenchmarkName.BIGCODEBENCH:
        suite = BigCodeConfig(data=source).open()
    elif benchmark is BenchmarkName.LIVECODEBENCH:
        suite = ContestConfig(data=source).open(OWN_LIMITS)
    else:
        suite = PlusConfig(data=source).open(PlusBenchmark(benchmark), _cache_folder())
    for text in sanitize_file(suite, samples, out):
        typer.echo(text)
    typer.echo(out)


def _refuse_misplaced(
    benchmark: BenchmarkName, options: dict[str, tuple[tuple[BenchmarkName, ...], bool]]
) -> None:
    """Refuse options that would be ignored."""
    for option, (owners, is_given) in options.items():
        if is_given and benchmark not in owners:
            raise InputError(f"{option} is for {' and '.join(owners)} only", remedy="Leave it out")


def _cache_folder() -> Path:
    """Where what can be computed again is kept, by the XDG convention."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "iterpref"


def _print(summary: SampleSummary, *, answers: bool) -> None:
    rules = f" ({summary.rules} rules)" if summary.rules else ""
    labels = ("base tests", "base and plus tests") if summary.plus else ("all tests", "")
    figures = (
        (summary.base, summary.base_interval),
        (summary.plus, summary.plus_interval),
    )
    for label, (rates, interval) in zip(labels, figures, strict=True):
        if rates and interval:
            typer.echo(f"{summary.data.benchmark}{rules}, {label}: {_shown(rates, interval)}")
    asked = summary.tasks + summary.tasks_without_sample + len(summary.tasks_not_run)
    typer.echo(
        f"{summary.tasks} of {asked} tasks have samples that were run, {summary.samples} in all, "
        f"in {summary.seconds:.1f} s; {len(summary.tasks_not_run)} tasks cannot run here; "
        f"{summary.invalid_lines} invalid lines; data md5 {summary.data.md5}"
    )
    if summary.fenced_samples and not answers:
        typer.echo(
            f"{summary.fenced_samples} of {summary.samples} samples look like answers with fenced "
            "programs: score such a file with --answers"
        )


def _shown(rates: dict[str, float], interval: Interval) -> str:
    """pass@1 with its interval, then pass@k for other k."""
    first = f"pass@1 {rates['pass@1']:.1%} ({interval.low:.1%} to {interval.high:.1%})"
    others = [f"{name} {rate:.1%}" for name, rate in rates.items() if name != "pass@1"]
    return "  ".join([first, *others])
