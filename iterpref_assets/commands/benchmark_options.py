"""Options that choose a benchmark's tasks, for the commands that ask and that score them."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from iterpref_assets.core.evaluation.bigcodebench.data import BigCodeBenchSplit, BigCodeBenchSubset
from iterpref_assets.core.evaluation.livecodebench.data import LATEST_RELEASE

Data: TypeAlias = Annotated[
    Path | None, typer.Option(help="The benchmark's file; its official source if not given.")
]
Split: TypeAlias = Annotated[
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
