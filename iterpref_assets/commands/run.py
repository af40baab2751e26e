"""`iterpref run` and `iterpref prepare`: the whole chain from a shell."""

from __future__ import annotations

import logging
import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.panel import Panel

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.core.errors import INTERRUPTED
from iterpref_assets.settings import Settings, load_settings
from iterpref_assets.steps.reports import SUMMARY_FILE

PAIRS = "codeflow_pairs"
DAGSTER_YAML = Path(__file__).parents[1] / "dagster.yaml"

_log = logging.getLogger("iterpref")


def run(
    until: Annotated[
        str | None,
        typer.Option(
            metavar="ASSET",
            help="Stop when this asset is there, as codeflow_pairs: nothing is trained.",
        ),
    ] = None,
) -> None:
    """Materialize the whole chain, reusing what is current, and print the summary."""
    settings = load_settings()
    from iterpref_assets.phases import phases

    planned = list(phases(settings, until))
    _prepare(settings)
    import dagster as dg

    from iterpref_assets.runner import load_definitions, materialize_chain, open_instance

    try:
        with open_instance() as instance:
            materialize_chain(load_definitions(), instance, settings, planned)
    except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError):
        _log.warning("interrupted: iterpref run goes on where this run stopped")
        raise typer.Exit(INTERRUPTED) from None
    if any(PAIRS in phase.assets for phase in planned):
        print_problems(settings)
    if until is None:
        print_summary(settings)
    else:
        print_places(settings, until)


def prepare() -> None:
    """Make Dagster's home, register the shards, and end runs of a shell that was killed."""
    settings = load_settings()
    _prepare(settings)
    import dagster as dg

    from iterpref_assets.runner import register_shards, release_dead_runs

    with dg.DagsterInstance.get() as instance:
        register_shards(instance, settings)
        release_dead_runs(instance)


def _prepare(settings: Settings) -> None:
    shown = logging.StreamHandler(sys.stderr)
    shown.addFilter(is_no_interruption)
    logging.basicConfig(handlers=[shown], format="%(asctime)s  %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("iterpref").setLevel(logging.INFO)
    home = Path(os.environ.get("DAGSTER_HOME", settings.root / "dagster")).resolve()
    os.environ["DAGSTER_HOME"] = str(home)  # Dagster takes no relative one
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "dagster.yaml").exists():
        shutil.copy(DAGSTER_YAML, home / "dagster.yaml")


def is_no_interruption(record: logging.LogRecord) -> bool:
    """Whether a line of the log tells of anything but Ctrl-C, which libraries log with a stack."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, KeyboardInterrupt)


def print_places(settings: Settings, asset: str) -> None:
    """Print where an asset's current artifacts lie, and the folder of their pages."""
    from iterpref_assets.steps.chain import step_of
    from iterpref_assets.steps.pages import PAGES
    from iterpref_assets.steps.partitions import partitions_of

    step, store = step_of(asset), ArtifactStore(settings.root)
    for partition in partitions_of(step.partitioning, settings):
        typer.echo(store.current(ArtifactKey(asset, partition)).folder)
    if (pages := settings.root / PAGES / asset).is_dir():
        typer.echo(f"pages: {pages}")


def print_problems(settings: Settings) -> None:
    """Print how many pairs problems have, and why some have none; many are counted."""
    from iterpref_assets.core.pairs.by_problem import SHOWN, told
    from iterpref_assets.steps.by_problem import problems_of_shards
    from iterpref_assets.steps.pairs import pair_files

    store, shards = ArtifactStore(settings.root), settings.seeds.shards()
    for line in told(problems_of_shards(store, shards, pair_files(store, shards)), SHOWN):
        typer.echo(line)


def print_summary(settings: Settings) -> None:
    """Print each base model's summary."""
    store, console = ArtifactStore(settings.root), Console()
    for name in settings.base_models:
        report = store.current(ArtifactKey("experiment_reports", name))
        text = report.path(SUMMARY_FILE).read_text(encoding="utf-8").rstrip()
        console.print(Panel(text, title=f"base model {name}", title_align="left", expand=False))
        console.print(f"report: {report.path('report.md')}", soft_wrap=True)
