"""`iterpref train`: one training run without Dagster."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from iterpref_assets.commands.pairs import tokens_beside
from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.training.config import TrainConfig
from iterpref_assets.core.training.failures import TrainingError
from iterpref_assets.core.training.recipes import RECIPE_NAMES, recipe_named


def train(
    pairs: Annotated[
        Path, typer.Option(help="Pair table of `iterpref pairs`, in the tokens of --model.")
    ],
    model: Annotated[Path, typer.Option(help="Folder of the base model and its tokenizer.")],
    recipe: Annotated[str, typer.Option(help=f"One of: {', '.join(RECIPE_NAMES)}.")],
    out: Annotated[Path, typer.Option(help="Folder for the trained model.")],
    config: Annotated[
        Path | None, typer.Option(help="JSON file of training options; the 7B defaults without.")
    ] = None,
) -> None:
    """Train a model on pairs; run again after an interruption to resume.

    Unfinished work lies in OUT.work and is removed at the end.
    """
    chosen = recipe_named(recipe)
    options = read_config(config)
    tokens = tokens_beside(pairs)
    tokenized = tables.read_table(tokens if tokens.is_file() else pairs, tables.TOKENIZED_PAIRS)
    logging.basicConfig(level=logging.INFO, format="%(message)s")

    from iterpref_assets.core.training.reference import compute_reference_logprobs
    from iterpref_assets.core.training.trainer import train as run
    from iterpref_assets.core.training.workdir import model_digest

    work = out.with_name(f"{out.name}.work")
    reference = None
    if chosen.needs_reference:
        reference = compute_reference_logprobs(
            tokenized, model, options, work / f"reference-{model_digest(model)}"
        )
    try:
        outcome = run(
            tokenized,
            reference,
            model_dir=model,
            recipe=chosen,
            config=options,
            out_dir=out,
            work_dir=work / "training",
            on_metrics=lambda _: None,
        )
    except TrainingError as error:
        typer.echo(f"iterpref: {error}", err=True)
        raise typer.Exit(1) from None
    shutil.rmtree(work)
    for name, value in outcome.figures.items():
        typer.echo(f"{name.replace('_', ' ')}: {value:.4g}")
    typer.echo(f"model: {out}")


def read_config(file: Path | None) -> TrainConfig:
    """The options of a JSON file, or the defaults without one.

    Raises:
        InputError: where the file is missing, or names an unknown option or a value out of range.
    """
    if file is None:
        return TrainConfig()
    try:
        return TrainConfig.model_validate_json(file.read_bytes())
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}", file=file, remedy="Give a JSON file of options"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(
            first["msg"],
            file=file,
            field=".".join(str(part) for part in first["loc"]) or None,
            remedy=f"Options are: {', '.join(TrainConfig.model_fields)}",
        ) from None
