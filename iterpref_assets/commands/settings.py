"""`iterpref settings`: what holds and where it comes from, what a key is for, the schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.formats_page import formats_page
from iterpref_assets.core.settings_keys import Key, keys_of, nearest
from iterpref_assets.core.settings_page import default_shown, settings_page
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
    known = keys_of(Settings)
    found = [each for each in known if each.path == key]
    if not found:
        meant = nearest(key.split("."), known) or sorted(
            {each.path.split(".")[0] for each in known}
        )
        raise InputError("unknown setting", field=key, remedy=f"Did you mean {' or '.join(meant)}?")
    for each in found:
        typer.echo("\n".join(_explained(each)))
        if each.is_section:
            inner = [k for k in known if k.path.rpartition(".")[0] == key and _follows(k, each)]
            for child in inner:
                kind = f" ({child.kind})" if child.kind != each.kind else ""
                typer.echo(f"  {child.path}: {child.description}{kind}")


@settings.command()
def schema() -> None:
    """Print the settings' JSON Schema, by which editors complete and check a settings file."""
    typer.echo(json.dumps(Settings.model_json_schema(), indent=2))


@settings.command()
def doc(
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("docs/SETTINGS.md"),
) -> None:
    """Write the page that tells every setting."""
    out.write_text(settings_page(Settings), encoding="utf-8")


@settings.command()
def formats(
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("docs/FORMATS.md"),
) -> None:
    """Write the page that tells every file that goes in or out."""
    out.write_text(formats_page(EXAMPLE), encoding="utf-8")


def _follows(child: Key, section: Key) -> bool:
    return child.kind.startswith(section.kind)


def _explained(key: Key) -> list[str]:
    lines = [f"{key.path}{f'  ({key.kind})' if key.kind else ''}", f"  {key.description}."]
    if key.is_section:
        return lines
    choices = [f"    {value}: {words}" for value, words in key.choices]
    variable = f"ITERPREF_{key.path.upper().replace('.', '__')}"
    return [
        *lines,
        f"  value: {key.values}",
        *choices,
        f"  default: {default_shown(key)}",
        f"  variable: {variable}",
    ]
