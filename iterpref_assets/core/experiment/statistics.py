"""Paired statistics over problems and seeds, for arms that were scored on the same problems.

Scores are arrays [seeds, problems] of shares in [0, 1]: greedy 0 or 1, sampled the share that
passed. A reference has one seed. Seed s of two arms took the pairs in the same order.
"""

from __future__ import annotations

from math import comb

import numpy as np
from numpy.typing import NDArray

from iterpref_assets.core.evaluation.bootstrap import Bootstrap, Interval

Scores = NDArray[np.float64]

EXACT_UP_TO = 16
"""Problems whose signs are all tried out; more are drawn."""


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


def mcnemar(scores: NDArray[np.bool_], baseline: NDArray[np.bool_]) -> float:
    """The exact two-sided p-value of McNemar's test for one greedy run of each.

    Of the problems that exactly one of the two solved, each is as likely to be either's under the
    null hypothesis: a binomial test at one half. 1 where there is none.

    Raises:
        ValueError: where the two are not equally long.
    """
    if scores.shape != baseline.shape:
        raise ValueError(f"{scores.shape} and {baseline.shape} are not of the same problems")
    won, lost = int((scores & ~baseline).sum()), int((baseline & ~scores).sum())
    tail = sum(comb(won + lost, k) for k in range(min(won, lost) + 1))
    return min(1.0, 2 * tail / 2 ** (won + lost))


def sign_flip(differences: Scores, *, draws: int = 20_000, seed: int = 0) -> float:
    """The two-sided p-value of a paired permutation test over problems.

    Under the null hypothesis a problem's difference, averaged over the seeds, has either sign. All
    signs are tried out where few problems differ; else `draws` are drawn and the observed signs
    count as one more (Phipson and Smyth 2010).

    Args:
        differences: [seeds, problems].
        draws: random signs.
        seed: of the draw.
    """
    observed = differences.mean(axis=0)
    observed = observed[observed != 0]
    if observed.size == 0:
        return 1.0
    size = abs(observed.sum())
    # Sums of equal terms in another order may differ in their last bits.
    reached = size * (1 - 1e-12)
    if observed.size <= EXACT_UP_TO:
        bits = np.arange(2**observed.size)[:, None] >> np.arange(observed.size) & 1
        return float((np.abs((1 - 2 * bits) @ observed) >= reached).mean())
    generator = np.random.Generator(np.random.PCG64(seed))
    signs = generator.integers(0, 2, (draws, observed.size), dtype=np.int8) * 2 - 1
    return float((1 + (np.abs(signs @ observed) >= reached).sum()) / (draws + 1))


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
