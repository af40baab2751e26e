"""Inputs of the lab's programs: edge cases by hand, then a seeded pool of 1,000 a walk."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

from iterpref_assets.core.lab.features import Walk
from iterpref_assets.core.randomness import derive_rng

POOL_SIZE = 1000

Arguments: TypeAlias = tuple[Any, ...]

_EDGES: dict[str, tuple[Arguments, ...]] = {
    "numbers": (([],), ([5],), ([0, 6],), ([-3, -8],), ([4, 4, 7, 7],)),
    "characters": (("",), ("a",), ("A1 b",), ("  ",), ("abBA",)),
    "words": (("",), ("a",), ("Egg egg",), ("  ",), ("noon on noon",)),
    "digits": ((0,), (7,), (-35,), (100,), (4477,)),
    "range": ((0, 0), (5, 4), (-4, 1), (3, 9), (10, 12)),
    "entries": (
        ({},), ({"a": 5},), ({"Bo": 0, "a": 6},), ({"kim": -3, "eve": -8},),
        ({"mo": 4, "al": 4, "ann": 7},),
    ),
}  # fmt: skip
"""Always among the tests: nothing, one element, zeros or blanks, negatives, repeats."""

_LETTERS = "aabbcdeeghilmnopstuABDEMO"
_CHARACTERS = _LETTERS + "  135-,"
_NAMES = ("a", "al", "bo", "mo", "ann", "eve", "kim", "Bo", "zoe", "dan", "noah", "otto", "liam")


def edge_inputs(walk: Walk) -> tuple[Arguments, ...]:
    """The edge cases of `walk`."""
    return _EDGES[walk.name]


@cache
def input_pool(walk_name: str) -> tuple[Arguments, ...]:
    """POOL_SIZE different inputs of a walk, its edge cases first; the same in every process."""
    rng, draw = derive_rng("lab inputs", walk_name), _DRAW[walk_name]
    pool = {repr(arguments): arguments for arguments in _EDGES[walk_name]}
    while len(pool) < POOL_SIZE:
        arguments = draw(rng)
        pool.setdefault(repr(arguments), arguments)
    return tuple(pool.values())


def _integer(rng: random.Random) -> int:
    return 0 if rng.random() < 0.06 else rng.randint(-6, 16)  # noqa: PLR2004


def _numbers(rng: random.Random) -> Arguments:
    numbers = [_integer(rng) for _ in range(rng.randint(2, 6))]
    if rng.random() < 0.3:  # noqa: PLR2004
        numbers.append(rng.choice(numbers))
    return (numbers,)


def _characters(rng: random.Random) -> Arguments:
    return ("".join(rng.choice(_CHARACTERS) for _ in range(rng.randint(2, 9))),)


def _words(rng: random.Random) -> Arguments:
    words = [_word(rng) for _ in range(rng.randint(1, 5))]
    if rng.random() < 0.3:  # noqa: PLR2004
        words.append(rng.choice(words))
    return (" ".join(words),)


def _word(rng: random.Random) -> str:
    half = "".join(rng.choice(_LETTERS) for _ in range(rng.randint(1, 3)))
    roll = rng.random()
    if roll < 0.2:  # noqa: PLR2004
        return half + half[::-1]
    return half if roll < 0.7 else half + "".join(rng.choice(_LETTERS) for _ in range(2))  # noqa: PLR2004


def _digits(rng: random.Random) -> Arguments:
    number = rng.randrange(10 ** rng.randint(2, 6))
    return (-number if rng.random() < 0.15 else number,)  # noqa: PLR2004


def _range(rng: random.Random) -> Arguments:
    low = rng.randint(-20, 60)
    return (low, low + rng.randint(-2, 12))


def _entries(rng: random.Random) -> Arguments:
    names = rng.sample(_NAMES, rng.randint(1, 5))
    return ({name: _integer(rng) for name in names},)


_DRAW: dict[str, Callable[[random.Random], Arguments]] = {
    "numbers": _numbers,
    "characters": _characters,
    "words": _words,
    "digits": _digits,
    "range": _range,
    "entries": _entries,
}
