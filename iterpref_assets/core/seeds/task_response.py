"""Reading a task that a generator wrote: statement, signature, examples and tags."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from iterpref_assets.core.seeds.faults import Fault, MalformedError
from iterpref_assets.core.syntax import parse

_SECTIONS = ("task", "signature", "examples", "tags")


@dataclass(frozen=True, slots=True)
class WrittenTask:
    """One task; `entry_point` is the name of the function in `signature`."""

    statement: str
    signature: str
    entry_point: str
    examples: str
    tags: tuple[str, ...]


def read_task(response: str) -> WrittenTask:
    """The task in a response of the form that templates/feature_task.md asks for.

    Raises:
        MalformedError: naming the first fault.
    """
    if not response.strip():
        raise MalformedError(Fault.EMPTY)
    statement, signature, examples, tags = (_section(response, name) for name in _SECTIONS)
    return WrittenTask(
        statement=statement,
        signature=signature,
        entry_point=_function_name(signature),
        examples=examples,
        tags=tuple(tag.strip() for tag in tags.split(",") if tag.strip()),
    )


def _section(response: str, name: str) -> str:
    found = re.findall(rf"<{name}>(.*?)</{name}>", response, re.DOTALL)
    if not found or not found[0].strip():
        raise MalformedError(Fault.MISSING_SECTION, name)
    if len(found) > 1:
        raise MalformedError(Fault.REPEATED_SECTION, name)
    return found[0].strip()


def _function_name(signature: str) -> str:
    tree = parse(f"{signature} pass")
    match tree.body if tree else []:
        case [ast.FunctionDef(name=name)]:
            return name
        case _:
            raise MalformedError(Fault.BAD_SIGNATURE, signature)
