"""The kinds of feature a lab program is composed of, each with its wording and its code.

A program goes through the elements of its input (`Walk`) in some way (`Loop`), keeps some of them
(`predicate`), changes those (`mapping`) and puts the results together (`Reduction`); a `Guard` may
answer some inputs at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Kind(StrEnum):
    """What a program takes: the top of the feature tree."""

    LIST = "list"
    STRING = "string"
    NUMBER = "number"
    DICT = "dict"


class Sense(IntEnum):
    """What of a sequence a reduction can tell apart; each level includes those before it."""

    SET = 0
    """Which values occur."""
    BAG = 1
    """How often each occurs."""
    ORDER = 2
    """In which order."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A predicate or a mapping of one element, `code` being over the element's variable.

    Attributes:
        unsigned: for a predicate, that it keeps no negative number; for a mapping, that it would
            leave such numbers unchanged, so that the two do not go together.
    """

    name: str
    phrases: tuple[str, ...]
    code: str
    unsigned: bool = False


@dataclass(frozen=True, slots=True)
class Loop:
    """How the elements are gone through.

    Attributes:
        iterable: code over the parameters.
        stop: condition on the element that ends the loop, or empty.
        sense: the least sense a reduction needs to notice this loop.
    """

    name: str
    phrases: tuple[str, ...]
    iterable: str
    stop: str = ""
    sense: Sense = Sense.SET


@dataclass(frozen=True, slots=True)
class Reduction:
    """How the results are put together; `{y}` in `update` is the mapped element.

    Attributes:
        start, update, result: code before the loop, for each kept element, and to return.
        returns: the type of the result.
        mapped: whether the mapped element matters; where not, the program has no mapping.
    """

    name: str
    phrases: tuple[str, ...]
    start: tuple[str, ...]
    update: tuple[str, ...]
    result: str
    returns: str
    sense: Sense
    mapped: bool = True


@dataclass(frozen=True, slots=True)
class Guard:
    """An input answered at once; `condition` is code over the parameters, empty for no guard."""

    name: str
    phrases: tuple[str, ...]
    condition: str


@dataclass(frozen=True, slots=True)
class Walk:
    """A subtree of the feature tree: one way to go through one kind of input.

    Attributes:
        parameters: the names its parameters may have, as alternatives; code and phrases call the
            first `{p}` and the second, where there is one, `{q}`.
        type: the declared type of each parameter.
        openings: how a statement may begin.
        target: the loop's variable or variables.
        element: what statements call the elements.
        nouns: what function names call the input.
    """

    kind: Kind
    name: str
    parameters: tuple[tuple[str, ...], ...]
    type: str
    openings: tuple[str, ...]
    target: str
    element: str
    nouns: tuple[str, ...]
    guards: tuple[Guard, ...]
    loops: tuple[Loop, ...]
    predicates: tuple[Expression, ...]
    mappings: tuple[Expression, ...]
    reductions: tuple[Reduction, ...]
