"""docs/EXPERIMENT.md: tables, claims and figures of the recorded results of one base model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from iterpref_assets.core.experiment import figures
from iterpref_assets.core.experiment.arms import ARMS
from iterpref_assets.core.experiment.claims import CLAIMS, LEVEL, MATTERS, MIN_SEEDS, outcome
from iterpref_assets.core.experiment.comparing import Comparison, compare_all, pass_rate
from iterpref_assets.core.experiment.results import Results
from iterpref_assets.core.files import replace_text, replacing
from iterpref_assets.core.reporting.markdown import table
from iterpref_assets.core.training.recipes import REFERENCE

BASELINES = (REFERENCE, "dpo", "sft")
CURVES = {
    "chosen_logprob": "Log-probability of y+ (nats a token)",
    "focal_logprob": "Log-probability of D- (nats a token)",
    "reward_accuracy": "Share of pairs with y+ preferred",
}
SHOWN_ERRORS = 12
_ABSENT = "-"
_RECIPES = {arm.name: arm.recipe for arm in ARMS}
"""The recipe of each arm. Recorded results may hold arms that there no longer are."""


@dataclass(frozen=True)
class Page:
    """The text of the page and the PNG bytes of its figures, by file name."""

    text: str
    images: dict[str, bytes]


def make_page(results: Results, *, title: str, discussion: str, images: Path) -> Page:
    """The page of `results`.

    Args:
        results: what was exported.
        title: of the page's part, such as the name of the base model.
        discussion: prose that is put in as it is.
        images: the folder of the figures, as the page's links name it.
    """
    order = list(_RECIPES)
    arms = sorted(results.arms, key=lambda arm: order.index(arm) if arm in order else -1)
    wanted: list[tuple[str, str]] = []
    for base in BASELINES:
        # The mirror image of a comparison would be corrected for as if it were another.
        others = [arm for arm in arms if arm not in (base, REFERENCE)]
        wanted += [(arm, base) for arm in others if (base, arm) not in wanted]
    wanted += [(claim.arm, claim.baseline) for claim in CLAIMS]
    changed = [(arm, _RECIPES[arm]) for arm in arms if _RECIPES.get(arm, arm) != arm]
    wanted += changed
    compared = compare_all(results, wanted)
    drawn = _images(results, arms)
    parts = [
        f"## {title}\n",
        _made(results),
        "### Arms\n",
        _arms_text(results, arms, compared),
        *(f"![{name}]({images / name})\n" for name in drawn),
        *_changes_text(changed, compared),
        "### Claims\n",
        _claims_text(compared),
        "### Learning rates\n",
        _rates_text(results, arms),
        "### Log-probabilities over training\n",
        _curves_text(results, arms),
        "### What D- is made of\n",
        _kinds_text(results),
        "### How programs fail\n",
        _errors_text(results, arms),
        "### Discussion\n",
        discussion,
    ]
    return Page("\n".join(parts), drawn)


def _made(results: Results) -> str:
    trained = results.cells.filter(pl.col("arm") != REFERENCE)
    first = results.cells.row(0, named=True)
    pairs = trained.group_by("pairs").agg(pl.col("pair_count", "focal_share").first())
    counts = "; ".join(
        f"{name}, {count:,} pairs, {_percent(share)}% of the tokens of y- in D-"
        for name, count, share in pairs.sort("pairs").iter_rows()
    )
    return (
        f"{trained.height} models trained; {len(results.problems):,} problems reported. Pair sets: "
        f"{counts}. Exported {first['date']} at commit {first['commit']}, {first['machine']}."
        "\n"
    )


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def _points(comparison: Comparison | None) -> str:
    if comparison is None:
        return _ABSENT
    found = comparison.difference
    ends = f"[{100 * found.low:+.1f}, {100 * found.high:+.1f}]"
    return f"{100 * found.estimate:+.1f} {ends} p {comparison.adjusted:.3g}"


def _arms_text(
    results: Results, arms: Sequence[str], compared: Mapping[tuple[str, str], Comparison]
) -> str:
    rows: list[list[str]] = []
    for arm in arms:
        rate, chosen = pass_rate(results, arm), results.chosen_rate(arm)
        against = compared.get((arm, REFERENCE))
        rows.append(
            [
                arm,
                _ABSENT if chosen is None else f"{chosen:g}",
                str(len(results.matrix(arm))),
                f"{_percent(rate.estimate)} [{_percent(rate.low)}, {_percent(rate.high)}]",
                *(_points(compared.get((arm, base))) for base in BASELINES),
                f"{against.won} / {against.lost}" if against else _ABSENT,
            ]
        )
    head = [
        *("arm", "rate", "seeds", "greedy pass@1 (%)"),
        *(f"minus {base}" for base in BASELINES),
        "problems won / lost",
    ]
    note = (
        "Differences in points with their 95% interval over problems and seeds; p is of the paired "
        f"test, corrected by Holm for all {len(compared)} comparisons of this page. Won and lost "
        "against the reference, by the mean over seeds.\n"
    )
    return f"{table(head, rows)}\n{note}"


def _changes_text(
    changed: Sequence[tuple[str, str]], compared: Mapping[tuple[str, str], Comparison]
) -> list[str]:
    """Arms that change one thing of a recipe, against the recipe itself."""
    found = {pair: compared[pair] for pair in changed if pair in compared}
    if not found:
        return []
    rows = [[arm, recipe, _points(each)] for (arm, recipe), each in found.items()]
    return ["### One thing changed\n", table(["arm", "recipe", "arm minus recipe"], rows)]


def _claims_text(compared: Mapping[tuple[str, str], Comparison]) -> str:
    rows: list[list[str]] = []
    for claim in CLAIMS:
        found = compared.get((claim.arm, claim.baseline))
        rows.append([claim.text, claim.paper, _points(found), outcome(claim, compared).value])
    rule = (
        f"Reproduced: the claimed sign, an interval without 0, corrected p at most {LEVEL:g}. "
        "Inverted: the same with the other sign. Not reproduced: neither, and the interval "
        f"excludes {100 * MATTERS:g} points in the claimed direction. Undecided: the rest, and "
        f"all with fewer than {MIN_SEEDS} seeds.\n"
    )
    head = ["claim", "the paper", "here, points", "outcome"]
    return f"{table(head, rows)}\n{rule}"


def _rates_text(results: Results, arms: Sequence[str]) -> str:
    tried = {arm: results.rates_tried(arm) for arm in arms if arm != REFERENCE}
    rates = sorted({rate for each in tried.values() for rate in each})
    rows = [
        [
            arm,
            *(
                _marked(found[rate], rate == results.chosen_rate(arm)) if rate in found else _ABSENT
                for rate in rates
            ),
        ]
        for arm, found in tried.items()
    ]
    reference = results.cells.filter(arm=REFERENCE)["validation"].item()
    note = (
        "Validation problems solved (%), seed 0, greedy; in bold the rate that is reported, the "
        "best of those that are scored. No validation problem is among those reported. Reference: "
        f"{_percent(reference)}.\n"
    )
    return f"{table(['arm', *(f'{rate:g}' for rate in rates)], rows)}\n{note}"


def _marked(value: float, chosen: bool) -> str:
    return f"**{_percent(value)}**" if chosen else _percent(value)


def _curves_text(results: Results, arms: Sequence[str]) -> str:
    rows: list[list[str]] = []
    for arm in arms:
        mine = _curves_of(results, arm)
        if mine.is_empty():
            continue
        cells = [arm]
        for name in ("chosen_logprob", "rejected_logprob", "focal_logprob"):
            values = mine.filter(name=name).sort("step")["value"].to_list()
            edge = max(len(values) // 10, 1)
            cells.append(
                f"{sum(values[:edge]) / edge:.3f} to {sum(values[-edge:]) / edge:.3f}"
                if values
                else _ABSENT
            )
        rows.append(cells)
    head = ["arm", "y+", "y-, as far as it is read", "D-"]
    note = (
        "Mean nats a token over the first and the last tenth of the steps, seed 0 at the chosen "
        "rate.\n"
    )
    return f"{table(head, rows)}\n{note}"


def _curves_of(results: Results, arm: str) -> pl.DataFrame:
    return results.curves.filter(
        pl.col("arm") == arm,
        pl.col("rate").eq_missing(results.chosen_rate(arm)),
        pl.col("seed") == 0,
    )


def _kinds_text(results: Results) -> str:
    rows: list[list[str]] = []
    for (pairs,), mine in results.kinds.group_by("pairs", maintain_order=True):
        focal, others = mine["focal"].sum(), mine["others"].sum()
        for row in mine.iter_rows(named=True):
            shares = [row["focal"] / max(focal, 1), row["others"] / max(others, 1)]
            rows.append([str(pairs), row["kind"], *map(_percent, shares)])
    note = "Shares of the lexical tokens of y-, on the lines of D- and on its other lines.\n"
    head = ["pairs", "kind", "of D- (%)", "of the other lines (%)"]
    return f"{table(head, rows)}\n{note}"


def _errors_text(results: Results, arms: Sequence[str]) -> str:
    """The form of the paper's Table 18."""
    kind = pl.when(pl.col("error_type") == "").then("verdict").otherwise("error_type")
    counts: dict[str, dict[str, float]] = {}
    for arm in arms:
        mine = results.reported(arm)
        seeds = mine["seed"].n_unique()
        failing = mine.filter(~pl.col("passed")).group_by(kind.alias("kind")).len()
        counts[arm] = {name: count / seeds for name, count in failing.iter_rows()}
    names = sorted(
        {name for each in counts.values() for name in each},
        key=lambda name: (-counts[arms[0]].get(name, 0.0), name),
    )
    rows = [
        [name, *(f"{counts[arm].get(name, 0.0):.1f}" for arm in arms)]
        for name in names[:SHOWN_ERRORS]
    ]
    note = "Failing programs by error, mean over seeds (the form of the paper's Table 18).\n"
    return f"{table(['error', *arms], rows)}\n{note}"


def _images(results: Results, arms: Sequence[str]) -> dict[str, bytes]:
    rates = {arm: pass_rate(results, arm) for arm in arms}
    headline = [arm for arm in arms if _RECIPES.get(arm) == arm]
    tried = {arm: results.rates_tried(arm) for arm in headline}
    reference = results.cells.filter(arm=REFERENCE)["validation"].item()
    shown = pl.concat([results.curves.clear(), *(_curves_of(results, arm) for arm in headline)])
    drawn = {
        "pass-rates.png": figures.rates_plot(rates, REFERENCE),
        "learning-rates.png": figures.validation_plot(tried, reference),
    }
    recorded = set(shown["name"].unique())
    for name, label in CURVES.items():
        if name not in recorded:
            continue
        drawn[f"{name.replace('_', '-')}.png"] = figures.curves_plot(shown, headline, name, label)
    return drawn


HEAD = """\
# The paper's experiment

    make experiment-quick
    iterpref experiment run ARM ... --seeds N --settings examples/experiment/lab.toml
    iterpref experiment export --settings examples/experiment/lab.toml
    iterpref experiment render

`make experiment-quick` makes the headline anew: SFT, DPO, RPO, focal DPO, focal RPO and the
reference, two seeds. `run` makes any part of the grid (`iterpref experiment arms` lists the
arms), and only what is missing of it: each model and each of its scores is an artifact, in
Dagster a partition. `export` writes the tables in `measurements/results/experiment/`, `render`
this page from them.

All arms are trained with the same steps and batches on the same pairs, but for those whose name
says otherwise. Each is tried at every learning rate with seed 0; the rate that solves most
validation problems is its own, and validation problems are not among those reported. A seed draws
the order of the pairs. An arm is one entry in `iterpref_assets/core/experiment/arms.py`, a claim
one in `claims.py`.
"""
DISCUSSION = "discussion.md"
"""Prose beside the tables, put into the page."""


def write_page(results: Results, folder: Path, page: Path) -> None:
    """Write the page of `results`, which lie in `folder`, and its figures to images/experiment."""
    images = Path("images") / "experiment" / folder.name
    discussion = folder / DISCUSSION
    made = make_page(
        results,
        title=f"Base model {folder.name}",
        discussion=discussion.read_text(encoding="utf-8") if discussion.is_file() else "",
        images=images,
    )
    target = page.parent / images
    for name, png in made.images.items():
        with replacing(target / name) as partial:
            partial.write_bytes(png)
    replace_text(page, f"{HEAD}\n{made.text}")
