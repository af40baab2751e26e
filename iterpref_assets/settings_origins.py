"""Where each value of the settings comes from: a variable, the file, or the default."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_settings import EnvSettingsSource

from iterpref_assets.settings import SETTINGS_FILE, Settings, values_of_file

_BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Value:
    """One value: `path` as a settings file writes it, `origin` in words."""

    path: str
    value: Any
    origin: str

    @property
    def line(self) -> str:
        """A line of a settings file that sets this value; unset is a comment, TOML has no null."""
        if self.value is None:
            return f"# {self.path} is unset  ({self.origin})"
        return f"{self.path} = {_toml(self.value)}  # {self.origin}"


def values_of(settings: Settings) -> list[Value]:
    """Every value that holds, in the order of the settings' fields."""
    variables = dict(_leaves(EnvSettingsSource(Settings)()))
    file, in_file = os.environ.get(SETTINGS_FILE), dict(_leaves(values_of_file()))
    found: list[Value] = []
    for path, value in _leaves(settings.model_dump(mode="json")):
        origin = "default"
        if _sets(in_file, path):
            origin = str(file)
        if _sets(variables, path):
            origin = "environment"
        found.append(Value(".".join(_quoted(part) for part in path), value, origin))
    return found


def _sets(given: Mapping[tuple[str, ...], Any], path: tuple[str, ...]) -> bool:
    return any(path[: len(each)] == each for each in given)


def _leaves(values: Mapping[str, Any], at: tuple[str, ...] = ()) -> Iterator[tuple[Any, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, (*at, name))
        else:
            yield (*at, name), value


def _quoted(part: str) -> str:
    return part if _BARE.fullmatch(part) else json.dumps(part)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{_quoted(name)} = {_toml(each)}" for name, each in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list):
        return f"[{', '.join(_toml(each) for each in value)}]"
    return json.dumps(value, ensure_ascii=False)
