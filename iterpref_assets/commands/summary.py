"""The end of `iterpref run`: the figures that people look for, and where the report lies."""

from __future__ import annotations

from rich.console import Console
from rich.panel import Panel

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.settings import Settings
from iterpref_assets.steps.report import SUMMARY_FILE


def print_summary(settings: Settings) -> None:
    """Print each base model's summary."""
    store, console = ArtifactStore(settings.root), Console()
    for name in settings.base_models:
        report = store.current(ArtifactKey("experiment_reports", name))
        text = report.path(SUMMARY_FILE).read_text(encoding="utf-8").rstrip()
        console.print(Panel(text, title=f"base model {name}", title_align="left", expand=False))
        console.print(f"report: {report.path('report.md')}", soft_wrap=True)
