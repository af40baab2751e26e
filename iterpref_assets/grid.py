"""Makes the experiment's grid cell by cell: what is missing or out of date, and nothing else."""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import UNPARTITIONED, ArtifactKey, ArtifactStore
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.experiment.arms import Arm, Cell, PairSet
from iterpref_assets.core.experiment.choosing import best_rate, solved_share
from iterpref_assets.core.progress import Tracker, track
from iterpref_assets.core.training.recipes import REFERENCE
from iterpref_assets.settings import Settings
from iterpref_assets.steps.chain import CHAIN, upstream_of
from iterpref_assets.steps.evaluations import GREEDY_FILE
from iterpref_assets.steps.experiment import (
    EXPERIMENT_MODELS,
    EXPERIMENT_PAIRS,
    EXPERIMENT_SAMPLED,
    EXPERIMENT_SCORES,
    EXPERIMENT_VALIDATION,
    heldout,
    sizes,
)
from iterpref_assets.steps.experiment_samples import EXPERIMENT_SAMPLES
from iterpref_assets.steps.experiment_stronger import EXPERIMENT_STRONGER
from iterpref_assets.steps.heldout_problems import HELDOUT_PROBLEMS
from iterpref_assets.steps.partitions import partitions_of
from iterpref_assets.steps.step import Step, StepContext

LOCK = "experiment.lock"

_log = logging.getLogger("iterpref")


@dataclass(frozen=True)
class Grid:
    """What a run of the experiment makes: `arms` with `seeds` seeds each, and the reference."""

    arms: tuple[Arm, ...]
    seeds: int


def make_grid(settings: Settings, grid: Grid) -> None:
    """Train and score the grid; each arm at the rate that is best on the validation problems.

    Every model and score is an artifact of its own. A killed run goes on where it was, and one with
    other settings makes anew only what they change.

    Raises:
        InputError: where the settings do not ask for the experiment or allow fewer seeds,
            another run is at work on the same root, or no more problems are held out than rates
            are chosen on.
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
    with _alone(settings.root):
        _make_all(StepContext(settings, ArtifactStore(settings.root)), grid)


def _make_all(context: StepContext, grid: Grid) -> None:
    settings = context.settings
    _make(context, HELDOUT_PROBLEMS, (UNPARTITIONED,))
    heldout(context)  # refuses too few of them, before hours of training
    before = upstream_of(EXPERIMENT_MODELS) - {EXPERIMENT_PAIRS.asset}
    if PairSet.SAMPLED not in _used_pair_sets(grid.arms):
        before -= {EXPERIMENT_SAMPLES.asset}
    for step in CHAIN:
        if step.asset in before and step.exists(settings):
            _make(context, step, partitions_of(step.partitioning, settings))
    _make(context, EXPERIMENT_PAIRS, _used_pair_sets(grid.arms))
    tried = [key for arm in grid.arms for key in tried_cells(settings, arm)]
    trained = len(grid.arms) * (grid.seeds - 1)
    scoring = (EXPERIMENT_SCORES, EXPERIMENT_STRONGER, EXPERIMENT_SAMPLED)
    asked = [step for step in scoring if step.exists(settings)]
    scored = len(asked) * (len(grid.arms) * grid.seeds + 1)
    with track("experiment", 2 * len(tried) + 1 + trained + scored) as tracker:
        _make(context, EXPERIMENT_VALIDATION, (REFERENCE,), tracker)
        for key in tried:
            _make(context, EXPERIMENT_MODELS, (key,), tracker)
            _make(context, EXPERIMENT_VALIDATION, (key,), tracker)
        cells = [key for arm in grid.arms for key in chosen_cells(context, arm, grid.seeds)]
        _make(context, EXPERIMENT_MODELS, [key for key in cells if key not in tried], tracker)
        for step in asked:
            _make(context, step, (REFERENCE, *cells), tracker)


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


def tried_cells(settings: Settings, arm: Arm) -> list[str]:
    """The models that an arm's learning rate is chosen among."""
    return [Cell(arm=arm.name, rate=rate, seed=0).key for rate in sizes(settings).rates]


def chosen_cells(context: StepContext, arm: Arm, seeds: int) -> list[str]:
    """An arm's models at its best rate.

    Raises:
        InputError: where a rate has not been tried.
    """
    rate = best_rate(
        {
            rate: validation_rate(context.store, Cell(arm=arm.name, rate=rate, seed=0).key)
            for rate in sizes(context.settings).rates
        }
    )
    return [Cell(arm=arm.name, rate=rate, seed=seed).key for seed in range(seeds)]


def validation_rate(store: ArtifactStore, key: str) -> float:
    """The share of validation problems that a cell's model solves."""
    scored = store.current(ArtifactKey(EXPERIMENT_VALIDATION.asset, key))
    return solved_share(tables.read_scores(scored.path(GREEDY_FILE)))


def _used_pair_sets(arms: Iterable[Arm]) -> list[PairSet]:
    used = {arm.pairs for arm in arms}
    return [each for each in PairSet if each in used]


def _make(
    context: StepContext, step: Step, partitions: Sequence[str], tracker: Tracker | None = None
) -> None:
    """Publish the partitions that are not current: one by one where progress is shown by cell."""
    plans = [context.store.pinned(step.plan(context, name)) for name in partitions]
    missing = [plan for plan in plans if context.store.reusable(plan) is None]
    if tracker is None:
        if missing:
            _log.info("%s: %d of %d to make", step.asset, len(missing), len(plans))
            step.publish(context, missing)
        return
    if len(missing) < len(plans):
        tracker.resume(len(plans) - len(missing))
    for plan in missing:
        step.publish(context, [plan])
        tracker.advance()
