"""How far arms are apart: paired differences, intervals and tests corrected for their number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from iterpref_assets.core.evaluation.bootstrap import Bootstrap, Interval
from iterpref_assets.core.experiment.results import Results
from iterpref_assets.core.experiment.statistics import (
    Scores,
    bootstrap_paired,
    holm,
    paired_differences,
    sign_flip,
)
from iterpref_assets.core.training.recipes import REFERENCE

BOOTSTRAP = Bootstrap(resamples=10_000)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One arm against another on the same problems.

    Attributes:
        arm, baseline: their names.
        difference: pass@1 of `arm` - that of `baseline`, shares of 1.
        seeds: that both have; those of `arm` where the baseline is the reference, which has none.
        arm_seeds, baseline_seeds: that each has, be they the other's too or not.
        p_value: of the exact permutation test over problems, for these seeds.
        adjusted: the same by Holm, over all comparisons made together.
        won, lost: problems that the mean over seeds of `arm` or of `baseline` solves more often.
    """

    arm: str
    baseline: str
    difference: Interval
    seeds: int
    arm_seeds: int
    baseline_seeds: int
    p_value: float
    adjusted: float
    won: int
    lost: int


def pass_rate(results: Results, arm: str, bootstrap: Bootstrap = BOOTSTRAP) -> Interval:
    """An arm's pass@1 over its seeds, with an interval over problems and seeds."""
    return bootstrap_paired(results.matrix(arm), bootstrap)


def compare_all(
    results: Results, wanted: Sequence[tuple[str, str]], bootstrap: Bootstrap = BOOTSTRAP
) -> dict[tuple[str, str], Comparison]:
    """Each of `wanted` (arm, baseline) that can be compared, corrected for their number.

    Both arms have scores: of a seed that they share, unless the baseline is the reference. A pair
    and its mirror image are one test: the second one asked for is the first one negated.
    """
    there = set(results.arms)
    asked = [
        (arm, baseline)
        for arm, baseline in dict.fromkeys(wanted)
        if there.issuperset((arm, baseline))
        and (baseline == REFERENCE or _shared_seeds(results, arm, baseline))
    ]
    once = [pair for place, pair in enumerate(asked) if _turned(pair) not in asked[:place]]
    tested = [_test(results, *pair) for pair in once]
    adjusted = holm(tested)
    found = {
        pair: _comparison(results, pair, p_value, corrected, bootstrap)
        for pair, p_value, corrected in zip(once, tested, adjusted, strict=True)
    }
    return {pair: found.get(pair) or _mirrored(found[_turned(pair)]) for pair in asked}


def number_of_tests(compared: Iterable[tuple[str, str]]) -> int:
    """How many tests the (arm, baseline) of `compare_all` took, and are corrected for."""
    return len({frozenset(pair) for pair in compared})


def _test(results: Results, arm: str, baseline: str) -> float:
    return sign_flip(paired_differences(*_matched(results, arm, baseline)))


def _matched(results: Results, arm: str, baseline: str) -> tuple[Scores, Scores]:
    """The scores of the seeds that both have; of the reference, one model, beside all of an arm.

    A trained baseline with one seed is one draw of what it could have been, however many seeds the
    arm has.
    """
    scores, base = results.matrix(arm), results.matrix(baseline)
    if baseline == REFERENCE:
        return scores, base
    shared = _shared_seeds(results, arm, baseline)
    mine = np.isin(results.seeds(arm), shared)
    others = np.isin(results.seeds(baseline), shared)
    return scores[mine], base[others]


def _shared_seeds(results: Results, arm: str, baseline: str) -> list[int]:
    others = results.seeds(baseline)
    return [seed for seed in results.seeds(arm) if seed in others]


def _comparison(
    results: Results,
    pair: tuple[str, str],
    p_value: float,
    adjusted: float,
    bootstrap: Bootstrap,
) -> Comparison:
    differences = paired_differences(*_matched(results, *pair))
    means = differences.mean(axis=0)
    return Comparison(
        *pair,
        difference=bootstrap_paired(differences, bootstrap),
        seeds=len(differences),
        arm_seeds=len(results.seeds(pair[0])),
        baseline_seeds=len(results.seeds(pair[1])),
        p_value=p_value,
        adjusted=adjusted,
        won=int((means > 0).sum()),
        lost=int((means < 0).sum()),
    )


def _turned(pair: tuple[str, str]) -> tuple[str, str]:
    return pair[1], pair[0]


def _mirrored(found: Comparison) -> Comparison:
    """`found` seen from its baseline."""
    size = found.difference
    return replace(
        found,
        arm=found.baseline,
        baseline=found.arm,
        # 0 - x and not -x, which would be written -0.0 of a difference of 0.
        difference=Interval(estimate=0 - size.estimate, low=0 - size.high, high=0 - size.low),
        arm_seeds=found.baseline_seeds,
        baseline_seeds=found.arm_seeds,
        won=found.lost,
        lost=found.won,
    )
