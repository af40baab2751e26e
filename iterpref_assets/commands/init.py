"""`iterpref init`: a working project of one's own, to be changed line by line."""

from __future__ import annotations

import shlex
import shutil
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from iterpref_assets.core.starter import Model, write_project

WORKSPACE = Path(__file__).parents[2] / "workspace.yaml"
"""What Dagster's servers load, in the checkout that this is installed from."""


class ModelKind(StrEnum):
    """Where the model that writes programs comes from."""

    LAB = "lab"
    LOCAL = "local"
    HUB = "hub"
    SERVER = "server"


def init(
    folder: Annotated[Path, typer.Argument(help="A folder that does not exist yet.")],
    model: Annotated[
        ModelKind, typer.Option(help="Where the model that writes programs comes from.")
    ] = ModelKind.LAB,
    name: Annotated[
        str, typer.Option(help="local: its folder; hub: OWNER/NAME@COMMIT; server: its name there.")
    ] = "",
    url: Annotated[
        str, typer.Option(help="server: its address, up to and including /v1.")
    ] = "http://localhost:8000/v1",
) -> None:
    """Write a project: settings with comments, three problems, a held-out one."""
    settings = write_project(folder, Model(model.value, name, url))
    iterpref = _program("iterpref")
    place = shlex.quote(str(settings.resolve()))
    home = shlex.quote(str(folder.resolve() / "data" / "dagster"))
    typer.echo(
        f"{settings}\n{folder / 'problems'}: replace these problems by yours\n\n"
        f"{iterpref} settings check --settings {place}\n"
        f"{iterpref} run --settings {place} --until codeflow_pairs\n\n"
        "This ends at the pairs; without --until it trains and scores, too.\n\n"
        "The UI, then at http://127.0.0.1:3000:\n"
        f"{iterpref} prepare --settings {place}\n"
        f"ITERPREF_SETTINGS={place} DAGSTER_HOME={home} {_program('dagster')} dev "
        f"-w {shlex.quote(str(WORKSPACE))}"
    )


def _program(name: str) -> str:
    """How a shell calls a program of this environment: by its path where PATH finds another."""
    ours = Path(sys.executable).with_name(name)
    found = shutil.which(name)
    return name if found and Path(found) == ours else shlex.quote(str(ours))
