"""What a run may vary: a typed field for each setting of its asset's section, with its help."""

from __future__ import annotations

from enum import Enum
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import dagster as dg
from pydantic import BaseModel, Field, create_model

from iterpref_assets.core.settings_keys import Key, keys_of
from iterpref_assets.settings import Settings


class LaunchConfig(dg.Config, extra="forbid"):
    """What every asset's run may vary."""

    anew: bool = Field(
        default=False,
        description="Make what is published already of the same inputs again, instead of "
        "recording it.",
    )

    def overrides(self) -> dict[str, Any]:
        """The fields of the section that this run sets."""
        return _set_fields(self.model_dump(exclude={"anew"}))


@cache
def launch_config(section: str) -> type[LaunchConfig]:
    """The launch config of an asset that a section of the settings belongs to; "" is none."""
    if not section:
        return LaunchConfig
    model = Settings.model_fields[section].annotation
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise TypeError(f"{section} is no section of the settings")
    name = f"{model.__name__.removesuffix('Config')}LaunchConfig"
    return create_model(name, __base__=LaunchConfig, **_fields(model, section))


def _fields(model: type[BaseModel], path: str) -> dict[str, Any]:
    """A field for each of the model's: what is not set stays as the settings have it."""
    keys = _keys()
    found: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        key = keys[f"{path}.{name}"]
        # A type of Dagster's config has no limits of values: the settings check them.
        about = f"{key.description} ({key.values}). Unset: as the settings say."
        kind = _type(info.annotation, key.path)
        found[name] = (kind | None, Field(default=None, description=about))
    return found


@cache
def _keys() -> dict[str, Key]:
    return {key.path: key for key in keys_of(Settings)}


def _type(annotation: Any, path: str) -> Any:
    """The type of Dagster's config for a type of the settings."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0], path)
    if origin in (Union, UnionType):
        kinds = [each for each in arguments if each is not NoneType]
        # Sections that come in kinds have no one set of fields.
        return _type(kinds[0], path) if len(kinds) == 1 else dict[str, Any]
    if origin is tuple:
        return list[_type(arguments[0], path)]
    if issubclass(annotation, Enum):
        # Dagster takes an enum's member by its name, the settings by its value.
        return Enum(annotation.__name__, {each.value: each.value for each in annotation})
    if issubclass(annotation, BaseModel):
        fields = _fields(annotation, path)
        return create_model(f"{annotation.__name__}Launch", __base__=_Section, **fields)
    return str if issubclass(annotation, Path) else annotation


class _Section(dg.Config, extra="forbid"):
    """A section within a section."""


def _set_fields(values: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            found[name] = _set_fields(value)
        elif isinstance(value, Enum):
            found[name] = value.value
        elif value is not None:
            found[name] = value
    return found
