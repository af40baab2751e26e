"""The paper's claims as comparisons of arms, and what our figures say of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from iterpref_assets.core.debugging.figures import DEBUGGING, SAMPLING
from iterpref_assets.core.experiment.comparing import Comparison
from iterpref_assets.core.training.recipes import REFERENCE

LEVEL = 0.05
"""Of the tests, after correction for their number."""

MIN_SEEDS = 3
"""Fewer decide nothing: an interval over problems alone, or over two seeds, does not tell what
another order of the pairs would have given."""


class Outcome(StrEnum):
    """What became of a claim."""

    REPRODUCED = "reproduced"
    """The difference has the claimed sign, its interval excludes 0, the corrected test agrees."""
    INVERTED = "inverted"
    """Likewise with the other sign."""
    NOT_REPRODUCED = "not reproduced"
    """Neither, and the interval excludes the smallest effect that the paper shows; where it shows
    none above 0, every effect of the claimed sign."""
    UNDECIDED = "undecided"
    """Neither, and it does not; or too few seeds; or the claim is not decidable."""
    UNTESTED = "not run"
    """One of the two has no scores."""


class Relation(StrEnum):
    """How a claim says that an arm scores beside its baseline."""

    ABOVE = "above"
    BELOW = "below"
    NOT_ABOVE = "not above"
    """At the baseline or below. A fall reproduces it and a rise inverts it, each by interval and
    corrected test. A difference around 0 agrees with it and decides nothing: every interval around
    0 holds rises, and the paper names none that is too small to be one. It is never `not
    reproduced`: a rise alone speaks against it, and that inverts it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """`arm` scores as `relation` says beside `baseline`.

    Attributes:
        text: for people.
        arm, baseline: names of arms; or the two ways to solve training problems.
        source: where the paper says so.
        figures: the paper's pass@1 (%) of `arm` and of `baseline`, of each model that it tells.
        relation: that of `arm` to `baseline`.
        decidable: False where the comparison cannot tell, whatever its figures. All
            seeds of a second round go on from one first model, so their spread is not that of
            another one. That model is the best of its rates on the validation problems with seed 0,
            and the second round's own rate is chosen on them again: it is tuned twice, its baseline
            once. And an arm that some rate destroys is not seen to be, since each arm stands at the
            rate that is best for it.
        min_seeds: how many decide it. One where nothing is trained: each problem's answers are
            draws of their own, so an interval over problems holds for others.
    """

    text: str
    arm: str
    baseline: str
    source: str
    figures: tuple[tuple[float, float], ...] = ()
    relation: Relation = Relation.ABOVE
    decidable: bool = True
    min_seeds: int = MIN_SEEDS

    @property
    def paper(self) -> str:
        """Where the paper says so, with its figures."""
        told = ", ".join(f"{arm} against {baseline}" for arm, baseline in self.figures)
        return f"{self.source}: {told}" if told else self.source

    @property
    def effect(self) -> float | None:
        """The paper's smallest difference in the claimed direction, a share of 1.

        None where it gives no figure, or where none is claimed.
        """
        if not self.figures or self.relation is Relation.NOT_ABOVE:
            return None
        smallest = min(self.sign * (arm - baseline) for arm, baseline in self.figures)
        # Figures have one decimal, their differences in floating point many.
        return round(smallest / 100, 3)

    @property
    def sign(self) -> int:
        """1 where a higher score of `arm` speaks for the claim, else -1."""
        return 1 if self.relation is Relation.ABOVE else -1


_AVERAGES = "Table 1, averages"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "plain DPO does not rise above the reference", "dpo", REFERENCE, _AVERAGES,
        ((45.5, 45.5), (41.1, 43.9), (47.0, 49.3)), Relation.NOT_ABOVE,
    ),
    Claim(
        "plain RPO does not rise above the reference", "rpo", REFERENCE, _AVERAGES,
        ((43.6, 45.5), (41.4, 43.9), (46.0, 49.3)), Relation.NOT_ABOVE,
    ),
    Claim(
        "focal DPO rises above the reference", "focal_dpo", REFERENCE, _AVERAGES,
        ((48.8, 45.5), (55.3, 43.9), (52.5, 49.3)),
    ),
    Claim(
        "focal RPO rises above the reference", "focal_rpo", REFERENCE, _AVERAGES,
        ((49.9, 45.5), (56.3, 43.9), (52.3, 49.3)),
    ),
    Claim(
        "focal DPO beats plain DPO", "focal_dpo", "dpo", _AVERAGES,
        ((48.8, 45.5), (55.3, 41.1), (52.5, 47.0), (43.1, 30.4)),
    ),
    Claim(
        "focal RPO beats plain RPO", "focal_rpo", "rpo", _AVERAGES,
        ((49.9, 43.6), (56.3, 41.4), (52.3, 46.0), (43.7, 30.9)),
    ),
    Claim("focal DPO beats SFT", "focal_dpo", "sft", "Table 2", ((65.0, 62.9),)),
    Claim(
        "focal RPO beats SFT", "focal_rpo", "sft",
        "Table 15, alpha 1 against imitation alone", ((70.5, 68.7),),
    ),
    Claim(
        "focal RPO beats focal DPO", "focal_rpo", "focal_dpo", _AVERAGES,
        ((49.9, 48.8), (56.3, 55.3), (52.3, 52.5), (43.7, 43.1)),
    ),
    Claim(
        "reading D+ alone of y+ as well destroys the model", "symmetric", REFERENCE,
        "the paper's ablation, without an average", relation=Relation.BELOW, decidable=False,
    ),
    Claim(
        "debugging solves more than as many independent samples", DEBUGGING, SAMPLING,
        "Table 5, six programs against five", ((67.5, 51.9),), min_seeds=1,
    ),
    Claim(
        "debugging pairs beat sampling pairs at equal calls, focal DPO", "focal_dpo",
        "focal_dpo-sampled", "Table 7, at equal pairs", ((64.1, 62.3),),
    ),
    Claim(
        "line LCS beats prefix and suffix, focal DPO", "focal_dpo", "focal_dpo-prefix_suffix",
        "Table 19", ((64.4, 61.9),),
    ),
    Claim(
        "random negatives beat first ones, focal DPO", "focal_dpo", "focal_dpo-first",
        "Table 20", ((64.4, 62.2),),
    ),
    Claim(
        "random negatives beat last ones, focal DPO", "focal_dpo", "focal_dpo-last",
        "Table 20", ((64.4, 63.7),),
    ),
    Claim(
        "last negatives beat first ones, focal DPO", "focal_dpo-last", "focal_dpo-first",
        "Table 20", ((63.7, 62.2),),
    ),
    Claim(
        "beta 0.1 beats 0.3, focal DPO", "focal_dpo", "focal_dpo-beta0.3",
        "Table 14", ((69.7, 69.1),),
    ),
    Claim(
        "beta 0.1 beats 0.5, focal DPO", "focal_dpo", "focal_dpo-beta0.5",
        "Table 14", ((69.7, 67.5),),
    ),
    Claim(
        "alpha 1 beats 3, focal RPO", "focal_rpo", "focal_rpo-alpha3", "Table 15", ((70.5, 67.9),),
    ),
    Claim(
        "alpha 1 beats 5, focal RPO", "focal_rpo", "focal_rpo-alpha5", "Table 15", ((70.5, 68.7),),
    ),
    Claim(
        "imitation summed over y+, as the paper writes it, beats its mean over tokens, focal RPO",
        "focal_rpo-by_sums", "focal_rpo", "not in it: our own",
    ),
    Claim(
        "focal RPO with imitation by sums beats SFT", "focal_rpo-by_sums", "sft",
        "Table 15, alpha 1 against imitation alone", ((70.5, 68.7),),
    ),
    Claim("focal DPO beats Focused-DPO", "focal_dpo", "focused_dpo", "not in it: our own"),
    Claim(
        "D- by lines beats D- by tokens, focal RPO", "focal_rpo", "focal_rpo-tokens",
        "not in it: our own",
    ),
    Claim(
        "D- by lines beats D- by syntax-tree nodes, focal RPO", "focal_rpo", "focal_rpo-nodes",
        "not in it: our own",
    ),
    Claim(
        "nearest negatives beat random ones, focal RPO", "focal_rpo-nearest", "focal_rpo",
        "not in it: our own",
    ),
    Claim(
        "a second round with its own pairs beats as many epochs on the first round's, focal RPO",
        "focal_rpo-second", "focal_rpo-twice", "not in it: our own", decidable=False,
    ),
    Claim(
        "a second round of focal RPO by sums beats a second round of SFT",
        "focal_rpo-by_sums-second", "sft-second", "not in it: our own", decidable=False,
    ),
)  # fmt: skip


def outcome(claim: Claim, comparisons: Mapping[tuple[str, str], Comparison]) -> Outcome:
    """What the comparison of a claim's arms says of it."""
    found = comparisons.get((claim.arm, claim.baseline))
    if found is None:
        return Outcome.UNTESTED
    if found.seeds < claim.min_seeds or not claim.decidable:
        return Outcome.UNDECIDED
    ends = claim.sign * found.difference.low, claim.sign * found.difference.high
    low, high = min(ends), max(ends)
    if found.adjusted <= LEVEL and low > 0:
        return Outcome.REPRODUCED
    if found.adjusted <= LEVEL and high < 0:
        return Outcome.INVERTED
    if claim.relation is Relation.NOT_ABOVE:
        return Outcome.UNDECIDED
    smallest = max(claim.effect or 0, 0)
    return Outcome.NOT_REPRODUCED if high < smallest else Outcome.UNDECIDED
