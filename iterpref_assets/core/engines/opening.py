"""From settings to an engine; only the chosen engine's packages are imported."""

from __future__ import annotations

from pathlib import Path

from iterpref_assets.core.engines.config import (
    EngineConfig,
    OpenAIConfig,
    ReplayConfig,
    TransformersConfig,
)
from iterpref_assets.core.engines.protocol import Engine


def open_engine(config: EngineConfig, model: Path | str) -> Engine:
    """The engine that `config` describes, to be used with `async with`.

    `model` is a checkpoint's folder or a hub name; replay needs none and ignores it. A model is
    loaded at the first request, so work that turns out to be finished never waits for it.

    Raises:
        InputError: where `model` is an absolute path that holds no checkpoint, or a recorded
            table is missing or malformed.
    """
    if isinstance(config, ReplayConfig):
        from iterpref_assets.core.engines.replay import ReplayEngine

        return ReplayEngine(config)
    if isinstance(config, OpenAIConfig):
        from iterpref_assets.core.engines.openai_server import OpenAIEngine

        return OpenAIEngine(config, model)
    from iterpref_assets.core.engines.checkpoint import require_checkpoint
    from iterpref_assets.core.engines.threaded import ThreadedEngine

    require_checkpoint(model)
    if isinstance(config, TransformersConfig):
        from iterpref_assets.core.engines.transformers_backend import TransformersBackend, describe

        return ThreadedEngine(describe(config, model), lambda: TransformersBackend(config, model))
    from iterpref_assets.core.engines.vllm_backend import VllmBackend, describe

    return ThreadedEngine(describe(config, model), lambda: VllmBackend(config, model))
