"""`iterpref evaluate`: score programs or answers on a benchmark, without Dagster."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from iterpref_assets.commands.benchmark_options import (
    Data,
    Release,
    Since,
    SplitOption,
    Subset,
    Until,
)
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.benchmark_config import BenchmarkName
from iterpref_assets.core.evaluation.bigcodebench.data import BigCodeBenchSplit, BigCodeBenchSubset
from iterpref_assets.core.evaluation.livecodebench.data import LATEST_RELEASE
from iterpref_assets.core.evaluation.livecodebench.sources import LiveCodeBenchRules
from iterpref_assets.core.evaluation.sample_scoring import RESULTS, SUMMARY, SampleRun, score_file
from iterpref_assets.core.evaluation.sample_summary import summary_lines
from iterpref_assets.core.evaluation.samples import check_samples
from iterpref_assets.core.evaluation.sanitizing import sanitize_file
from iterpref_assets.core.evaluation.suite_options import OwnProblems, SuiteOptions
from iterpref_assets.core.files import cache_folder

BENCHMARK = typer.Option(help="What to score on.")


def evaluate(
    samples: Annotated[
        Path,
        typer.Option(
            help="Lines of JSON: task_id with solution or completion; or a folder of .py files."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for results.jsonl and summary.json.")],
    benchmark: Annotated[BenchmarkName | None, BENCHMARK] = None,
    problems: Annotated[
        Path | None, typer.Option(help="Your own problems, instead: docs/FORMATS.md.")
    ] = None,
    data: Data = None,
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
    split: SplitOption = BigCodeBenchSplit.COMPLETE,
    subset: Subset = BigCodeBenchSubset.FULL,
    since: Since = None,
    until: Until = None,
    release: Release = LATEST_RELEASE,
    rules: Annotated[
        LiveCodeBenchRules, typer.Option(help="How LiveCodeBench programs are run.")
    ] = LiveCodeBenchRules.STRICT,
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
    memory_gib: Annotated[
        float | None, typer.Option(help="GiB a program may hold, in place of the benchmark's own.")
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
    options = SuiteOptions(
        benchmark,
        own_problems(problems),
        data,
        split=split,
        subset=subset,
        libraries=libraries,
        since=since.date() if since else None,
        until=until.date() if until else None,
        release=release,
        rules=rules,
        base_only=base_only,
        seconds=seconds,
        reference_factor=reference_factor,
        memory_gib=memory_gib,
    )
    cache = cache_folder()
    run = SampleRun(
        samples=samples,
        out=out,
        cache=cache,
        workers=workers or os.cpu_count() or 1,
        skip_invalid=skip_invalid,
        answers=answers,
        tasks=tasks,
        official_results=official_results,
    )
    if problems is not None and official_results:
        raise InputError("--official-results is for benchmarks only", remedy="Leave it out")
    if not skip_invalid:
        check_samples(samples, options.prefix, answers=answers)
    summary, files = score_file(options.open(cache), run)
    for line in summary_lines(summary, answers=answers):
        typer.echo(line)
    for path in (out / RESULTS, out / SUMMARY, *files):
        typer.echo(path)


def sanitize(
    benchmark: Annotated[BenchmarkName, BENCHMARK],
    samples: Annotated[Path, typer.Option(help="Lines of JSON: task_id with an answer.")],
    out: Annotated[Path, typer.Option(help="File for the programs: task_id and solution.")],
    data: Data = None,
) -> None:
    """Take the programs out of models' answers as `evaluate --answers` does, and show them."""
    options = SuiteOptions(benchmark, data=data)
    check_samples(samples, options.prefix, answers=True)
    suite = options.open(cache_folder())
    for text in sanitize_file(suite, samples, out):
        typer.echo(text)
    typer.echo(out)


def own_problems(file: Path | None) -> OwnProblems | None:
    """The problems of a file, judged as the settings have it; None where there is no file."""
    if file is None:
        return None
    from iterpref_assets.settings import load_settings

    settings = load_settings()
    return OwnProblems(file, settings.prompts, settings.limits, settings.packages)
