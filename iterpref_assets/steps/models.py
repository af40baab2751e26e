"""Models: the lab's own, and the base models that are trained and scored."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue

from iterpref_assets.core.artifacts import (
    MANIFEST,
    UNPARTITIONED,
    ArtifactKey,
    ArtifactStore,
    Plan,
)
from iterpref_assets.core.digests import file_sha256
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.lab.shipped import pretrained_dir
from iterpref_assets.settings import (
    GeneratorSource,
    HubModel,
    LabModel,
    LocalModel,
    ModelSource,
    Settings,
)
from iterpref_assets.steps.partitions import Partitioning, base_model_of
from iterpref_assets.steps.step import Parent, Step, StepContext

LAB_BASE_MODEL_KEY = ArtifactKey("lab_base_model")
MODEL_FILE = "model.json"
_DESCRIPTION = ("*.json", "*.txt", "*.jinja")
"""Files of a model's configuration and tokenizer."""
_MODEL_SUFFIXES = {".safetensors", ".json", ".txt", ".jinja"}
"""Of the files that a model is made of: weights, configuration, tokenizer, chat template."""


def if_lab(source: GeneratorSource) -> tuple[str, ...]:
    """The partitions of `lab_base_model` that a model comes from: none unless it is the lab's."""
    return (UNPARTITIONED,) if isinstance(source, LabModel) else ()


def model_folder(store: ArtifactStore, source: ModelSource) -> Path:
    """The folder that a model's weights and tokenizer lie in; a hub model is fetched.

    Raises:
        InputError: where the folder is missing or holds no safetensors weights.
    """
    if isinstance(source, LabModel):
        return store.current(LAB_BASE_MODEL_KEY).folder
    return weights_folder(source)


def weights_folder(source: LocalModel | HubModel) -> Path:
    """The folder of weights that no artifact holds; raises as `model_folder`."""
    if isinstance(source, LocalModel):
        return _checked(source.path)
    return hub_snapshot(source.repository, source.revision)


def hub_snapshot(repository: str, revision: str) -> Path:
    """The folder of a hub model at a commit, a branch or a tag, fetched; it is named by the commit.

    Raises:
        InputError: where the hub does not give it, or it holds no safetensors weights.
    """
    return _checked(_fetched(repository, revision, [*_DESCRIPTION, "*.safetensors"]))


def hub_description(repository: str, revision: str) -> Path:
    """As `hub_snapshot`, but configuration and tokenizer alone are fetched.

    Raises:
        InputError: where the hub does not give it.
    """
    return _fetched(repository, revision, _DESCRIPTION)


def _fetched(repository: str, revision: str, patterns: Sequence[str]) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        folder = snapshot_download(repository, revision=revision, allow_patterns=list(patterns))
    except (HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise not_given(repository, revision, error) from error
    return Path(folder)


def not_given(repository: str, revision: str, error: Exception) -> InputError:
    """What to tell, in one line, where the hub does not give a model."""
    reason = str(error).partition("\n")[0].rstrip(".")
    return InputError(
        f"the hub did not give {repository} at revision {revision}: {reason}",
        remedy="Check the names, the network and HF_TOKEN; or give a folder that holds the model",
    )


def model_identity(source: GeneratorSource) -> dict[str, JsonValue]:
    """What a plan records of a model: its source, and of a local folder the model's files in it.

    Sizes and times of change stand for the weights, which are too large to hash for every plan;
    `base_models` records their hashes.
    """
    identity: dict[str, JsonValue] = source.model_dump(mode="json")
    if isinstance(source, LocalModel):
        identity["files"] = [
            [path.name, path.stat().st_size, path.stat().st_mtime_ns]
            for path in _model_files(_checked(source.path))
        ]
    return identity


def base_model_folder(settings: Settings, store: ArtifactStore, name: str) -> Path:
    """The folder of one of the settings' base models.

    Raises:
        InputError: where it is another model than `base_models` recorded. What is made of it names
            that record alone as its parent, so other weights would go by the same fingerprint.
    """
    plan = BASE_MODELS.plan(StepContext(settings, store), name)
    if store.reusable(plan) is None:
        raise InputError(
            "is not, or no longer, the model that base_models recorded",
            field=f"base_models.{name}",
            remedy=f"Materialize base_models (partition {name}), then what is made of it",
        )
    return model_folder(store, base_model_source(settings, name))


def base_model_source(settings: Settings, name: str) -> ModelSource:
    """Where a base model comes from.

    Raises:
        InputError: where the settings do not name it.
    """
    if name not in settings.base_models:
        raise InputError(
            f"unknown base model {name!r}",
            field="base_models",
            remedy=f"Use one of {', '.join(settings.base_models)} or add it to the settings",
        )
    return settings.base_models[name]


def _checked(folder: Path) -> Path:
    if not any(folder.glob("*.safetensors")):
        raise InputError(
            "no safetensors weights",
            file=folder,
            remedy="Point it at a model folder; convert other weights with save_pretrained",
        )
    return folder


def _model_files(folder: Path) -> list[Path]:
    """The files that the model of a folder is made of; a README, say, is none of them."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix in _MODEL_SUFFIXES and path.name != MANIFEST and path.is_file()
    )


def _lab_config(_context: StepContext, _partition: str) -> Mapping[str, JsonValue]:
    provenance = json.loads((pretrained_dir() / "provenance.json").read_text())
    return {"provenance": provenance}


def _lab_is_used(settings: Settings) -> bool:
    return LabModel() in (settings.generator, *settings.base_models.values())


def _config(context: StepContext, name: str) -> Mapping[str, JsonValue]:
    return {"model": model_identity(base_model_source(context.settings, name))}


def _publish_lab_base_model(context: StepContext, plans: Sequence[Plan]) -> None:
    for plan in plans:
        with context.store.publishing(plan) as staging:
            shutil.copytree(pretrained_dir(), staging.folder, dirs_exist_ok=True)


def _publish_base_models(context: StepContext, plans: Sequence[Plan]) -> None:
    for plan in plans:
        source = base_model_source(context.settings, plan.key.partition)
        with context.store.publishing(plan) as staging:
            folder = model_folder(context.store, source)
            description = {**source.model_dump(mode="json"), "files": {}}
            for path in _model_files(folder):
                description["files"][path.name] = file_sha256(path)
            (staging.folder / MODEL_FILE).write_text(json.dumps(description, indent=2))


LAB_BASE_MODEL = Step(
    asset="lab_base_model",
    partitioning=Partitioning.WHOLE,
    config=_lab_config,
    publish=_publish_lab_base_model,
    code_version="1",
    in_run=_lab_is_used,
)

LAB_GENERATOR = Parent(
    LAB_BASE_MODEL, is_read=lambda settings: isinstance(settings.generator, LabModel)
)
"""The generator, where it is the lab's."""

LAB_SOURCE = Parent(
    LAB_BASE_MODEL,
    lambda context, partition: if_lab(
        base_model_source(context.settings, base_model_of(partition))
    ),
)
"""The base model of a partition, where it is the lab's."""

BASE_MODELS = Step(
    asset="base_models",
    partitioning=Partitioning.BASE_MODEL,
    parents=(LAB_SOURCE,),
    config=_config,
    publish=_publish_base_models,
    code_version="1",
)
