"""`iterpref settings`: what holds and where it comes from, what a key is for, the schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from iterpref_assets.core.files import replace_text
from iterpref_assets.core.formats_page import formats_page
from iterpref_assets.core.settings_page import explanation, settings_page
from iterpref_assets.core.starter import EXAMPLE
from iterpref_assets.settings import Settings, load_settings
from iterpref_assets.settings_origins import values_of

settings = typer.Typer(no_args_is_help=True, help="Show, check and explain the settings.")


@settings.command()
def show(
    changed: Annotated[
        bool, typer.Option("--changed", help="Only what a variable or the file sets.")
    ] = False,
) -> None:
    """Print every value that holds, with where it comes from; the output is a settings file."""
    for value in values_of(load_settings()):
        if not changed or value.origin != "default":
            typer.echo(value.line)


@settings.command()
def check() -> None:
    """Look at paths, models, servers, libraries and the sandbox; exit status 1 where one fails."""
    from iterpref_assets.steps.preflight import findings

    failed = 0
    for finding in findings(load_settings()):
        failed += bool(finding.problem)
        said = f"FAILED  {finding.problem}" if finding.problem else f"ok      {finding.detail}"
        typer.echo(f"{finding.part:<24} {said}")
    if failed:
        raise typer.Exit(1)


@settings.command()
def explain(
    key: Annotated[str, typer.Argument(help="A key or a section: debugging.max_rounds")],
) -> None:
    """Tell what a key is for, what it may be and what it is where nothing sets it."""
    for line in explanation(Settings, key):
        typer.echo(line)


@settings.command()
def schema() -> None:
    """Print the settings' JSON Schema, by which editors complete and check a settings file."""
    typer.echo(json.dumps(Settings.model_json_schema(), indent=2))


@settings.command()
def doc(
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("docs/SETTINGS.md"),
) -> None:
    """Write the page that tells every setting."""
    replace_text(out, settings_page(Settings))


@settings.command()
def formats(
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("docs/FORMATS.md"),
) -> None:
    """Write the page that tells every file that goes in or out."""
    replace_text(out, formats_page(EXAMPLE))
