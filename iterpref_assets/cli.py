"""The `iterpref` console script: one command per job, each usable without Dagster's UI."""

from __future__ import annotations

import sys

import typer

from iterpref_assets.commands.backfill import backfill
from iterpref_assets.commands.evaluate import evaluate
from iterpref_assets.commands.pairs import export, pairs
from iterpref_assets.commands.provenance import provenance
from iterpref_assets.commands.run import prepare, run
from iterpref_assets.commands.train import train
from iterpref_assets.core.errors import InputError

app = typer.Typer(
    help="Focal preference learning for code LLMs from iterative debugging.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for command in (run, prepare, backfill, pairs, export, provenance, train, evaluate):
    app.command()(command)


def main() -> None:
    """Run a command; bad input is one line on stderr and exit status 2."""
    try:
        app()
    except InputError as error:
        print(f"iterpref: {error}", file=sys.stderr)  # noqa: T201
        raise SystemExit(2) from None
