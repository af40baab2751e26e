"""The model that a command asks for samples: the engine, the model's source, how it is asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue, TypeAdapter, ValidationError

from iterpref_assets.core.conversations import PromptConfig, Prompts
from iterpref_assets.core.engines.config import EngineConfig, EngineKind, OpenAIConfig
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.tasks import PromptStyle, style_of
from iterpref_assets.settings import GeneratorSource, RemoteModel, Settings
from iterpref_assets.steps.models import model_identity
from iterpref_assets.steps.named_model import named_model

if TYPE_CHECKING:
    from iterpref_assets.core.evaluation.suite import Suite

_ENGINE = TypeAdapter[EngineConfig](EngineConfig)
_OF_ONE_SERVER = ("api_key_env", "extra_body")


def asked_engine(settings: Settings, kind: EngineKind | None, url: str | None) -> EngineConfig:
    """The engine of this kind as the settings have it; its defaults where they have none.

    Args:
        settings: `engine` and `evaluation_engine` count.
        kind: None for a server where `url` is given, else for that of `evaluation_engine`.
        url: a server's address in place of the settings'.

    Raises:
        InputError: where `url` is given for another kind, or the kind needs more than its defaults.
    """
    known = {each.kind: each for each in (settings.engine, settings.evaluation_engine)}
    wanted = kind or (EngineKind.OPENAI if url is not None else settings.evaluation_engine.kind)
    if url is not None and wanted is not EngineKind.OPENAI:
        raise InputError(f"--url is for a server, not for {wanted}", remedy="Leave out --engine")
    values = known[wanted].model_dump() if wanted in known else {"kind": wanted}
    if wanted is EngineKind.OPENAI:
        values = _asked_by_name(values, url)
    try:
        return _ENGINE.validate_python(values)
    except ValidationError as error:
        raise InputError.of_record(
            error, remedy=f"Set it in the section engine of the settings, with kind {wanted}"
        ) from None


def _asked_by_name(values: dict[str, Any], url: str | None) -> dict[str, Any]:
    """A server's settings for the model that --model names, at --url where that is given.

    The key and the body's fields are for the server of the settings: no other one is sent them.
    """
    moved = url is not None and values.get("base_url") != url
    kept = {name: each for name, each in values.items() if not (moved and name in _OF_ONE_SERVER)}
    return kept | {"served_model": None} | ({} if url is None else {"base_url": url})


def asked_model(name: str, engine: EngineConfig) -> tuple[GeneratorSource, Path | str]:
    """Where a model comes from, and what the engine opens: its folder, or its name on a server.

    Raises:
        InputError: where there is no such model; a server is not asked.
    """
    if isinstance(engine, OpenAIConfig):
        return RemoteModel(model=name, server=engine.base_url), name
    return named_model(name)


def asked_style(weights: Path | str, *, as_base: bool) -> PromptStyle:
    """How a model is asked for a benchmark: as a base model, or in a chat.

    Raises:
        InputError: where a server is to be asked as a base model.
    """
    if isinstance(weights, Path):
        return style_of(weights, as_base=as_base)
    if as_base:
        raise InputError("a server answers chats alone", field="--base", remedy="Leave it out")
    return PromptStyle.CHAT


def answers_identity(
    suite: Suite, source: GeneratorSource, asked: PromptConfig | PromptStyle
) -> dict[str, JsonValue]:
    """What answers depend on besides engine and sampling."""
    return {
        "model": model_identity(source),
        "data": suite.facts.source.model_dump(),
        "asked": asked.value if isinstance(asked, PromptStyle) else Prompts(asked).identity(),
    }
