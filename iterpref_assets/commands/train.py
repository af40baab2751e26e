"""`iterpref train`: one training run without Dagster, by one process or by those of torchrun."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.pairs.token_files import tokens_of
from iterpref_assets.core.training.cards import CARDS, card_here, card_named
from iterpref_assets.core.training.checks import require_gpus
from iterpref_assets.core.training.config import (
    HeldoutConfig,
    Lora,
    Optimizer,
    Precision,
    Schedule,
    Sharding,
    TrainConfig,
    read_train_config,
)
from iterpref_assets.core.training.failures import TrainingError
from iterpref_assets.core.training.processes import processes_of, rank
from iterpref_assets.core.training.recipes import RECIPE_NAMES, Recipe, recipe_named


def _of(field: str, section: type[Any] = TrainConfig) -> Any:
    """The option that sets a field, in the field's own words."""
    return typer.Option(help=section.model_fields[field].description, show_default=False)


def train(
    pairs: Annotated[
        Path,
        typer.Option(
            help="Pair table of `iterpref pairs` or of preference_pairs, in the tokens of --model."
        ),
    ],
    model: Annotated[
        str,
        typer.Option(
            help="The base model with its tokenizer: a folder, OWNER/NAME or OWNER/NAME@COMMIT of "
            "the hub, or `lab`."
        ),
    ],
    recipe: Annotated[str, typer.Option(help=f"One of: {', '.join(RECIPE_NAMES)}.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the trained model; made whole at the end. Not for --plan."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            help="TOML file of options, as in the section `training` of the settings; without it "
            "the defaults for 7B. The options below go before it."
        ),
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Tell what the run needs, and train nothing.")
    ] = False,
    card: Annotated[
        str | None,
        typer.Option(help=f"Plan for one of: {', '.join(CARDS)}; for this machine without."),
    ] = None,
    learning_rate: Annotated[float | None, _of("learning_rate")] = None,
    epochs: Annotated[int | None, _of("epochs")] = None,
    batch_size: Annotated[int | None, _of("batch_size")] = None,
    micro_batch_size: Annotated[int | None, _of("micro_batch_size")] = None,
    beta: Annotated[float | None, _of("beta")] = None,
    alpha: Annotated[float | None, _of("alpha")] = None,
    max_length: Annotated[int | None, _of("max_length")] = None,
    warmup_ratio: Annotated[float | None, _of("warmup_ratio")] = None,
    schedule: Annotated[Schedule | None, _of("schedule")] = None,
    precision: Annotated[Precision | None, _of("precision")] = None,
    optimizer: Annotated[Optimizer | None, _of("optimizer")] = None,
    gradient_checkpointing: Annotated[bool | None, _of("gradient_checkpointing")] = None,
    lora_rank: Annotated[int | None, _of("rank", Lora)] = None,
    seed: Annotated[int | None, _of("seed")] = None,
    save_minutes: Annotated[float | None, _of("save_minutes")] = None,
    processes: Annotated[int | None, _of("processes")] = None,
    sharding: Annotated[Sharding | None, _of("sharding")] = None,
    heldout_share: Annotated[float | None, _of("share", HeldoutConfig)] = None,
    heldout_every: Annotated[int | None, _of("every", HeldoutConfig)] = None,
    patience: Annotated[int | None, _of("patience", HeldoutConfig)] = None,
    report_to: Annotated[list[str] | None, _of("report_to")] = None,
) -> None:
    """Train a model on pairs; run again after an interruption to resume.

    Unfinished work lies in OUT.work and is removed at the end. On several hosts, OUT has to be a
    folder that all of them see.
    """
    given = {
        "learning_rate": learning_rate,
        "epochs": epochs,
        "batch_size": batch_size,
        "micro_batch_size": micro_batch_size,
        "beta": beta,
        "alpha": alpha,
        "max_length": max_length,
        "warmup_ratio": warmup_ratio,
        "schedule": schedule,
        "precision": precision,
        "optimizer": optimizer,
        "gradient_checkpointing": gradient_checkpointing,
        "lora": _given({"rank": lora_rank}),
        "seed": seed,
        "save_minutes": save_minutes,
        "processes": processes,
        "sharding": sharding,
        "heldout": _given({"share": heldout_share, "every": heldout_every, "patience": patience}),
        "report_to": report_to,
    }
    named, options = recipe_named(recipe), read_train_config(config, _given(given))
    from iterpref_assets.core.training.standalone import prepared_run, train_standalone
    from iterpref_assets.steps.named_model import description_folder, named_model

    if plan:
        _plan(pairs, description_folder(model), named, options, card)
        return
    if out is None:
        raise InputError("there is no place for the model", field="--out", remedy="Give --out")
    logging.basicConfig(
        level=logging.INFO if rank() == 0 else logging.WARNING, format="%(message)s"
    )
    run = prepared_run(pairs, Path(model), named, options, out)
    source, folder = named_model(model)
    try:
        outcome = train_standalone(
            replace(run, model=folder, base_model=source.model_dump(mode="json"))
        )
    except TrainingError as error:
        typer.echo(f"iterpref: {error}", err=True)
        raise typer.Exit(1) from None
    if rank() != 0:
        return
    for name, value in outcome.figures.items():
        typer.echo(f"{name.replace('_', ' ')}: {value:.4g}")
    for name, link in outcome.links.items():
        typer.echo(f"{name}: {link}")
    typer.echo(f"model: {out}")


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """The options that a command line gave; of a section only where it gave one of its fields."""
    return {name: value for name, value in options.items() if value not in (None, {})}


def _plan(pairs: Path, model: Path, recipe: Recipe, options: TrainConfig, card: str | None) -> None:
    from iterpref_assets.core.training.plan import plan
    from iterpref_assets.core.training.plan_text import describe, times

    if card is None:
        require_gpus(options)
    made = plan(
        tables.read_table(tokens_of(pairs), tables.TOKENIZED_PAIRS),
        model,
        recipe,
        options,
        card_here(processes_of(options)) if card is None else card_named(card),
    )
    for line in [*describe(made), *times(made)]:
        typer.echo(line)
    made.require_fit()
