"""Paired statistics over problems and seeds, for arms that were scored on the same problems.

Scores are arrays [seeds, problems] of shares in [0, 1]: greedy 0 or 1, sampled the share that
passed. A reference has one seed. Seed s of two arms took the pairs in the same order.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from math import lcm

import numpy as np
from numpy.typing import NDArray

from iterpref_assets.core.evaluation.bootstrap import Bootstrap, Interval

Scores = NDArray[np.float64]

LARGEST = 1000
"""The largest denominator of a difference of shares: the smallest number of samples that both are
whole numbers of."""
LONGEST = 10_000_000
"""Sums whose chances are held at once, eight bytes each: all differences together, in units."""


def paired_differences(scores: Scores, baseline: Scores) -> Scores:
    """[seeds, problems] `scores` - `baseline`; a baseline of one seed stands beside each.

    Raises:
        ValueError: where problems or seeds do not match.
    """
    if scores.ndim != 2 or baseline.ndim != 2:  # noqa: PLR2004 - seeds and problems
        raise ValueError("scores are [seeds, problems]")
    seeds = {len(scores), len(baseline)}
    if scores.shape[1] != baseline.shape[1] or (len(seeds) > 1 and min(seeds) > 1):
        raise ValueError(f"{scores.shape} and {baseline.shape} are not of the same problems")
    return scores - baseline


def bootstrap_paired(differences: Scores, settings: Bootstrap) -> Interval:
    """The mean of `differences` [seeds, problems] and its percentile interval.

    Each resample draws problems and, independently, seeds with replacement: the interval holds for
    other problems of the same kind and other orders of the pairs. With few seeds the second part
    is coarse.

    Raises:
        ValueError: where there is no problem or no seed.
    """
    seeds, problems = differences.shape
    if not differences.size:
        raise ValueError("no differences")
    generator = np.random.Generator(np.random.PCG64(settings.seed))
    # Problems with the same differences are one kind: how often a kind is drawn is all that counts.
    kinds, sizes = np.unique(differences, axis=1, return_counts=True)
    drawn = generator.multinomial(problems, sizes / problems, settings.resamples)
    weights = generator.multinomial(seeds, np.full(seeds, 1 / seeds), settings.resamples)
    means = np.einsum("rs,sk,rk->r", weights, kinds, drawn, optimize=True) / (seeds * problems)
    tail = (1 - settings.confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(estimate=float(differences.mean()), low=float(low), high=float(high))


def sign_flip(differences: Scores) -> float:
    """The exact two-sided p-value of the paired permutation test over problems.

    Under the null hypothesis a problem's difference, averaged over the seeds, has either sign with
    the same chance. The p-value is the share of all assignments of signs whose sum is as far from 0
    as the observed one. Of one greedy model each it is McNemar's exact test.

    Args:
        differences: [seeds, problems], each a fraction of a denominator up to LARGEST.

    Raises:
        ValueError: where they are not, or their common denominator makes too many sums.
    """
    sizes = _in_units(differences)
    total, observed = int(np.abs(sizes).sum()), abs(int(sizes.sum()))
    if total > LONGEST:
        raise ValueError(f"{total:,} sums of differences are more than {LONGEST:,}")
    # chances[k]: that the sizes with a positive sign add up to k, of those looked at so far.
    chances = np.zeros(total + 1)
    chances[0], reached = 1.0, 1
    for size in np.abs(sizes[sizes != 0]):
        chances[: reached + size] *= 0.5
        chances[size : reached + size] += chances[:reached].copy()
        reached += size
    sums = np.abs(2 * np.arange(total + 1) - total)
    reaching = float(chances[sums >= observed].sum())
    # Below the smallest number that is not 0 it stays above 0, as it is.
    return min(1.0, max(reaching, sys.float_info.min))


def _in_units(differences: Scores) -> NDArray[np.int64]:
    """The sum over seeds of each problem's difference, as a number of the unit they share."""
    values = np.unique(np.abs(differences))
    shares = [Fraction(value).limit_denominator(LARGEST) for value in values]
    if not np.allclose(values, [float(share) for share in shares], rtol=0, atol=1e-12):
        raise ValueError(f"not fractions with a denominator up to {LARGEST}")
    unit = lcm(*(share.denominator for share in shares))
    return np.rint(differences.sum(axis=0) * unit).astype(np.int64)


def holm(p_values: list[float]) -> list[float]:
    """The p-values adjusted for their number (Holm 1979), in the order given.

    Rejecting where the adjusted value is at most a level keeps the chance of any false rejection
    at most that level, whatever the tests have in common.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, p_values[place] * (len(p_values) - rank)))
        adjusted[place] = largest
    return adjusted
