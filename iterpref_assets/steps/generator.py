"""The generator: the model that writes and debugs programs, and where its answers are kept."""

from __future__ import annotations

from pathlib import Path

from pydantic import JsonValue

from iterpref_assets.core.engines.config import OpenAIConfig, ReplayConfig
from iterpref_assets.core.prompts import PROMPT_VERSION
from iterpref_assets.settings import HubModel, Settings
from iterpref_assets.steps.models import model_folder, model_identity
from iterpref_assets.steps.step import StepContext

COMPLETIONS_FILE = "completions.parquet"


def generator_identity(settings: Settings) -> dict[str, JsonValue]:
    """What its completions depend on besides what it is asked."""
    return {
        "engine": settings.section("engine"),
        "generator": model_identity(settings.generator),
        "prompts": PROMPT_VERSION,
    }


def generator_location(context: StepContext) -> Path | str:
    """What the engine loads: nothing where a server or recorded completions answer."""
    settings = context.settings
    if isinstance(settings.engine, OpenAIConfig | ReplayConfig):
        source = settings.generator
        return source.repository if isinstance(source, HubModel) else source.source
    return model_folder(context.store, settings.generator)
