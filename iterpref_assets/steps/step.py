"""What a step is: what its artifact is made of, and the work that publishes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from pydantic import JsonValue

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
class Basis:
    """What an artifact is made of besides the code: settings, and other artifacts."""

    config: Mapping[str, JsonValue] = field(default_factory=dict)
    parents: tuple[ArtifactKey, ...] = ()


@dataclass(frozen=True)
class Step:
    """One stage of the chain.

    `basis` says what the artifact of one partition is made of as the settings describe it,
    `publish` makes the artifacts of several partitions (one engine serves them all).
    `code_version` is raised whenever the same basis comes to give another artifact.
    """

    asset: str
    basis: Callable[[StepContext, str], Basis]
    publish: Callable[[StepContext, Sequence[Plan]], None]
    code_version: str = field(kw_only=True)

    def plan(self, context: StepContext, partition: str) -> Plan:
        """The artifact of one partition, before it is made."""
        basis = self.basis(context, partition)
        key = ArtifactKey(self.asset, partition)
        return Plan(key, self.code_version, basis.config, basis.parents)


def parents_of(plan: Plan, asset: str) -> list[ArtifactKey]:
    """The artifacts of `asset` that `plan` names, in its order.

    What publishes a plan reads these alone: others that came since it was made would be in the
    result without being upstream of it.
    """
    return [key for key in plan.parents if key.asset == asset]
