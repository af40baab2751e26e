"""The `iterpref` console script: one command per job, each usable without Dagster's UI."""

from __future__ import annotations

import sys
from importlib import import_module

import typer

from iterpref_assets.core.errors import InputError

COMMANDS = {
    "run": "run",
    "prepare": "run",
    "backfill": "backfill",
    "pairs": "pairs",
    "export": "pairs",
    "provenance": "provenance",
    "train": "train",
    "evaluate": "evaluate",
    "sanitize": "evaluate",
}
"""The module of `commands` that holds each command; only that of the one asked for is imported."""


def main() -> None:
    """Run a command; bad input is one line on stderr and exit status 2."""
    asked = sys.argv[1:2]
    app = _app(*asked) if asked and asked[0] in COMMANDS else _app(*COMMANDS)
    try:
        app()
    except InputError as error:
        print(f"iterpref: {error}", file=sys.stderr)  # noqa: T201
        raise SystemExit(2) from None


def _app(*names: str) -> typer.Typer:
    app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
    app.callback()(_about)  # also keeps a single command a command
    for name in names:
        module = import_module(f"iterpref_assets.commands.{COMMANDS[name]}")
        app.command(name)(getattr(module, name))
    return app


def _about() -> None:
    """Focal preference learning for code LLMs from iterative debugging."""
