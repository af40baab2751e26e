"""Seeded bootstrap over tasks: how far a score would move with other tasks of the same kind."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from iterpref_assets.core.records import Record


class Bootstrap(Record):
    """How intervals are drawn; equal settings and scores give equal intervals."""

    resamples: int = Field(default=2000, ge=100, description="Resamples of the tasks")
    confidence: float = Field(default=0.95, gt=0, lt=1, description="Share that lies inside")
    seed: int = Field(default=0, ge=0, description="Draws the resamples")


class Interval(Record):
    """A mean with its percentile interval."""

    estimate: float
    low: float
    high: float


def bootstrap_mean(values: Sequence[float], settings: Bootstrap) -> Interval:
    """The mean of one value per task and its percentile bootstrap interval (Efron 1979).

    Raises:
        ValueError: where there is no value: no tasks is not a score of zero.
    """
    import numpy as np  # here, because every command and the definitions load this module

    array = np.asarray(values, dtype=np.float64)
    if array.size == 0:
        raise ValueError("no task has a score")
    generator = np.random.Generator(np.random.PCG64(settings.seed))
    means = np.array(
        [
            array[generator.integers(0, array.size, array.size)].mean()
            for _ in range(settings.resamples)
        ]
    )
    tail = (1 - settings.confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(estimate=float(array.mean()), low=float(low), high=float(high))


def bootstrap_difference(
    values: Sequence[float], baseline: Sequence[float], settings: Bootstrap
) -> Interval:
    """The mean of `values` - `baseline` over the same tasks in the same order, paired.

    Resampling the tasks' differences keeps what the two have in common out of the interval.

    Raises:
        ValueError: where the two are not equally long.
    """
    pairs = zip(values, baseline, strict=True)
    return bootstrap_mean([value - base for value, base in pairs], settings)
