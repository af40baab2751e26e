"""Makes the experiment's grid cell by cell: what is missing or out of date, and nothing else."""

from __future__ import annotations

import fcntl
import logging
from collections import Counter
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from iterpref_assets.core.artifacts import UNPARTITIONED, ArtifactStore
from iterpref_assets.core.engines.config import gpus_of
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.experiment.arms import Arm, Cell, PairSet, arm_named
from iterpref_assets.core.training.recipes import REFERENCE
from iterpref_assets.core.work_by_kind import WorkByKind
from iterpref_assets.settings import Settings
from iterpref_assets.side_by_side import SideBySide, give_memory_back, processes
from iterpref_assets.steps.chain import CHAIN, upstream_of
from iterpref_assets.steps.experiment import EXPERIMENT_MODELS, EXPERIMENT_PAIRS, sizes
from iterpref_assets.steps.experiment_benchmarks import EXPERIMENT_BENCHMARKS
from iterpref_assets.steps.experiment_programs import EXPERIMENT_PROGRAMS, shards_run_anew
from iterpref_assets.steps.experiment_rates import all_tried, chosen_cells, tried_cells
from iterpref_assets.steps.experiment_recorded import require_recorded, stands
from iterpref_assets.steps.experiment_samples import EXPERIMENT_SAMPLES
from iterpref_assets.steps.experiment_scores import (
    EXPERIMENT_SAMPLED,
    EXPERIMENT_SCORES,
    EXPERIMENT_VALIDATION,
    draws_samples,
    heldout,
    sampling,
)
from iterpref_assets.steps.experiment_second import (
    EXPERIMENT_SECOND_MODELS,
    EXPERIMENT_SECOND_PAIRS,
    EXPERIMENT_SECOND_TRAJECTORIES,
    first_round,
    require_own_engine,
)
from iterpref_assets.steps.experiment_stronger import EXPERIMENT_STRONGER
from iterpref_assets.steps.heldout_problems import HELDOUT_PROBLEMS
from iterpref_assets.steps.partitions import partitions_of
from iterpref_assets.steps.samples import INITIAL_SAMPLES
from iterpref_assets.steps.step import Step, StepContext
from iterpref_assets.steps.trajectories import DEBUG_TRAJECTORIES

LOCK = "experiment.lock"

_GRID = {
    EXPERIMENT_PAIRS.asset,
    EXPERIMENT_MODELS.asset,
    EXPERIMENT_SECOND_TRAJECTORIES.asset,
    EXPERIMENT_SECOND_PAIRS.asset,
    EXPERIMENT_SECOND_MODELS.asset,
    EXPERIMENT_SCORES.asset,
}
"""What is made by cell, by set of pairs or by arm, as far as scores are made of it."""

_log = logging.getLogger("iterpref")


@dataclass(frozen=True)
class Grid:
    """What a run of the experiment makes: `arms` with `seeds` seeds each, and the reference.

    `at_once` processes make it.
    """

    arms: tuple[Arm, ...]
    seeds: int
    at_once: int = 1


def make_grid(settings: Settings, grid: Grid) -> None:
    """Train and score the grid; each arm at the rate that is best on the validation problems.

    Every model and score is an artifact of its own. A killed run goes on where it was, and one with
    other settings makes anew only what they change.

    Raises:
        InputError: where the settings do not ask for the experiment, allow fewer seeds or name a
            folder of records that holds none,
            another run is at work on the same root, several samples would be drawn greedily,
            no more problems are held out than rates are chosen on, a step of several processes
            at once wants more than one GPU, or a second round's engine opens no checkpoint.
    """
    if settings.experiment is None:
        raise InputError(
            "the settings ask for no experiment",
            field="experiment",
            remedy="Give --settings examples/experiment/lab.toml, or add [experiment] to yours",
        )
    if grid.seeds > settings.experiment.seeds:
        raise InputError(
            f"{grid.seeds} seeds, but experiment.seeds is {settings.experiment.seeds}",
            field="--seeds",
            remedy="Raise experiment.seeds, or ask for fewer",
        )
    require_recorded(settings)
    if grid.at_once > 1:
        _require_one_gpu_a_step(settings)
    with _alone(settings.root), ExitStack() as stack:
        several = None
        if grid.at_once > 1:
            several = stack.enter_context(processes(settings, grid.at_once))
        _Making(StepContext(settings, ArtifactStore(settings.root)), grid, several).make_all()


def _require_one_gpu_a_step(settings: Settings) -> None:
    """Each of several processes is given one GPU."""
    wanted = {
        "training.processes": settings.training.processes,
        "engine": gpus_of(settings.engine),
        "evaluation_engine": gpus_of(settings.evaluation_engine),
    }
    for name, count in wanted.items():
        if count > 1:
            raise InputError(
                f"each process gets one GPU, and {name} asks for {count} at once",
                field="--at-once",
                remedy="Leave --at-once out, or lower what the settings ask for",
            )


@dataclass(frozen=True)
class _Making:
    """A grid that is being made: by this process, or by `several`."""

    context: StepContext
    grid: Grid
    several: SideBySide | None

    def make_all(self) -> None:
        settings = self.context.settings
        # What cannot be done is refused before hours of training.
        if draws_samples(settings):
            sampling(settings)
        if self._second:
            require_own_engine(settings)
        self.make(HELDOUT_PROBLEMS, (UNPARTITIONED,))
        heldout(self.context)
        scoring = (
            EXPERIMENT_SCORES,
            EXPERIMENT_STRONGER,
            EXPERIMENT_BENCHMARKS,
            EXPERIMENT_SAMPLED,
        )
        asked = [step for step in scoring if step.exists(settings)]
        before = made_before(self.context, asked, _used_pair_sets(self._first))
        for step in CHAIN:
            self.make(step, before.get(step.asset, ()))
        self.make(EXPERIMENT_PAIRS, _used_pair_sets(self._first))
        self._make_cells(asked)

    @property
    def _second(self) -> list[Arm]:
        """The arms that are second rounds."""
        return [arm for arm in self.grid.arms if arm.after]

    @property
    def _first(self) -> list[Arm]:
        """The others, and those whose models second rounds go on from."""
        named = (arm_named(arm.after) if arm.after else arm for arm in self.grid.arms)
        return list(dict.fromkeys(named))

    def _make_cells(self, asked: Sequence[Step]) -> None:
        """Choose each arm's rate, then train it with every seed and score what came of it.

        Second rounds come last: one that cannot be made keeps no other arm from its scores.
        """
        first = [arm for arm in self.grid.arms if not arm.after]
        work = self._counted(asked)
        if not self._stands([EXPERIMENT_VALIDATION], REFERENCE, work):
            self.make(EXPERIMENT_VALIDATION, (REFERENCE,), work)
        self._try(self._first, EXPERIMENT_MODELS, work)
        reported = [[REFERENCE], *map(self._chosen, first)]
        self._finish(reported, EXPERIMENT_MODELS, asked, work)
        if self._second:
            going_on = [first_round(self.context, arm) for arm in self._second]
            self.make(EXPERIMENT_MODELS, going_on, work)
        for step in (EXPERIMENT_SECOND_TRAJECTORIES, EXPERIMENT_SECOND_PAIRS):
            self.make(step, [arm.name for arm in self._second], work)
        self._try(self._second, EXPERIMENT_SECOND_MODELS, work)
        reported = [*map(self._chosen, self._second)]
        self._finish(reported, EXPERIMENT_SECOND_MODELS, asked, work)

    def _counted(self, asked: Sequence[Step]) -> WorkByKind:
        """All that is to be made by cell or by arm, and what of it is there already."""
        items = Counter({step.asset: 1 for step in (EXPERIMENT_VALIDATION, *asked)})
        seeds = self.grid.seeds
        for arm in [*self._first, *self._second]:
            rates = len(sizes(self.context.settings).rates)
            items += Counter({_models(arm).asset: rates, EXPERIMENT_VALIDATION.asset: rates})
            if arm in self.grid.arms:
                items[_models(arm).asset] += seeds - 1
                items += Counter({step.asset: seeds for step in asked})
            if arm.after:
                items[EXPERIMENT_SECOND_TRAJECTORIES.asset] += 1
                items[EXPERIMENT_SECOND_PAIRS.asset] += 1
        work = WorkByKind("experiment", items)
        with suppress(InputError):  # validation that is damaged, which is made anew
            for step, names in self._known(asked):
                plans = [step.plan(self.context, name) for name in names]
                there = [each for each in plans if self.context.store.reusable(each, whole=False)]
                work.find(step.asset, [plan.key.partition for plan in there])
        return work

    def _known(self, asked: Sequence[Step]) -> Iterator[tuple[Step, Sequence[str]]]:
        """What the grid needs of each step, as far as the choice of rates tells already."""
        for step in (EXPERIMENT_VALIDATION, *asked):
            yield step, [REFERENCE]
        for arm in [*self._first, *self._second]:
            if arm.after:
                if not all_tried(self.context, arm_named(arm.after)):
                    continue
                yield EXPERIMENT_SECOND_TRAJECTORIES, [arm.name]
                yield EXPERIMENT_SECOND_PAIRS, [arm.name]
            tried = tried_cells(self.context.settings, arm)
            yield _models(arm), tried
            yield EXPERIMENT_VALIDATION, tried
            if arm in self.grid.arms and all_tried(self.context, arm):
                for step in (_models(arm), *asked):
                    yield step, self._chosen(arm)

    def _try(self, arms: Sequence[Arm], models: Step, work: WorkByKind) -> None:
        """Train arms at every rate with seed 0, and validate what came of it."""
        tried = [
            key
            for arm in arms
            for key in tried_cells(self.context.settings, arm)
            if not self._stands([EXPERIMENT_VALIDATION], key, work)
        ]
        for keys in [tried] if self.several else [[key] for key in tried]:
            self.make(models, keys, work)
            self.make(EXPERIMENT_VALIDATION, keys, work)

    def _finish(
        self,
        reported: Sequence[Sequence[str]],
        models: Step,
        asked: Sequence[Step],
        work: WorkByKind,
    ) -> None:
        """Train what is missing of each arm's models, and score them all."""
        keys = [key for keys in reported for key in keys if not self._stands(asked, key, work)]
        self.make(models, [key for key in keys if key != REFERENCE], work)
        for step in asked:
            self.make(step, keys, work)

    def _stands(self, steps: Sequence[Step], key: str, work: WorkByKind) -> bool:
        """Whether what `steps` make of a model is recorded or here, so that it is not needed."""
        recorded = [step for step in steps if stands(self.context, step, key)]
        plans = [step.plan(self.context, key) for step in steps if step not in recorded]
        if not recorded or any(self.context.store.reusable(plan) is None for plan in plans):
            return False
        for step in steps:
            work.find(step.asset, [key])
        if key != REFERENCE:
            work.find(_models(arm_named(Cell.parse(key).arm)).asset, [key])
        return True

    def _chosen(self, arm: Arm) -> list[str]:
        """An arm's models at its best rate, seed 0 first: that one has been tried."""
        return chosen_cells(self.context, arm, self.grid.seeds)

    def make(self, step: Step, partitions: Sequence[str], work: WorkByKind | None = None) -> None:
        """Publish the partitions that are not current: one by one where `work` counts them."""
        store = self.context.store
        plans = [store.pinned(step.plan(self.context, name)) for name in partitions]
        missing = [plan for plan in plans if store.reusable(plan) is None]
        names = [plan.key.partition for plan in missing]
        if work is not None:
            work.find(step.asset, set(partitions) - set(names))
        if not missing:
            return
        if work is None:
            _log.info("%s: %d of %d to make", step.asset, len(missing), len(plans))
        made = _nobody_watches if work is None else work.making(step.asset, names)
        if self.several is not None and len(missing) > 1:
            count = len(names) if work else self.several.count
            parts = [names[first::count] for first in range(min(count, len(names)))]
            give_memory_back()  # what this process made alone before, it made on the same cards
            self.several.publish(step, parts, made)
        elif work is None:
            step.publish(self.context, missing)
        else:
            for plan in missing:
                step.publish(self.context, [plan])
                made(1)


def made_before(
    context: StepContext, asked: Iterable[Step], pair_sets: Collection[PairSet]
) -> Mapping[str, Sequence[str]]:
    """What pairs of `pair_sets` and the grid's base model are made of: partitions by asset."""
    settings = context.settings
    assets = frozenset[str]().union(*map(upstream_of, asked)) - _GRID
    if PairSet.SAMPLED not in pair_sets:
        assets -= {EXPERIMENT_SAMPLES.asset}
    before = {
        step.asset: partitions_of(step.partitioning, settings)
        for step in CHAIN
        if step.asset in assets and step.exists(settings)
    }
    anew = shards_run_anew(context)
    if EXPERIMENT_PROGRAMS.asset in before:
        before[EXPERIMENT_PROGRAMS.asset] = anew
    if PairSet.SAMPLED not in pair_sets:
        # Recorded programs stand in the place of what they came from.
        here = [shard for shard in settings.seeds.shards() if shard not in anew]
        before |= {step.asset: here for step in (INITIAL_SAMPLES, DEBUG_TRAJECTORIES)}
    return before


def _nobody_watches(_count: int) -> None:
    """Swallow progress that nothing counts."""


def _models(arm: Arm) -> Step:
    """What trains an arm."""
    return EXPERIMENT_SECOND_MODELS if arm.after else EXPERIMENT_MODELS


@contextmanager
def _alone(root: Path) -> Generator[None]:
    """Keep other runs away: two would train in one work folder."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                "another run of the experiment is at work here",
                file=root,
                remedy="Wait until it ends, or give it another root",
            ) from None
        yield


def _used_pair_sets(arms: Iterable[Arm]) -> list[PairSet]:
    used = {arm.pairs for arm in arms}
    return [each for each in PairSet if each in used]
