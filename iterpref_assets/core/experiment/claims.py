"""The paper's claims as comparisons of arms, and what our figures say of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from iterpref_assets.core.experiment.comparing import Comparison
from iterpref_assets.core.training.recipes import REFERENCE

LEVEL = 0.05
"""Of the tests, after correction for their number."""
MATTERS = 0.02
"""A difference that counts, as a share of 1: the paper's own are 2 to 12 points."""

MIN_SEEDS = 2
"""Fewer decide nothing: an interval over problems alone does not tell what another order of the
pairs would have given."""


class Outcome(StrEnum):
    """What became of a claim."""

    REPRODUCED = "reproduced"
    """The difference has the claimed sign, its interval excludes 0, the corrected test agrees."""
    INVERTED = "inverted"
    """Likewise with the other sign."""
    NOT_REPRODUCED = "not reproduced"
    """Neither, and the interval excludes a difference of MATTERS in the claimed direction."""
    UNDECIDED = "undecided"
    """Neither, and it does not; or fewer than MIN_SEEDS seeds; or the claim is not decidable."""
    UNTESTED = "not run"
    """One of the two arms has no scores."""


@dataclass(frozen=True, slots=True)
class Claim:
    """`arm` scores higher than `baseline`, or lower where `higher` is False.

    `paper` is where the paper says so, with its figures.
    """

    text: str
    arm: str
    baseline: str
    paper: str
    higher: bool = True
    decidable: bool = True
    """False where seeds do not stand for what else the arm's score follows from. All seeds of a
    second round go on from one first model, so their spread is not that of another one. That model
    is the best of its rates on the validation problems with seed 0, and the second round's own rate
    is chosen on them again: it is tuned twice, its baseline once."""


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "plain DPO falls below the reference", "dpo", REFERENCE,
        "Table 1, averages: 45.5 to 45.5, 43.9 to 41.1, 49.3 to 47.0", higher=False,
    ),
    Claim(
        "plain RPO falls below the reference", "rpo", REFERENCE,
        "Table 1, averages: 45.5 to 43.6, 43.9 to 41.4, 49.3 to 46.0", higher=False,
    ),
    Claim(
        "focal DPO rises above the reference", "focal_dpo", REFERENCE,
        "Table 1, averages: 45.5 to 48.8, 43.9 to 55.3, 49.3 to 52.5",
    ),
    Claim(
        "focal RPO rises above the reference", "focal_rpo", REFERENCE,
        "Table 1, averages: 45.5 to 49.9, 43.9 to 56.3, 49.3 to 52.3",
    ),
    Claim(
        "focal DPO beats plain DPO", "focal_dpo", "dpo",
        "Table 1, averages: 48.8 against 45.5, 55.3 against 41.1, 52.5 against 47.0",
    ),
    Claim(
        "focal RPO beats plain RPO", "focal_rpo", "rpo",
        "Table 1, averages: 49.9 against 43.6, 56.3 against 41.4, 52.3 against 46.0",
    ),
    Claim("focal DPO beats SFT", "focal_dpo", "sft", "Table 2: 65.0 against 62.9"),
    Claim("focal RPO beats SFT", "focal_rpo", "sft", "Table 2, of focal DPO: 65.0 against 62.9"),
    Claim(
        "focal RPO beats focal DPO", "focal_rpo", "focal_dpo",
        "Table 1, averages: 49.9 against 48.8, 56.3 against 55.3, 52.3 against 52.5",
    ),
    Claim(
        "reading D+ alone of y+ as well destroys the model", "symmetric", REFERENCE,
        "the paper's ablation, without an average", higher=False,
    ),
    Claim(
        "debugging pairs beat sampling pairs at equal calls, focal DPO", "focal_dpo",
        "focal_dpo-sampled", "Table 7, at equal pairs: 64.1 against 62.3",
    ),
    Claim(
        "line LCS beats prefix and suffix, focal DPO", "focal_dpo", "focal_dpo-prefix_suffix",
        "Table 19: 64.4 against 61.9",
    ),
    Claim(
        "random negatives beat first ones, focal DPO", "focal_dpo", "focal_dpo-first",
        "Table 20: 64.4 against 62.2",
    ),
    Claim(
        "random negatives beat last ones, focal DPO", "focal_dpo", "focal_dpo-last",
        "Table 20: 64.4 against 63.7",
    ),
    Claim(
        "beta 0.1 beats 0.5, focal DPO", "focal_dpo", "focal_dpo-beta0.5",
        "Table 14: 69.7 against 67.5",
    ),
    Claim(
        "alpha 1 beats 3, focal RPO", "focal_rpo", "focal_rpo-alpha3",
        "Table 15: 70.5 against 67.9",
    ),
    Claim(
        "alpha 1 beats 5, focal RPO", "focal_rpo", "focal_rpo-alpha5",
        "Table 15: 70.5 against 68.7",
    ),
    Claim(
        "nearest negatives beat random ones, focal RPO", "focal_rpo-nearest", "focal_rpo",
        "not in it: our own",
    ),
    Claim(
        "a second round with its own pairs beats as many epochs on the first round's, focal RPO",
        "focal_rpo-second", "focal_rpo-twice", "not in it: our own", decidable=False,
    ),
)  # fmt: skip


def outcome(claim: Claim, comparisons: Mapping[tuple[str, str], Comparison]) -> Outcome:
    """What the comparison of a claim's arms says of it."""
    found = comparisons.get((claim.arm, claim.baseline))
    if found is None:
        return Outcome.UNTESTED
    if found.seeds < MIN_SEEDS or not claim.decidable:
        return Outcome.UNDECIDED
    sign = 1 if claim.higher else -1
    ends = sign * found.difference.low, sign * found.difference.high
    low, high = min(ends), max(ends)
    if found.adjusted <= LEVEL and low > 0:
        return Outcome.REPRODUCED
    if found.adjusted <= LEVEL and high < 0:
        return Outcome.INVERTED
    return Outcome.NOT_REPRODUCED if high < MATTERS else Outcome.UNDECIDED
