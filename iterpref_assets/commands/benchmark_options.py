"""Options that choose a benchmark's tasks, for the commands that ask and that score them."""

import shlex
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from iterpref_assets.core.evaluation.benchmark_config import BenchmarkName
from iterpref_assets.core.evaluation.bigcodebench.data import BigCodeBenchSplit, BigCodeBenchSubset
from iterpref_assets.core.evaluation.livecodebench.data import LATEST_RELEASE
from iterpref_assets.core.evaluation.suite_options import SuiteOptions

Data: TypeAlias = Annotated[
    Path | None, typer.Option(help="The benchmark's file; its official source if not given.")
]
SplitOption: TypeAlias = Annotated[
    BigCodeBenchSplit, typer.Option(help="How BigCodeBench tasks are asked.")
]
Subset: TypeAlias = Annotated[BigCodeBenchSubset, typer.Option(help="Which BigCodeBench tasks.")]
Since: TypeAlias = Annotated[
    datetime | None,
    typer.Option("--from", formats=["%Y-%m-%d"], help="First day of LiveCodeBench contests."),
]
Until: TypeAlias = Annotated[
    datetime | None,
    typer.Option("--to", formats=["%Y-%m-%d"], help="Last day of LiveCodeBench contests."),
]
Release: TypeAlias = Annotated[
    int, typer.Option(min=1, max=LATEST_RELEASE, help="LiveCodeBench's release, without --data.")
]


def evaluate_command(options: SuiteOptions, tasks: str, out: Path) -> str:
    """The command that scores the samples that the same options gave."""
    own, folder = options.problems, out.with_suffix("")
    what = ["--problems", str(own.file)] if own else ["--benchmark", str(options.benchmark)]
    what += ["--data", str(options.data)] if options.data else []
    if options.benchmark is BenchmarkName.BIGCODEBENCH:
        what += ["--split", options.split.value, "--subset", options.subset.value]
    what += ["--from", options.since.isoformat()] if options.since else []
    what += ["--to", options.until.isoformat()] if options.until else []
    what += ["--release", str(options.release)] if options.release != LATEST_RELEASE else []
    what += ["--tasks", tasks] if tasks else []
    return shlex.join(["iterpref", "evaluate", *what, "--samples", str(out), "--out", str(folder)])
