"""Which packages LLM-written programs may use: the standard library and an allow-list."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import packages_distributions

_SEPARATORS = re.compile(r"[-_.]+")


def refused_packages(
    declared: Iterable[str], imported: Iterable[str], allowed: Sequence[str]
) -> list[str]:
    """What a program needs that is neither in the standard library nor allowed, sorted.

    Args:
        declared: distributions that its author lists, by their names on package indices.
        imported: modules that it imports.
        allowed: installed distributions that programs may use.
    """
    permitted = {normalised(name) for name in allowed}
    provided = packages_distributions()
    refused = {
        name
        for name in declared
        if normalised(name) not in permitted and name not in sys.stdlib_module_names
    }
    for module in imported:
        sources = {normalised(name) for name in provided.get(module, ())}
        if module not in sys.stdlib_module_names and not sources & permitted:
            refused.add(module)
    return sorted(refused)


def normalised(name: str) -> str:
    """A distribution's name as package indices compare it."""
    return _SEPARATORS.sub("-", name).casefold()
