"""Slips of the pen: the errors a model makes besides choosing a wrong feature."""

from __future__ import annotations

import random
import re

_NAME = re.compile(r"\b[a-z_]+\b")
_KEYWORDS = frozenset(("if", "for", "in", "not", "and", "is", "return", "break", "def"))


def damage_code(code: str, rng: random.Random) -> str:
    """`code` with one line of its body left out, or one name in it put in place of another."""
    lines = code.split("\n")
    if rng.random() < 0.4:  # noqa: PLR2004
        del lines[rng.randrange(1, len(lines))]
        return "\n".join(lines)
    number = rng.randrange(1, len(lines))
    found = [match for match in _NAME.finditer(lines[number]) if match[0] not in _KEYWORDS]
    names = sorted(set(_NAME.findall(code)) - _KEYWORDS)
    if found:
        match = rng.choice(found)
        line = lines[number]
        lines[number] = line[: match.start()] + rng.choice(names) + line[match.end() :]
    return "\n".join(lines)
