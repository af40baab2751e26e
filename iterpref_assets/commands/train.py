"""`iterpref train`: one training run without Dagster, by one process or by those of torchrun."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from iterpref_assets.core import tables
from iterpref_assets.core.pairs.making import tokens_beside
from iterpref_assets.core.training.cards import CARDS, card_here, card_named
from iterpref_assets.core.training.config import TrainConfig, read_train_config
from iterpref_assets.core.training.failures import TrainingError
from iterpref_assets.core.training.processes import processes_of, rank
from iterpref_assets.core.training.recipes import RECIPE_NAMES, recipe_named


def train(
    pairs: Annotated[
        Path, typer.Option(help="Pair table of `iterpref pairs`, in the tokens of --model.")
    ],
    model: Annotated[Path, typer.Option(help="Folder of the base model and its tokenizer.")],
    recipe: Annotated[str, typer.Option(help=f"One of: {', '.join(RECIPE_NAMES)}.")],
    out: Annotated[Path, typer.Option(help="Folder for the trained model; made whole at the end.")],
    config: Annotated[
        Path | None, typer.Option(help="TOML file of training options; the 7B defaults without.")
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Tell what the run needs, and train nothing.")
    ] = False,
    card: Annotated[
        str | None,
        typer.Option(help=f"Plan for one of: {', '.join(CARDS)}; for this machine without."),
    ] = None,
) -> None:
    """Train a model on pairs; run again after an interruption to resume.

    Unfinished work lies in OUT.work and is removed at the end. On several hosts, OUT has to be a
    folder that all of them see.
    """
    if plan:
        _plan(pairs, model, recipe, read_train_config(config), card)
        return
    from iterpref_assets.core.training.standalone import prepared_run, train_standalone

    logging.basicConfig(
        level=logging.INFO if rank() == 0 else logging.WARNING, format="%(message)s"
    )
    named = recipe_named(recipe)
    run = prepared_run(pairs, model, named, read_train_config(config), out)
    try:
        figures = train_standalone(run)
    except TrainingError as error:
        typer.echo(f"iterpref: {error}", err=True)
        raise typer.Exit(1) from None
    if rank() != 0:
        return
    for name, value in figures.items():
        typer.echo(f"{name.replace('_', ' ')}: {value:.4g}")
    typer.echo(f"model: {out}")


def _plan(pairs: Path, model: Path, recipe: str, options: TrainConfig, card: str | None) -> None:
    from iterpref_assets.core.training.plan import plan
    from iterpref_assets.core.training.plan_text import describe

    beside = tokens_beside(pairs)
    made = plan(
        tables.read_table(beside if beside.is_file() else pairs, tables.TOKENIZED_PAIRS),
        model,
        recipe_named(recipe),
        options,
        card_here(processes_of(options)) if card is None else card_named(card),
    )
    for line in describe(made):
        typer.echo(line)
    made.require_fit()
