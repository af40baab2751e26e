"""Slips of the pen: the errors a model makes besides choosing a wrong feature."""

from __future__ import annotations

import random
import re

_NAME = re.compile(r"\b[a-z_]+\b")
_KEYWORDS = frozenset(("if", "for", "in", "not", "and", "is", "return", "break", "def"))


def damage_code(code: str, rng: random.Random) -> str:
    """`code` with one slip: a line left out, a name in place of another, or another title."""
    lines = code.split("\n")
    slip = rng.choice((_forget_line, _confuse_names, _confuse_names, _retitle))
    slip(lines, rng)
    return "\n".join(lines)


def _forget_line(lines: list[str], rng: random.Random) -> None:
    del lines[rng.randrange(1, len(lines))]


def _confuse_names(lines: list[str], rng: random.Random) -> None:
    number = rng.randrange(1, len(lines))
    found = [match for match in _NAME.finditer(lines[number]) if match[0] not in _KEYWORDS]
    if found:
        names = sorted(set(_NAME.findall("\n".join(lines))) - _KEYWORDS)
        match, line = rng.choice(found), lines[number]
        lines[number] = line[: match.start()] + rng.choice(names) + line[match.end() :]


def _retitle(lines: list[str], rng: random.Random) -> None:
    title = lines[0].removeprefix("def ").partition("(")[0]
    words = title.split("_")
    other = rng.choice((words[::-1], words[:1] * 2, [*words, "all"], words[-1:]))
    lines[0] = lines[0].replace(title, "_".join(other), 1)
