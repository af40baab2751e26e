"""How the page writes shares, intervals and differences."""

from __future__ import annotations

from iterpref_assets.core.evaluation.bootstrap import Interval
from iterpref_assets.core.experiment.comparing import Comparison
from iterpref_assets.core.training.recipes import REFERENCE

ABSENT = "-"
NOT_RUN = "not run"


def percent(value: float) -> str:
    """A share of 1 in percent, without the sign."""
    return f"{100 * value:.1f}"


def points(comparison: Comparison | None) -> str:
    """A difference in points with its interval and corrected p; "-" where there is none.

    And the number of seeds that it is of, n, where an arm of the two has more of them. A reference
    has none, and stands beside all.
    """
    if comparison is None:
        return ABSENT
    found = comparison.difference
    ends = f"[{100 * found.low:+.1f}, {100 * found.high:+.1f}]"
    trained = [comparison.arm_seeds]
    if comparison.baseline != REFERENCE:
        trained.append(comparison.baseline_seeds)
    fewer = f" n={comparison.seeds}" if comparison.seeds < max(trained) else ""
    return f"{100 * found.estimate:+.1f} {ends} p {comparison.adjusted:.3g}{fewer}"


def interval(found: Interval) -> str:
    """A share with its interval, in percent."""
    return f"{percent(found.estimate)} [{percent(found.low)}, {percent(found.high)}]"
