"""`iterpref train`: one training run without Dagster, by one process or by those of torchrun."""

from __future__ import annotations

import logging
import tomllib
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from pydantic import ValidationError

from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.pairs.making import tokens_beside
from iterpref_assets.core.training.cards import CARDS, card_here, card_named
from iterpref_assets.core.training.checks import require_runnable
from iterpref_assets.core.training.config import TrainConfig
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
    chosen = recipe_named(recipe)
    options = read_config(config)
    chosen = chosen.with_strengths(options.beta, options.alpha)
    if plan:
        _plan(pairs, model, recipe, options, card)
        return
    require_runnable(options, processes_of(options))
    if out.exists():
        raise InputError(
            "exists already", file=out, field="out", remedy="Remove it, or give another folder"
        )
    tokens = _tokens(pairs)
    _require_trainable(pairs, tokens)
    logging.basicConfig(
        level=logging.INFO if rank() == 0 else logging.WARNING, format="%(message)s"
    )
    from iterpref_assets.core.training.standalone import Run, train_standalone

    try:
        figures = train_standalone(Run(tokens, model, chosen, options, out))
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

    made = plan(
        tables.read_table(_tokens(pairs), tables.TOKENIZED_PAIRS),
        model,
        recipe_named(recipe),
        options,
        card_here(processes_of(options)) if card is None else card_named(card),
    )
    for line in describe(made):
        typer.echo(line)
    made.require_fit()


def _tokens(pairs: Path) -> Path:
    beside = tokens_beside(pairs)
    return beside if beside.is_file() else pairs


def _require_trainable(pairs: Path, tokens: Path) -> None:
    from iterpref_assets.core.pairs.manifest import require_trainable

    tables.check_table(tokens, tables.TOKENIZED_PAIRS)
    require_trainable(pairs, pl.read_parquet(tokens, columns=["pair_id"])["pair_id"])


def read_config(file: Path | None) -> TrainConfig:
    """The options of a TOML file, or the defaults without one.

    Raises:
        InputError: where the file is missing, is not TOML, or names an unknown option or a value
            out of range.
    """
    if file is None:
        return TrainConfig()
    try:
        return TrainConfig.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}", file=file, remedy="Give a TOML file of options"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(str(error), file=file, remedy="Give a TOML file of options") from None
    except ValidationError as error:
        raise InputError.of_record(
            error,
            file=file,
            remedy=f"Options are: {', '.join(TrainConfig.model_fields)}",
        ) from None
