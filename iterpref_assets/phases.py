"""The runs that make the whole chain, in order: derived from what every step says of itself."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from iterpref_assets.core.errors import InputError
from iterpref_assets.settings import Settings
from iterpref_assets.steps.chain import CHAIN, step_of, upstream_of
from iterpref_assets.steps.partitions import (
    TWO_PARTS,
    Partitioning,
    partitions_of,
    variants_of,
)
from iterpref_assets.steps.step import Step


@dataclass(frozen=True)
class Phase:
    """Assets of one Dagster run, over the same artifact partitions."""

    assets: tuple[str, ...]
    partitions: tuple[str, ...]


@dataclass(frozen=True)
class _Stretch:
    """Steps that follow one another partition by partition, so that one run makes them all."""

    partitioning: Partitioning
    assets: tuple[str, ...]

    @property
    def by_model(self) -> bool:
        return _by_model(self.partitioning)

    @property
    def by_variant(self) -> bool:
        return self.partitioning in TWO_PARTS


def phases(settings: Settings, until: str | None = None) -> Iterator[Phase]:
    """The runs that make the whole chain, or one asset with what it is made of, in order.

    What is of a base model is made model by model, and within that variant by variant: the first
    report is there before the second model is begun.

    Raises:
        InputError: where there is no asset `until`, or none under these settings.
    """
    steps = _steps(settings, until)
    for by_model, section in itertools.groupby(_stretches(steps), lambda each: each.by_model):
        if not by_model:
            for each in section:
                yield Phase(each.assets, partitions_of(each.partitioning, settings))
            continue
        of_a_model = list(section)
        for base_model in settings.base_models:
            yield from _of_model(of_a_model, base_model, settings)


def _of_model(section: list[_Stretch], base_model: str, settings: Settings) -> Iterator[Phase]:
    for by_variant, part in itertools.groupby(section, lambda each: each.by_variant):
        if not by_variant:
            yield from (Phase(each.assets, (base_model,)) for each in part)
            continue
        stretches = list(part)
        for partition in variants_of(Partitioning.SCORE, base_model, settings):
            for each in stretches:
                if partition in variants_of(each.partitioning, base_model, settings):
                    yield Phase(each.assets, (partition,))


def _steps(settings: Settings, until: str | None) -> list[Step]:
    known = sorted((step for step in CHAIN if step.exists(settings)), key=_in_models_part)
    if until is None:
        return [step for step in known if step.in_run(settings)]
    last = step_of(until)
    if last not in known:
        raise InputError(
            f"these settings have no {until}", field="--until", remedy="Name another asset"
        )
    wanted = upstream_of(last) | {until}
    return [step for step in known if step.asset in wanted]


def _by_model(partitioning: Partitioning) -> bool:
    return partitioning is Partitioning.BASE_MODEL or partitioning in TWO_PARTS


def _learns(step: Step) -> bool:
    """Whether a step is one model's, made of what all shards gave."""
    upstream = map(step_of, upstream_of(step))
    shards = any(each.partitioning is Partitioning.SHARD for each in upstream)
    return shards and _by_model(step.partitioning)


def _in_models_part(step: Step) -> bool:
    """Whether a step comes in the part of a run that goes model by model, or after it.

    All others come first, so that a new one does not cut that part in two.
    """
    return any(map(_learns, (step, *map(step_of, upstream_of(step)))))


def _stretches(steps: Sequence[Step]) -> Iterator[_Stretch]:
    stretch: list[Step] = []
    for step in steps:
        if stretch and not _follows(step, stretch[-1]):
            yield _Stretch(stretch[0].partitioning, tuple(each.asset for each in stretch))
            stretch = []
        stretch.append(step)
    if stretch:
        yield _Stretch(stretch[0].partitioning, tuple(each.asset for each in stretch))


def _follows(step: Step, before: Step) -> bool:
    """Whether each partition of `step` is made of the same one of the step before, and no other."""
    joined = [each for each in step.made_of if each.step.partitioning is step.partitioning]
    across = any(each.select is not None for each in joined)
    return not across and any(each.step is before for each in joined)
