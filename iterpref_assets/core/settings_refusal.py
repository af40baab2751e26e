"""What is wrong with settings, in one message that names the variable or the file to correct."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.settings_keys import NAME, Key, nearest, written

KNOWN_SETTINGS = "docs/SETTINGS.md lists the settings; so does: iterpref settings show"

_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")


def refusal(
    error: ValidationError, known: Sequence[Key], place: str, variables: str | None
) -> InputError:
    """What is wrong, an unknown key first: a misspelt key that must be set is missing as well.

    Args:
        error: of the settings' validation.
        known: every key there is.
        place: what set the values, for the message.
        variables: how names of variables begin that may have set one; None where none may.
    """
    found = error.errors()
    unknown = [each for each in found if each["type"] in _UNKNOWN]
    first = (unknown or found)[0]
    location = first["loc"]
    field, problem = written(location, known), first["msg"]
    meant: list[str] = []
    said = first.get("ctx", {})
    explained = _explained(field, known)
    remedy = f"See: iterpref settings explain {explained}" if explained else KNOWN_SETTINGS
    match first["type"]:
        case "model_type" | "model_attributes_type" | "dataclass_type" | "dict_type":
            problem = f"{first['input']!r} is no section"
        case "tuple_type":
            problem = f"{first['input']!r} is no list"
        case "extra_forbidden" | "unexpected_keyword_argument":
            problem, meant, remedy = "unknown setting", nearest(location, known), KNOWN_SETTINGS
        case "union_tag_invalid":
            kind = said["discriminator"].strip("'")
            location, field = (*location, kind), f"{field}.{kind}"
            # A member of an enumeration stands there as <EngineKind.VLLM: 'vllm'>.
            tags = re.findall(r"'([^']+)'", said["expected_tags"])
            problem = f"{said['tag']!r} is none of {', '.join(tags)}"
            meant = get_close_matches(said["tag"], tags, n=1)
        case "union_tag_not_found":
            key = f"{field}.{said['discriminator']}".replace("'", "")
            remedy = f"Set {key}; iterpref settings explain tells its values"
        case "missing":
            problem = "not set"
        case _:  # what pydantic says is clear
            pass
    if meant:
        remedy = f"Did you mean {' or '.join(meant)}?"
    variable = _variable_of(location, variables) if variables and location else None
    return InputError(problem, file=variable or place, field=field or None, remedy=remedy)


def _explained(field: str, known: Sequence[Key]) -> str:
    """The key that a place is, or the section or list that holds it; "" where there is none."""
    paths = {key.path for key in known}
    while field and field not in paths:
        field = field.rpartition(".")[0]
    return field


def refuse_broken_json(known: Sequence[Key], prefix: str) -> None:
    """Refuse a variable of a section or a list that is no JSON.

    pydantic-settings names the field at best, and reads the text of some as a value.

    Args:
        known: every key there is.
        prefix: how names of variables begin.

    Raises:
        InputError: naming the variable.
    """
    for name in sorted(each for each in os.environ if each.upper().startswith(prefix)):
        path = name[len(prefix) :].lower().split("__")
        keys = [key for key in known if _is_at(key, path)]
        if not keys or not all(key.is_json for key in keys):
            continue
        try:
            json.loads(os.environ[name])
        except json.JSONDecodeError as error:
            raise InputError(
                f"{os.environ[name]!r} is no JSON ({error.msg}, character {error.pos + 1})",
                file=name,
                field=".".join(path),
                remedy=_how_to_write(keys[0], known, prefix),
            ) from None


def _is_at(key: Key, path: Sequence[str]) -> bool:
    parts = key.path.split(".")
    return len(parts) == len(path) and all(
        mine in (NAME, theirs) for mine, theirs in zip(parts, path, strict=True)
    )


def _how_to_write(key: Key, known: Sequence[Key], prefix: str) -> str:
    """An example of the JSON that a variable of `key` holds."""
    if key.is_list:
        numbers = "number" in key.values
        default = key.default if isinstance(key.default, list) else None
        example = json.dumps(default or ([1, 2] if numbers else ["one", "two"]))
        return f"Write a list as {example}, in single quotes for the shell"
    remedy = "Write a JSON object, in single quotes for the shell"
    for inner in known:
        if inner.path.startswith(f"{key.path}.") and not inner.is_section:
            variable = prefix + inner.path.upper().replace(".", "__")
            return f"{remedy}, or set each key by a variable of its own, as {variable}"
    return remedy


def _variable_of(location: Sequence[int | str], prefix: str) -> str | None:
    """The variable that sets the key of an error, or whose JSON does; None where none does."""
    # A variable of the key itself goes before one of the section that holds it, as it does in
    # pydantic-settings.
    for name in sorted(os.environ, key=lambda each: (-each.count("__"), each)):
        if name.upper().startswith(prefix):
            inner = _within(location, name[len(prefix) :].lower().split("__"))
            if inner is not None and (not inner or _sets(os.environ[name], inner)):
                return name
    return None


def _within(location: Sequence[int | str], parts: Sequence[str]) -> Sequence[int | str] | None:
    """What is left of a location behind the parts of a variable's name; None where it is elsewhere.

    Of a key that comes in kinds the location names the kind too, which no variable does.
    """
    keys = [str(each).lower() for each in location]
    if keys[0] != parts[0]:
        return None
    place = 0
    for part in parts:
        if part not in keys[place:]:
            return None
        place = keys.index(part, place) + 1
    return location[place:]


def _sets(text: str, location: Sequence[int | str]) -> bool:
    """Whether the JSON of a variable holds a location, which names kinds that the JSON does not."""
    try:
        value: Any = json.loads(text)
    except ValueError:
        return False
    is_held = False
    for key in location:
        held: Any = dict(enumerate(value)) if isinstance(value, list) else value
        is_held = isinstance(held, dict) and key in held
        value = held[key] if is_held else value
    return is_held
