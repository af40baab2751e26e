"""`iterpref run` and `iterpref prepare`: the whole chain from a shell."""

from __future__ import annotations

import logging
import os
import shutil
import sys
from pathlib import Path

import typer
from rich.console import Console
from rich.panel import Panel

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.settings import Settings, load_settings
from iterpref_assets.steps.reports import SUMMARY_FILE

INTERRUPTED = 130
"""The exit status of what Ctrl-C ended, as shells have it."""
DAGSTER_YAML = Path(__file__).parents[1] / "dagster.yaml"

_log = logging.getLogger("iterpref")


def run() -> None:
    """Materialize the whole chain, reusing what is current, and print the summary."""
    settings = _prepared()
    import dagster as dg

    from iterpref_assets.runner import load_definitions, materialize_chain, open_instance

    try:
        with open_instance() as instance:
            materialize_chain(load_definitions(), instance, settings)
    except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError):
        _log.warning("interrupted: iterpref run goes on where this run stopped")
        raise typer.Exit(INTERRUPTED) from None
    print_summary(settings)


def prepare() -> None:
    """Make Dagster's home, register the shards, and end runs of a shell that was killed."""
    settings = _prepared()
    import dagster as dg

    from iterpref_assets.runner import register_shards, release_dead_runs

    with dg.DagsterInstance.get() as instance:
        register_shards(instance, settings)
        release_dead_runs(instance)


def _prepared() -> Settings:
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s  %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("iterpref").setLevel(logging.INFO)
    settings = load_settings()
    home = Path(os.environ.setdefault("DAGSTER_HOME", str(settings.root.resolve() / "dagster")))
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "dagster.yaml").exists():
        shutil.copy(DAGSTER_YAML, home / "dagster.yaml")
    return settings


def print_summary(settings: Settings) -> None:
    """Print each base model's summary."""
    store, console = ArtifactStore(settings.root), Console()
    for name in settings.base_models:
        report = store.current(ArtifactKey("experiment_reports", name))
        text = report.path(SUMMARY_FILE).read_text(encoding="utf-8").rstrip()
        console.print(Panel(text, title=f"base model {name}", title_align="left", expand=False))
        console.print(f"report: {report.path('report.md')}", soft_wrap=True)
