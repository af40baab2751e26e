"""Reading a line of JSON, and why it is not the record that it should be, in its writer's words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from iterpref_assets.core.errors import InputError


def parse_json(text: str | bytes) -> Any:
    """The value that `text` holds.

    Raises:
        ValueError: where it is no JSON, or nested deeper than Python reads.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None


def line_error(
    error: ValidationError,
    record: type[BaseModel],
    line: str | bytes,
    *,
    file: Path,
    number: int,
    remedy: str,
) -> InputError:
    """What validating `line` as a `record` found wrong first, a misspelt field before all.

    A misspelt field is a missing one too, so what it may have meant is told instead. The place is
    written as the line has it, without the names of the kinds that were tried.
    """
    if line.lstrip()[:1] in ("[", b"["):
        return InputError(
            "a JSON array, where each line has to be one JSON object",
            file=file,
            line=number,
            remedy=f"Write one object a line, as this does: jq -c '.[]' {file.name}",
        )
    first = _first(error.errors(), known := _fields(record))
    place = _place(first["loc"], _parsed(line))
    problem = first["msg"]
    match first["type"]:
        case "missing":
            problem = "missing"
        case "string_type":
            problem = f"{first['input']!r:.60} is no text: put it in quotes"
        case "extra_forbidden":
            problem = "unknown field"
            meant = get_close_matches(str(place[-1]), known, n=2)
            remedy = f"Did you mean {' or '.join(meant)}? {remedy}" if meant else remedy
        case "union_tag_invalid" | "union_tag_not_found":
            told = first.get("ctx", {})
            place = (*place, told["discriminator"].strip("'"))
            expected = told.get("expected_tags")
            problem = f"not one of {expected}" if expected else "missing"
        case _:  # pydantic's own words
            pass
    field = ".".join(map(str, place)) or None
    return InputError(problem, file=file, line=number, field=field, remedy=remedy)


def _first(found: Sequence[ErrorDetails], known: frozenset[str]) -> ErrorDetails:
    """A field that no record has, or else what comes first.

    Each kind that was tried refuses the fields of the others, which says nothing.
    """
    unknown = [each for each in found if each["type"] == "extra_forbidden"]
    misspelt = [each for each in unknown if each["loc"][-1] not in known]
    return [*misspelt, *(each for each in found if each not in unknown), *unknown][0]


@cache
def _fields(record: type[BaseModel]) -> frozenset[str]:
    """The fields of a record and of those within it."""
    schema = record.model_json_schema()
    models = [schema, *schema.get("$defs", {}).values()]
    return frozenset(name for model in models for name in model.get("properties", {}))


def _parsed(line: str | bytes) -> Any:
    try:
        return parse_json(line)
    except ValueError:
        return None


def _place(location: Sequence[str | int], value: Any) -> tuple[str | int, ...]:
    """A location without the parts that name a kind: those that lead nowhere within `value`."""
    place: list[str | int] = []
    for number, part in enumerate(location):
        if isinstance(value, list) and isinstance(part, int):
            value = cast("list[Any]", value)[part]
        elif isinstance(value, dict) and part in value:
            value = cast("dict[Any, Any]", value)[part]
        elif number < len(location) - 1:
            continue
        place.append(part)
    return tuple(place)
