"""The generator: the model that writes and debugs programs, and where its answers are kept."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core import tables
from iterpref_assets.core.answer_log import failures_in
from iterpref_assets.core.artifacts import Plan
from iterpref_assets.core.conversations import Prompts
from iterpref_assets.core.engines.config import (
    OpenAIConfig,
    ReplayConfig,
    engine_identity,
    gpus_of,
)
from iterpref_assets.settings import HubModel, LabModel, LocalModel, RemoteModel, Settings
from iterpref_assets.steps.models import model_folder, model_identity
from iterpref_assets.steps.step import StepContext

COMPLETIONS_FILE = "completions.parquet"


def generator_identity(settings: Settings) -> dict[str, JsonValue]:
    """What its completions depend on besides what it is asked."""
    return {
        "engine": engine_identity(settings.engine),
        "generator": _generator(settings),
        "prompts": generator_prompts(settings).identity(),
    }


def _generator(settings: Settings) -> dict[str, JsonValue]:
    """Who answers: a model with weights, or a server and a model's name there."""
    source, engine = settings.generator, settings.engine
    identity = model_identity(source)
    if isinstance(source, RemoteModel) and isinstance(engine, OpenAIConfig):
        identity["server"] = source.server or engine.base_url
    return identity


def generator_prompts(settings: Settings) -> Prompts:
    """What the generator is asked."""
    return Prompts(settings.prompts_for(settings.generator))


def generator_gpus(settings: Settings) -> int:
    """How many GPUs its engine computes on."""
    return gpus_of(settings.engine)


def generator_location(context: StepContext) -> Path | str:
    """What the engine loads, or the model's name where a server or a recording answers."""
    source = context.settings.generator
    if isinstance(source, RemoteModel):
        return source.model
    if not isinstance(context.settings.engine, OpenAIConfig | ReplayConfig):
        return model_folder(context.store, source)
    match source:
        case HubModel(repository=repository):
            return repository
        case LocalModel(path=path):
            return path
        case LabModel():
            return source.source


def publish_completions(context: StepContext, plan: Plan, completions: pl.DataFrame) -> None:
    """Publish what the generator answered, tables.COMPLETIONS."""
    with context.store.publishing(plan) as staging:
        tables.write_table(completions, tables.COMPLETIONS, staging.folder / COMPLETIONS_FILE)
        staging.row_count = completions.height
        staging.figures["calls_without_an_answer"] = failures_in(completions)
