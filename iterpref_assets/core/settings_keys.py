"""Every key that a settings model knows, with the words of its fields.

A key is written as in a settings file, `debugging.max_rounds`. Where a section comes in kinds
(`engine.kind`), each kind has keys of its own; the name of an entry that the user chooses is NAME.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from difflib import get_close_matches
from enum import Enum
from functools import cache
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

NAME = "NAME"
REQUIRED = object()
"""The default of a key that must be set."""

_JSON = TypeAdapter[Any](Any)
_CONSTRAINTS = {
    "gt": "above {}",
    "ge": "at least {}",
    "lt": "below {}",
    "le": "at most {}",
    "min_length": "length {} or more",
    "pattern": "matching {}",
}
_TYPES = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path"}


@dataclass(frozen=True, slots=True)
class Key:
    """One key.

    Attributes:
        path: the key as a settings file writes it.
        kind: the kinds that its sections must have, such as `engine.kind = "vllm"`.
        owner: the model or dataclass that the field belongs to.
        values: what it may be, in words.
        default: its value where nothing sets it, as JSON; REQUIRED where there is none.
        description: what it is for.
        is_section: whether it holds keys itself.
        location: the path as pydantic's errors give it: sections that come in kinds name theirs.
        choices: the values it may have, each with its words; () where they are not counted.
        names_kind: whether it says which kind its section is of.
    """

    path: str
    kind: str
    owner: type
    values: str
    default: Any
    description: str
    is_section: bool
    location: tuple[str, ...]
    choices: tuple[tuple[str, str], ...] = ()
    names_kind: bool = False

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2]

    @property
    def is_list(self) -> bool:
        """Whether its value is a list."""
        return self.values.startswith("list of ")

    @property
    def is_json(self) -> bool:
        """Whether a variable has to write it as JSON."""
        return self.is_section or self.is_list or f" for each {NAME}" in self.values


def keys_of(model: type[BaseModel]) -> list[Key]:
    """Every key of a settings model, each section before what it holds."""
    return list(_walk(model, None, (), "", ()))


def nearest(location: Sequence[str | int], known: Sequence[Key]) -> list[str]:
    """The keys that someone may have meant who wrote one that is not known, best first.

    `location` is where pydantic found it. Only keys of the same section are offered.
    """
    *section, name = map(str, location)
    beside = [each for each in known if _is_in(each, section)]
    close = get_close_matches(name, [each.name for each in beside], n=3, cutoff=0.5)
    others = [each for each in beside if not each.names_kind] or beside
    return [".".join([*_shown(section, others), match]) for match in dict.fromkeys(close)]


def written(location: Sequence[str | int], known: Sequence[Key]) -> str:
    """A place that pydantic names, as a settings file writes it: without the kinds of sections."""
    for key in known:
        pairs = list(zip(key.location, map(str, location), strict=False))
        if len(key.location) == len(location) and all(a in (NAME, b) for a, b in pairs):
            names = iter([mine for theirs, mine in pairs if theirs == NAME])
            return ".".join(next(names) if part == NAME else part for part in key.path.split("."))
    return ".".join(map(str, location))


def _is_in(key: Key, section: Sequence[str]) -> bool:
    parent = key.location[:-1]
    if key.names_kind:  # the kind that its section has anyway, or seems to have, names the section
        section = section[: len(parent)]
    return len(parent) == len(section) and all(
        mine in (NAME, theirs) for mine, theirs in zip(parent, section, strict=True)
    )


def _shown(section: Sequence[str], beside: Sequence[Key]) -> list[str]:
    """The section as a settings file writes it: without the kinds, with the user's own names."""
    if not beside:
        return [*section]
    parent, path = beside[0].location[:-1], beside[0].path.split(".")[:-1]
    shown: list[str] = []
    for mine, theirs in zip(parent, section, strict=False):
        if len(shown) < len(path) and path[len(shown)] == mine:
            shown.append(theirs)
    return shown


def _walk(
    owner: type,
    defaults: object,
    path: tuple[str, ...],
    kind: str,
    location: tuple[str, ...],
) -> Iterator[Key]:
    """The keys of one section, whose values where nothing sets them are those of `defaults`."""
    for name, info in _fields(owner).items():
        if _is_constant(info.annotation):
            continue
        default = getattr(defaults, name) if defaults is not None else _default(info)
        sections = list(_sections(info.annotation, (*path, name), kind, (*location, name)))
        yield Key(
            path=".".join((*path, name)),
            kind=kind,
            owner=owner,
            values=_values(info),
            default=default if default is REQUIRED else _JSON.dump_python(default, mode="json"),
            description=info.description or "",
            is_section=bool(sections),
            location=(*location, name),
            choices=_choices(info.annotation),
        )
        yield from _kind_key(sections, (*path, name), kind, (*location, name), default)
        for inner, inner_path, inner_kind, inner_location in sections:
            given = default if isinstance(default, inner) else None
            yield from _walk(inner, given, inner_path, inner_kind, inner_location)


def _kind_key(
    sections: Sequence[tuple[type, tuple[str, ...], str, tuple[str, ...]]],
    path: tuple[str, ...],
    kind: str,
    location: tuple[str, ...],
    default: Any,
) -> Iterator[Key]:
    """The key that names the kind of a section which comes in kinds."""
    tags = {tag: inner for inner, *_ in sections if (tag := _tag(inner))}
    if not tags:
        return
    inner_path = sections[0][1]
    (name,) = {field for field, _ in tags}
    yield Key(
        path=".".join((*inner_path, name)),
        kind=kind,
        owner=next(iter(tags.values())),
        values=" or ".join(f'"{value}"' for _, value in tags),
        default=str(getattr(default, name, "")) or REQUIRED,
        description=f"Which kind of {path[-1]}",
        is_section=False,
        location=(*location, *inner_path[len(path) :], name),
        choices=tuple((value, _first_paragraph(inner)) for (_, value), inner in tags.items()),
        names_kind=True,
    )


def _choices(annotation: Any) -> tuple[tuple[str, str], ...]:
    """The values of an enumeration that a field holds one or a list of, with their words."""
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        words = _words(annotation)
        return tuple((str(each.value), words.get(each.name, "")) for each in annotation)
    return next(filter(None, map(_choices, get_args(annotation))), ())


@cache
def _words(enumeration: type[Enum]) -> dict[str, str]:
    """What follows each member in the source, as text of its own."""
    (definition,) = ast.parse(dedent(inspect.getsource(enumeration))).body
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    return {
        member.targets[0].id: " ".join(text.value.value.split())
        for member, text in pairwise(body)
        if isinstance(member, ast.Assign)
        and isinstance(member.targets[0], ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def _first_paragraph(owner: type) -> str:
    return " ".join(inspect.cleandoc(owner.__doc__ or "").partition("\n\n")[0].split())


def _fields(owner: type) -> dict[str, FieldInfo]:
    if issubclass(owner, BaseModel):
        return dict(owner.model_fields)
    hints = get_type_hints(owner, include_extras=True)
    return {
        each.name: FieldInfo.from_annotated_attribute(hints[each.name], each.default)
        for each in fields(owner)
    }


def _default(info: FieldInfo) -> Any:
    return REQUIRED if info.is_required() else info.get_default()


def _is_constant(annotation: Any) -> bool:
    """Whether a field can have one value alone, as the one that names a section's kind."""
    return get_origin(annotation) is Literal and len(get_args(annotation)) == 1


def _sections(
    annotation: Any, path: tuple[str, ...], kind: str, location: tuple[str, ...]
) -> Iterator[tuple[type, tuple[str, ...], str, tuple[str, ...]]]:
    """The models that a field may hold, each with its path, kind and location.

    A list of sections is left out: its elements are written like a section told of elsewhere.
    """
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _sections(get_args(annotation)[0], path, kind, location)
    elif origin in (Union, UnionType):
        yield from _alternatives(annotation, path, kind, location)
    elif origin is dict:
        entry = get_args(annotation)[1]
        yield from _sections(entry, (*path, NAME), kind, (*location, NAME))
    elif isinstance(annotation, type) and _is_section(annotation):
        yield annotation, path, kind, location


def _alternatives(
    annotation: Any, path: tuple[str, ...], kind: str, location: tuple[str, ...]
) -> Iterator[tuple[type, tuple[str, ...], str, tuple[str, ...]]]:
    for choice in get_args(annotation):
        for inner, inner_path, inner_kind, inner_location in _sections(
            choice, path, kind, location
        ):
            tag = _tag(inner)
            if tag is None:
                yield inner, inner_path, inner_kind, inner_location
            else:
                said = f'{".".join(path)}.{tag[0]} = "{tag[1]}"'
                yield inner, path, f"{kind}, {said}" if kind else said, (*location, tag[1])


def _is_section(annotation: type) -> bool:
    return issubclass(annotation, BaseModel) or is_dataclass(annotation)


def _tag(owner: type) -> tuple[str, str] | None:
    """The field that tells a section's kind, and the kind."""
    for name, info in _fields(owner).items():
        if _is_constant(info.annotation):
            return name, str(get_args(info.annotation)[0])
    return None


def _values(info: FieldInfo) -> str:
    """What a field may be, in words."""
    limits = [
        _CONSTRAINTS[name].format(getattr(each, name))
        for each in info.metadata
        for name in _CONSTRAINTS
        if getattr(each, name, None) is not None
    ]
    return ", ".join([_type(info.annotation), *limits])


def _type(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        names = [_type(each) for each in arguments if each is not NoneType]
        return " or ".join([*dict.fromkeys(names), *(["unset"] if NoneType in arguments else [])])
    if origin is Literal:
        return " or ".join(f'"{each}"' for each in arguments)
    if origin is dict:
        return f"{_type(arguments[1])} for each {NAME}"
    if origin in (Annotated, tuple):
        return f"list of {_type(arguments[0])}" if origin is tuple else _type(arguments[0])
    return _class(annotation) if isinstance(annotation, type) else "anything"


def _class(annotation: type) -> str:
    if issubclass(annotation, Enum):
        return " or ".join(f'"{each.value}"' for each in annotation)
    return "section" if _is_section(annotation) else _TYPES.get(annotation, annotation.__name__)
