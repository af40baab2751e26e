"""`iterpref experiment`: train and score the experiment's grid, and keep what came of it."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from iterpref_assets.core.errors import SandboxError
from iterpref_assets.core.experiment.arms import ARMS, QUICK, arm_named
from iterpref_assets.core.training.failures import TrainingError
from iterpref_assets.settings import load_settings

experiment = typer.Typer(
    no_args_is_help=True,
    help="Train and score the arms of the experiment, and record the results.",
)

Arms = Annotated[
    list[str] | None,
    typer.Argument(help="Arms to compare; none given means those of the paper's headline."),
]
Seeds = Annotated[int, typer.Option("--seeds", min=1, help="Seeds to train each arm with.")]
AtOnce = Annotated[
    int,
    typer.Option(
        "--at-once",
        min=1,
        help="Models to train or score at once, by as many processes; each gets a GPU of its own "
        "while there are some, or its share of the CPUs. Processes that share a GPU take turns.",
    ),
]
RECORDED = Path("measurements/results/experiment")
"""A folder of tables for each base model, named like it."""


@experiment.command()
def run(arms: Arms = None, seeds: Seeds = 2, at_once: AtOnce = 1) -> None:
    """Make what is missing of the grid: pairs, models at every rate, scores at the best one."""
    from iterpref_assets.grid import Grid, make_grid
    from iterpref_assets.side_by_side import LOG, ProcessLostError

    logging.basicConfig(stream=sys.stderr, **LOG)
    logging.getLogger("iterpref").setLevel(logging.INFO)
    try:
        make_grid(load_settings(), Grid(tuple(map(arm_named, arms or QUICK)), seeds, at_once))
    except (ProcessLostError, SandboxError, TrainingError) as error:
        typer.echo(f"iterpref: {error}", err=True)
        raise typer.Exit(1) from None


@experiment.command(name="arms")
def list_arms() -> None:
    """List the arms that there are."""
    for arm in ARMS:
        options = arm.model_dump(mode="json", exclude={"name", "recipe"}, exclude_defaults=True)
        said = ", ".join(f"{name} {value}" for name, value in options.items())
        typer.echo(f"{arm.name:<28}{arm.recipe}{f', {said}' if said else ''}")


@experiment.command()
def export(
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder of the tables, named like the base model; "
            f"unset: {RECORDED}/<experiment.base_model>.",
        ),
    ] = None,
    programs: Annotated[
        bool,
        typer.Option(
            "--programs",
            help="Write the debugged programs instead, for another machine to make pairs of "
            "(experiment.recorded).",
        ),
    ] = False,
) -> None:
    """Write the tables of every cell that still stands: scores, cells and curves."""
    from iterpref_assets.exporting import export_grid
    from iterpref_assets.exporting_recorded import write_programs
    from iterpref_assets.steps.experiment import sizes

    settings = load_settings()
    folder = out or RECORDED / sizes(settings).base_model
    for path in (write_programs if programs else export_grid)(settings, folder):
        typer.echo(path)


@experiment.command()
def render(
    results: Annotated[
        Path, typer.Option("--results", help="Folder with a folder of tables for each base model.")
    ] = RECORDED,
    page: Annotated[Path, typer.Option("--page", help="Where the page goes.")] = Path(
        "docs/EXPERIMENT.md"
    ),
) -> None:
    """Write the page of every base model's recorded results, and the figures beside it."""
    from iterpref_assets.core.experiment.page import write_page

    write_page(results, page)
    typer.echo(page)
