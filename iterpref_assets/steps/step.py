"""What a step is: its place in the graph, what its artifact is made of, and the work itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import JsonValue

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.progress import about
from iterpref_assets.settings import Settings
from iterpref_assets.steps.partitions import Partitioning, upstream_partitions

Report: TypeAlias = Callable[[Mapping[str, float]], None]


def report_nothing(_figures: Mapping[str, float]) -> None:
    """Swallow figures where nobody watches."""


@dataclass(frozen=True)
class StepContext:
    """What a step works with; `report` streams figures (one training step's curve points)."""

    settings: Settings
    store: ArtifactStore
    report: Report = report_nothing


Config: TypeAlias = Callable[[StepContext, str], Mapping[str, JsonValue]]
Select: TypeAlias = Callable[[StepContext, str], Sequence[str]]
Publish: TypeAlias = Callable[[StepContext, Sequence[Plan]], None]


def no_config(_context: StepContext, _partition: str) -> Mapping[str, JsonValue]:
    """Of an artifact that depends on its parents and the code alone."""
    return {}


def no_gpus(_settings: Settings) -> int:
    """Of a step that computes on none."""
    return 0


def always(_settings: Settings) -> bool:
    """Of an asset whatever the settings are."""
    return True


@dataclass(frozen=True)
class Parent:
    """A step whose artifacts another step reads, and which partitions of them.

    Those follow from how the two are divided, unless `select` says (of a shard: some shards).
    `is_read` says whether it is a parent at all under these settings.
    """

    step: Step
    select: Select | None = None
    is_read: Callable[[Settings], bool] = always

    def exists(self, settings: Settings) -> bool:
        """Whether there is such a parent under these settings."""
        return self.is_read(settings) and self.step.exists(settings)

    def partitions(
        self, context: StepContext, child: Partitioning, partition: str
    ) -> Sequence[str]:
        """The partitions that one of a step divided like `child` is made of."""
        if not self.exists(context.settings):
            return ()
        if self.select is not None:
            return self.select(context, partition)
        return upstream_partitions(self.step.partitioning, child, partition, context.settings)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One stage of the chain, and all that its asset's place in the graph follows from.

    Attributes:
        asset: its name.
        partitioning: how it is divided.
        parents: what it is made of.
        config: what the artifact of one partition depends on besides its parents and the code.
        publish: makes the artifacts of several partitions (one engine serves them all).
        gpus: on how many GPUs it computes at once under these settings, where its host has some.
        code_version: raised whenever the same config and parents come to give another artifact.
        exists: whether it is an asset under these settings.
        in_run: whether `iterpref run` makes it under these settings.
    """

    asset: str
    partitioning: Partitioning
    parents: tuple[Parent | Step, ...] = ()
    config: Config = no_config
    publish: Publish
    gpus: Callable[[Settings], int] = no_gpus
    code_version: str
    exists: Callable[[Settings], bool] = always
    in_run: Callable[[Settings], bool] = always

    @property
    def made_of(self) -> tuple[Parent, ...]:
        """Its parents, each with the partitions that it reads."""
        return tuple(each if isinstance(each, Parent) else Parent(each) for each in self.parents)

    def plan(self, context: StepContext, partition: str) -> Plan:
        """The artifact of one partition, before it is made."""
        return Plan(
            ArtifactKey(self.asset, partition),
            self.code_version,
            self.config(context, partition),
            tuple(
                ArtifactKey(parent.step.asset, name)
                for parent in self.made_of
                for name in parent.partitions(context, self.partitioning, partition)
            ),
        )


def each_named(plans: Iterable[Plan]) -> Iterator[Plan]:
    """The plans one by one; progress that is shown meanwhile names each one's partition."""
    for plan in plans:
        with about(plan.key.partition):
            yield plan


def parents_of(plan: Plan, asset: str) -> list[ArtifactKey]:
    """The artifacts of `asset` that `plan` names, in its order.

    What publishes a plan reads these alone: others that came since it was made would be in the
    result without being upstream of it.
    """
    return [key for key in plan.parents if key.asset == asset]
