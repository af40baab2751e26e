"""The part of the page that says who wins: arms, single changes, claims, learning rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from iterpref_assets.core.evaluation.bootstrap import Interval
from iterpref_assets.core.experiment.arms import QUICK
from iterpref_assets.core.experiment.claims import CLAIMS, LEVEL, MIN_SEEDS, outcome
from iterpref_assets.core.experiment.comparing import (
    Comparison,
    number_of_tests,
)
from iterpref_assets.core.experiment.results import Results
from iterpref_assets.core.experiment.wording import ABSENT, interval, percent, points
from iterpref_assets.core.reporting.markdown import table
from iterpref_assets.core.training.recipes import RECIPES, REFERENCE

BASELINES = (REFERENCE, "dpo", "sft")
AGAINST_FOCAL = tuple(
    (recipe.name, "focal_rpo" if recipe.alpha else "focal_dpo")
    for recipe in RECIPES
    if recipe.name not in QUICK
)
"""Recipes beside the headline's, each with the paper's own that imitates as it does or does not."""


def made(results: Results) -> str:
    """What was trained on what, and when."""
    trained = results.cells.filter(pl.col("arm") != REFERENCE)
    columns = results.cells.select("date", "commit", "machine").unique(maintain_order=True)
    exported = "; ".join(
        f"{date} at commit {commit}, {machine}" for date, commit, machine in columns.iter_rows()
    )
    pairs = trained.group_by("pairs").agg(pl.col("pair_count", "focal_share").first())
    counts = "; ".join(
        f"{name}, {count:,} pairs, {percent(share)}% of the tokens of y- in D-"
        for name, count, share in pairs.sort("pairs").iter_rows()
    )
    return (
        f"{trained.height} models trained; {len(results.problems):,} problems reported. Pair sets: "
        f"{counts}. Exported {exported}.\n"
    )


def arms_text(
    results: Results,
    arms: Sequence[str],
    rates: Mapping[str, Interval],
    compared: Mapping[tuple[str, str], Comparison],
) -> str:
    """Each arm's greedy pass@1, and how far it is from the baselines."""
    rows: list[list[str]] = []
    for arm in arms:
        chosen = results.chosen_rate(arm)
        scored = compared_cells(results, arm, rates[arm], compared)
        rows.append(
            [
                arm,
                ABSENT if chosen is None else f"{chosen:g}",
                *trained_on(results, arm),
                *scored,
                won_and_lost(compared.get((arm, REFERENCE))),
            ]
        )
    head = [
        "arm",
        "rate",
        "pairs",
        "steps",
        *compared_head("greedy pass@1 (%)"),
        "problems won / lost",
    ]
    note = (
        "Differences in points with their 95% interval over problems and seeds. p is of an exact "
        "paired permutation test over problems, of one seed each McNemar's: it holds for these "
        "models, not for other seeds. It is corrected by Holm for all comparisons on these "
        f"problems, {number_of_tests(compared)} in number. n is told where one of the two arms has "
        "more seeds than the comparison, which is of those that both have: its difference is that "
        "of these, not of the pass rates in the table. Won and lost against the reference, by the "
        "mean over seeds.\n"
    )
    return f"{table(head, rows)}\n{note}"


def trained_on(results: Results, arm: str) -> list[str]:
    """How many pairs and optimizer steps an arm's models are trained with at their rate."""
    mine = results.cells.filter(arm=arm).filter(pl.col("rate").eq_missing(results.chosen_rate(arm)))
    counts = mine.select("pair_count", "steps").row(0)
    return [ABSENT if count is None else f"{count:,}" for count in counts]


def compared_head(rate: str) -> list[str]:
    """The columns of `compared_cells`; `rate` names that of the pass rate."""
    return ["seeds", rate, *(f"minus {base}" for base in BASELINES)]


def compared_cells(
    results: Results,
    arm: str,
    rate: Interval,
    compared: Mapping[tuple[str, str], Comparison],
) -> list[str]:
    """An arm's seeds, its pass rate, and how far it is from the baselines."""
    against = (points(compared.get((arm, base))) for base in BASELINES)
    return [str(len(results.matrix(arm))), interval(rate), *against]


def won_and_lost(against: Comparison | None) -> str:
    """Problems won and lost, where there is a comparison."""
    return f"{against.won} / {against.lost}" if against else ABSENT


def changes_text(
    changed: Sequence[tuple[str, str]], compared: Mapping[tuple[str, str], Comparison]
) -> list[str]:
    """Arms beside those whose names lack their last part, which says what is changed."""
    found = {pair: compared[pair] for pair in changed if pair in compared}
    if not found:
        return []
    rows = [[arm, other, points(each)] for (arm, other), each in found.items()]
    return ["### One thing changed\n", table(["arm", "without the change", "difference"], rows)]


def recipes_text(compared: Mapping[tuple[str, str], Comparison]) -> list[str]:
    """The other recipes against the paper's own; nothing where none was run."""
    found = {pair: compared[pair] for pair in AGAINST_FOCAL if pair in compared}
    if not found:
        return []
    rows = [[arm, focal, points(each)] for (arm, focal), each in found.items()]
    head = ["arm", "the paper's recipe", "arm minus the paper's"]
    return ["### Other recipes\n", table(head, rows)]


def claims_text(compared: Mapping[tuple[str, str], Comparison]) -> str:
    """The paper's claims with our outcome of each."""
    rows: list[list[str]] = []
    for claim in CLAIMS:
        found = compared.get((claim.arm, claim.baseline))
        effect = ABSENT if claim.effect is None else f"{100 * claim.effect:.1f}"
        told = [claim.text, claim.paper, effect, points(found), outcome(claim, compared).value]
        rows.append(told)
    rule = (
        f"Reproduced: the claimed sign, an interval without 0, corrected p at most {LEVEL:g}. "
        "Inverted: the same with the other sign. Not reproduced: neither, and the interval "
        "excludes the smallest of the paper's effects; where it shows none above 0, every effect "
        "of the claimed sign. That is a convention and no test: the interval is not corrected, and "
        "the paper's points are of other models and problems. Undecided: the rest, all with fewer "
        f"than {MIN_SEEDS} seeds, that of a second round, and that a recipe destroys the model: "
        "each arm stands at the rate that is best for it. Debugging against samples has no seeds, "
        "since nothing is trained: it is told of the most programs that both have, on training "
        "problems (Table 5, below). Our own claims were chosen after some results were seen. "
        "That an arm does not rise is reproduced where it falls and inverted where it rises: a "
        "difference around 0 agrees with it, and its interval holds rises too.\n"
    )
    head = ["claim", "the paper", "its smallest effect, points", "here, points", "outcome"]
    return f"{table(head, rows)}\n{rule}"


def rates_text(results: Results, arms: Sequence[str]) -> str:
    """How each arm did on the validation problems at every rate."""
    tried = {arm: results.rates_tried(arm) for arm in arms if arm != REFERENCE}
    rates = sorted({rate for each in tried.values() for rate in each})
    rows = [
        [arm, *(_marked(found, rate, results.chosen_rate(arm)) for rate in rates)]
        for arm, found in tried.items()
    ]
    reference = results.cells.filter(arm=REFERENCE)["validation"].item()
    note = (
        "Validation problems solved (%), seed 0, greedy, by peak learning rate; in bold the rate "
        "that is reported, the best of those that are scored. No validation problem is among those "
        f"reported. Reference: {percent(reference)}. `edge`: the rate is the lowest or the highest "
        "that was tried, so a better one may lie beyond it. `tie`: the rate solves as many as the "
        "one that is reported, which is the lowest of them. `not scored`: the rate solves more and "
        "has no scores on the problems that are reported yet.\n"
    )
    return f"{table(['arm', *(f'{rate:g}' for rate in rates)], rows)}\n{note}"


def _marked(found: Mapping[float, float], rate: float, chosen: float | None) -> str:
    """The share of one rate, with what is to be known of the choice of it."""
    if rate not in found:
        return ABSENT
    share = percent(found[rate])
    if rate == chosen:
        return f"**{share}** edge" if rate in (min(found), max(found)) else f"**{share}**"
    if chosen is None or found[rate] < found[chosen]:
        return share
    return f"{share} tie" if found[rate] == found[chosen] else f"{share} not scored"


def wanted_comparisons(arms: Sequence[str]) -> list[tuple[str, str]]:
    """Every arm against the baselines, other recipes against the paper's own, and the claims'.

    No mirror image against a baseline: the table of arms tells each difference once.
    """
    wanted: list[tuple[str, str]] = []
    for base in BASELINES:
        others = [arm for arm in arms if arm not in (base, REFERENCE)]
        wanted += [(arm, base) for arm in others if (base, arm) not in wanted]
    return [*wanted, *AGAINST_FOCAL, *((claim.arm, claim.baseline) for claim in CLAIMS)]
