"""What a step is: a plan of its artifact, and the work that publishes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.settings import Settings

Report: TypeAlias = Callable[[Mapping[str, float]], None]


def report_nothing(_figures: Mapping[str, float]) -> None:
    """Swallow figures where nobody watches."""


@dataclass(frozen=True)
class StepContext:
    """What a step works with; `report` streams figures (one training step's curve points)."""

    settings: Settings
    store: ArtifactStore
    report: Report = report_nothing


@dataclass(frozen=True)
class Step:
    """One stage of the chain.

    `plan` gives the artifact of one partition as the settings describe it, `publish` makes the
    artifacts of several partitions (one engine serves them all).
    """

    asset: str
    plan: Callable[[StepContext, str], Plan]
    publish: Callable[[StepContext, Sequence[Plan]], None]


def parents_of(plan: Plan, asset: str) -> list[ArtifactKey]:
    """The artifacts of `asset` that `plan` names, in its order.

    What publishes a plan reads these alone: others that came since it was made would be in the
    result without being upstream of it.
    """
    return [key for key in plan.parents if key.asset == asset]
