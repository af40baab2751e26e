"""What a trained model's folder says of its making: of `iterpref train`, or of an asset."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iterpref_assets.core.artifacts import MANIFEST as ARTIFACT
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.training.recipes import Recipe, recipe_named

TRAINED = "training.json"
_NOT_PUBLISHED = {ARTIFACT, TRAINED, "README.md"}
"""Manifests name folders of this machine; the card tells what they hold."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """How a model was made.

    Attributes:
        recipe: with the strengths that it was trained with.
        base_model: where the base model comes from, in words; "" where it is not on record.
        repository: the base model's name on the hub, "" where it is none of the hub's.
        options: how it was trained, by field of TrainConfig.
        figures: at the end of training.
        made_of: digests of what it was made of, by name.
        trackers: where trackers keep the run, by their names.
        code_version: of this project, or of the asset's code.
    """

    recipe: Recipe
    base_model: str
    repository: str
    options: Mapping[str, Any]
    figures: Mapping[str, float]
    made_of: Mapping[str, str]
    trackers: Mapping[str, str]
    code_version: str


def read_facts(folder: Path) -> ModelFacts:
    """The facts of a model in a folder.

    Raises:
        InputError: where it holds no weights, or neither manifest.
    """
    if not any(folder.glob("*.safetensors")):
        raise InputError("no safetensors weights", file=folder, remedy="Give a trained model")
    if (folder / TRAINED).is_file():
        return _of_training(json.loads((folder / TRAINED).read_bytes()))
    if (folder / ARTIFACT).is_file():
        found = json.loads((folder / ARTIFACT).read_bytes())
        if found.get("asset") == "checkpoints":
            return _of_checkpoint(found)
    raise InputError(
        "does not say how it was made",
        file=folder,
        remedy=f"Give a folder of iterpref train (with {TRAINED}), or --checkpoint",
    )


def files_of(folder: Path) -> list[Path]:
    """The files of a model that are published."""
    return sorted(
        each for each in folder.iterdir() if each.is_file() and each.name not in _NOT_PUBLISHED
    )


def _of_training(found: Mapping[str, Any]) -> ModelFacts:
    recipe = recipe_named(found["recipe"]["name"]).with_strengths(
        found["config"]["beta"], found["config"]["alpha"]
    )
    base_model, repository = _source(found.get("base_model", {}))
    return ModelFacts(
        recipe=recipe,
        base_model=base_model,
        repository=repository,
        options=found["config"],
        figures=found["figures"],
        made_of={"base model": found["model_sha256"], "pairs": found["pairs_sha256"]},
        trackers=found.get("trackers", {}),
        code_version=f"iterpref-assets {found['code_version']}",
    )


def _of_checkpoint(found: Mapping[str, Any]) -> ModelFacts:
    options, recipe = found["config"]["training"], found["config"]["recipe"]
    base_model, repository = _source(found["config"]["base_model"])
    figures = found["figures"]
    return ModelFacts(
        recipe=recipe_named(
            # A checkpoint of before 27 November 2026 holds the name alone.
            recipe if isinstance(recipe, str) else recipe["name"],
            beta=options["beta"],
            alpha=options["alpha"],
        ),
        base_model=base_model,
        repository=repository,
        options=options,
        figures={name: each for name, each in figures.items() if isinstance(each, int | float)},
        made_of=found["upstream"],
        trackers=figures.get("trackers", {}),
        code_version=f"checkpoints {found['code_version']}",
    )


def _source(source: Mapping[str, Any]) -> tuple[str, str]:
    """A model's source in words, without folders of this machine, and its name on the hub."""
    match source.get("source"):
        case "hub":
            return f"{source['repository']} at {source['revision']}", source["repository"]
        case "local":
            return Path(source["path"]).name, ""
        case "lab":
            return "the lab's model of iterpref-assets", ""
        case _:
            return "", ""
