"""The whole chain: every step of this folder, in the order of their dependencies."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module

from iterpref_assets import steps
from iterpref_assets.core.errors import InputError
from iterpref_assets.steps.step import Step


def _found() -> Iterator[Step]:
    """Every step that a module beside this one defines or imports, alone or in a tuple."""
    for name in sorted(info.name for info in pkgutil.iter_modules(steps.__path__)):
        if f"{steps.__name__}.{name}" == __name__:
            continue
        for value in vars(import_module(f"{steps.__name__}.{name}")).values():
            yield from (each for each in _members(value) if isinstance(each, Step))


def _members(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else (value,)


def _depth(step: Step) -> int:
    """How many steps come one after another before it."""
    return max((_depth(parent.step) + 1 for parent in step.made_of), default=0)


_BY_ASSET = {step.asset: step for step in _found()}

CHAIN: tuple[Step, ...] = tuple(
    sorted(_BY_ASSET.values(), key=lambda step: (_depth(step), step.partitioning, step.asset))
)


def step_of(asset: str) -> Step:
    """The step that publishes an asset.

    Raises:
        InputError: where no step does.
    """
    if asset not in _BY_ASSET:
        raise InputError(
            f"unknown asset {asset!r}", remedy=f"Use one of {', '.join(sorted(_BY_ASSET))}"
        )
    return _BY_ASSET[asset]


def upstream_of(step: Step) -> frozenset[str]:
    """Every asset that a step is made of, directly or not."""
    direct = {parent.step.asset for parent in step.made_of}
    return frozenset(direct).union(*(upstream_of(parent.step) for parent in step.made_of))
