"""docs/EXPERIMENT.md: tables, claims and figures of the recorded results of one base model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from iterpref_assets.core.debugging.figures import DEBUGGING
from iterpref_assets.core.experiment import figures
from iterpref_assets.core.experiment.arms import ARMS
from iterpref_assets.core.experiment.benchmarks import (
    TaskSet,
    benchmark_images,
    benchmark_sets,
    benchmarks_text,
    claims_by_set_text,
    gains_of,
    held_out_set,
)
from iterpref_assets.core.experiment.claims import CLAIMS
from iterpref_assets.core.experiment.comparing import compare_all
from iterpref_assets.core.experiment.outcomes import (
    arms_text,
    changes_text,
    claims_text,
    made,
    rates_text,
    samples_text,
    wanted_comparisons,
)
from iterpref_assets.core.experiment.paper_tables import paper_tables_text
from iterpref_assets.core.experiment.reasons import (
    curves_of,
    curves_text,
    errors_text,
    kinds_text,
    stronger_text,
    tasks_text,
)
from iterpref_assets.core.experiment.results import Results
from iterpref_assets.core.files import replace_text, replacing
from iterpref_assets.core.training.recipes import REFERENCE

CURVES = {
    "chosen_logprob": "Log-probability of y+ (nats a token)",
    "rejected_logprob": "Log-probability of y-, as far as it is read (nats a token)",
    "focal_logprob": "Log-probability of D- (nats a token)",
    "reward_accuracy": "Share of pairs with y+ preferred",
}
HEADLINE = ("dpo", "rpo", "focal_dpo", "focal_rpo")
"""What the paper's Figure 1 compares."""
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
    wanted = wanted_comparisons(arms)
    wanted += [(claim.arm, claim.baseline) for claim in CLAIMS]
    changed = [(arm, _RECIPES[arm]) for arm in arms if _RECIPES.get(arm, arm) != arm]
    wanted += changed
    compared = compare_all(results, wanted)
    held_out = held_out_set(results, arms, compared)
    sets = benchmark_sets(results, arms, wanted)
    drawn = _images(results, held_out)
    of_sets = benchmark_images(held_out, sets)
    parts = [
        f"## {title}\n",
        made(results),
        "### Arms\n",
        arms_text(results, arms, compared),
        *(f"![{name}]({images / name})\n" for name in drawn),
        *changes_text(changed, compared),
        *benchmarks_text(sets, list(of_sets), images),
        "### Claims\n",
        claims_text(compared),
        *claims_by_set_text(held_out, sets),
        "### The paper's tables\n",
        *paper_tables_text(results),
        *samples_text(results, arms),
        "### Tasks won and lost\n",
        tasks_text(results, arms),
        "### Learning rates\n",
        rates_text(results, arms),
        "### Log-probabilities over training\n",
        curves_text(results, arms),
        *stronger_text(results, arms),
        "### What D- is made of\n",
        kinds_text(results),
        "### How programs fail\n",
        errors_text(results, arms),
        "### Discussion\n",
        discussion,
    ]
    return Page("\n".join(parts), drawn | of_sets)


def _images(results: Results, held_out: TaskSet) -> dict[str, bytes]:
    rates = held_out.rates
    headline = [arm for arm in rates if _RECIPES.get(arm) == arm]
    tried = {arm: results.rates_tried(arm) for arm in headline}
    reference = results.cells.filter(arm=REFERENCE)["validation"].item()
    shown = pl.concat([results.curves.clear(), *(curves_of(results, arm) for arm in headline)])
    gains = gains_of(held_out)
    drawn = {
        "pass-rates.png": figures.rates_plot(rates, REFERENCE),
        "gains.png": figures.gains_plot({arm: gains.get(arm) for arm in HEADLINE}),
        "learning-rates.png": figures.validation_plot(tried, reference),
    }
    rounds = results.rounds.filter(method=DEBUGGING).sort("calls")["solved"].to_list()
    if rounds:
        drawn["rounds.png"] = figures.rounds_plot(rounds)
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
the order of the pairs. `experiment.samples` asks for sampled scores beside the greedy ones. They
are artifacts of their own: greedy scores stay valid. An arm is one entry in
`iterpref_assets/core/experiment/arms.py`, a claim one in `claims.py`.

`examples/experiment/qwen.toml` asks for the same grid of a real model, Qwen2.5-Coder-0.5B-Instruct,
on MBPP's train split and exercism. It is scored on their held-out problems.
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
