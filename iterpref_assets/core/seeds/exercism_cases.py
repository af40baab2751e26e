"""exercism's canonical cases as Python calls: names, arguments, types, and what cannot be told."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from iterpref_assets.core.seeds.reading import Unusable

_RANDOM = "random"
_LAMBDA = re.compile(r"^\s*(fn\s*)?\(.*\)\s*[-=]>", re.DOTALL)
_FORMULA = re.compile(r"(pi|ln\(\d+\))(/\d+)?\Z")
_COMPARISON = re.compile(r"\w+ (===?|[<>]=) ")
_HEADING = re.compile(r"\A# .*\n+")
_LINK_TARGET = re.compile(r"^\[[^\]]+\]: .*\n?", re.MULTILINE)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Canonical:
    """One case: the property of the exercise, its inputs by name, and what is expected of it."""

    prop: str
    description: str
    inputs: dict[str, Any]
    expected: Any
    scenarios: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its inputs, sorted: their order may differ from case to case."""
        return tuple(sorted(self.inputs))

    def arguments(self, names: Sequence[str]) -> tuple[Any, ...]:
        """The inputs of these names, in this order."""
        return tuple(self.inputs[name] for name in names)

    @property
    def is_error(self) -> bool:
        """Whether an error is expected, whatever its message."""
        return isinstance(self.expected, dict) and set(self.expected) == {"error"}

    @property
    def has_formula(self) -> bool:
        """Whether an input or the result is a formula or a comparison, written as text."""
        results = () if self.is_error else _leaves(self.expected)
        return any(
            isinstance(leaf, str) and pattern.match(leaf)
            for pattern, leaves in ((_FORMULA, _leaves(self.inputs)), (_COMPARISON, results))
            for leaf in leaves
        )

    def fault(self) -> Unusable | None:
        """Why this case is no call with a certain result, if it is none."""
        if _RANDOM in self.scenarios:
            return Unusable.RANDOM
        if any(isinstance(leaf, str) and _LAMBDA.match(leaf) for leaf in _leaves(self.inputs)):
            return Unusable.FUNCTION_ARGUMENT
        if any(isinstance(leaf, float) for leaf in _leaves(self.expected)):
            return Unusable.INEXACT
        return None


@dataclass(frozen=True, slots=True)
class Signature:
    """A Python function: its name, its first line, and its inputs as exercism names them."""

    name: str
    text: str
    inputs: tuple[str, ...]


def canonical_cases(data: dict[str, Any]) -> list[Canonical]:
    """All cases of the nested groups in canonical data, without those that others replace."""
    rows = list(_flattened(data["cases"]))
    replaced = {row["reimplements"] for row in rows if "reimplements" in row}
    return [
        Canonical(
            prop=row["property"],
            description=row["description"],
            inputs=row["input"],
            expected=row["expected"],
            scenarios=tuple(row.get("scenarios", ())),
        )
        for row in rows
        if row["uuid"] not in replaced
    ]


def _flattened(cases: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for case in cases:
        if "cases" in case:
            yield from _flattened(case["cases"])
        else:
            yield case


def signature_for(cases: Sequence[Canonical]) -> Signature:
    """The Python function that `cases`, which have the same inputs, call.

    Its parameters are in the order of the first case's inputs.
    """
    name, inputs = python_name(cases[0].prop), tuple(cases[0].inputs)
    parameters = [
        f"{python_name(each)}{_annotation(': ', [case.inputs[each] for case in cases])}"
        for each in inputs
    ]
    returns = _annotation(" -> ", [case.expected for case in cases if not case.is_error])
    return Signature(name, f"def {name}({', '.join(parameters)}){returns}:", inputs)


def python_name(name: str) -> str:
    """A camelCase name as Python writes it; one that Python has taken gets an underscore."""
    snake = re.sub(r"\W", "_", _HUMP.sub("_", name)).lower()
    return f"{snake}_" if keyword.iskeyword(snake) or hasattr(builtins, snake) else snake


def _annotation(before: str, values: Sequence[Any]) -> str:
    """The annotation that fits all values, empty where they are of several kinds."""
    kinds = {_kind(value) for value in values}
    optional = "None" in kinds and len(kinds) > 1
    kinds -= {"None"} if optional else set()
    if len(kinds) != 1:
        lists = all(kind.startswith("list") for kind in kinds)
        return f"{before}list" if lists and kinds and not optional else ""
    return f"{before}{kinds.pop()}{' | None' if optional else ''}"


def _kind(value: Any) -> str:
    if isinstance(value, list):
        kinds = {_kind(member) for member in value}
        return f"list[{kinds.pop()}]" if len(kinds) == 1 else "list"
    return "None" if value is None else type(value).__name__


def shown_case(signature: Signature, case: Canonical) -> str:
    """A case as an example in a prompt."""
    arguments = ", ".join(repr(argument) for argument in case.arguments(signature.inputs))
    return f"{signature.name}({arguments}) == {case.expected!r}"


def statement_of(parts: Sequence[str]) -> str:
    """The exercise's text without top headings and link targets."""
    texts = [_LINK_TARGET.sub("", _HEADING.sub("", part.strip() + "\n")).strip() for part in parts]
    return "\n\n".join(texts)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for member in value.values():
            yield from _leaves(member)
    elif isinstance(value, list):
        for member in value:
            yield from _leaves(member)
    else:
        yield value
