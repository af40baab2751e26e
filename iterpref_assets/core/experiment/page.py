"""docs/EXPERIMENT.md: tables, claims and figures of the recorded results, a part a base model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.experiment import figures
from iterpref_assets.core.experiment.arms import ARMS, SECOND_ROUNDS
from iterpref_assets.core.experiment.benchmarks import (
    TaskSet,
    benchmark_images,
    benchmark_sets,
    benchmarks_text,
    claims_by_set_text,
    gains_of,
    held_out_set,
)
from iterpref_assets.core.experiment.comparing import compare_all
from iterpref_assets.core.experiment.figures import Figures
from iterpref_assets.core.experiment.outcomes import (
    arms_text,
    changes_text,
    claims_text,
    made,
    rates_text,
    recipes_text,
    wanted_comparisons,
)
from iterpref_assets.core.experiment.paper_tables import paper_tables_text
from iterpref_assets.core.experiment.preface import HEAD, glossary
from iterpref_assets.core.experiment.reasons import (
    common_rate,
    curves_of,
    curves_text,
    errors_text,
    kinds_text,
    stronger_text,
    tasks_text,
)
from iterpref_assets.core.experiment.results import FILES, Results, read_results
from iterpref_assets.core.experiment.rounds_table import SOLVED, most_programs, solved_by
from iterpref_assets.core.experiment.samples import sampled_set, samples_text
from iterpref_assets.core.files import replace_text, replacing
from iterpref_assets.core.training.recipes import REFERENCE

CURVES = {
    "chosen_logprob": ("Log-probability of y+, as far as it is read", "nats a token"),
    "rejected_logprob": ("Log-probability of y-, as far as it is read", "nats a token"),
    "focal_logprob": ("Log-probability of D-", "nats a token"),
    "reward_accuracy": ("Pairs with y+ preferred to y-", "share of pairs"),
}
"""The title and the unit of each figure over the steps."""
CAPTIONS = {
    "gains.png": (
        f"\nThe paper's bars are of {figures.PAPER_BENCHMARK} alone (its Table 1), ours of the "
        "held-out problems.\n"
    ),
    "rejected-logprob.png": (
        "\n`dpo` and `rpo` read y- whole, the focal arms D- alone: their levels cannot be "
        "compared.\n"
    ),
    "reward-accuracy.png": (
        "\nLines over the steps are means of a tenth of the steps, those behind a point. At its "
        "first step a model still is the reference, and rounding decides which it prefers.\n"
    ),
}
"""What a figure needs told below it."""
HEADLINE = ("dpo", "rpo", "focal_dpo", "focal_rpo")
"""What the paper's Figure 1 compares."""
DRAWN = ("sft", *HEADLINE, "focal_rpo-by_sums")
"""Arms with a line in the figures of rates and steps: all arms would hide one another."""
_SECOND = {arm.name for arm in SECOND_ROUNDS}
"""They change more than one thing: what is trained, and on what."""


@dataclass(frozen=True)
class Page:
    """The text of a base model's part, and its figures."""

    text: str
    images: Figures


def make_page(results: Results, *, title: str, discussion: str, images: Path) -> Page:
    """The part of one base model.

    Args:
        results: what was exported.
        title: of the part, such as the name of the base model.
        discussion: prose that is put in as it is; empty where there is none.
        images: the folder of the figures, as the page's links name it.
    """
    # Recorded results may hold arms that there no longer are.
    order = [arm.name for arm in ARMS]
    arms = sorted(results.arms, key=lambda arm: order.index(arm) if arm in order else -1)
    changed = [(arm, arm.rpartition("-")[0]) for arm in arms if "-" in arm and arm not in _SECOND]
    wanted = [*wanted_comparisons(arms), *changed]
    compared = compare_all(results, wanted)
    held_out = held_out_set(results, arms, compared)
    sets = benchmark_sets(results, arms, wanted)
    drawn = _images(results, held_out, [arm for arm in DRAWN if arm in arms])
    of_sets = benchmark_images(held_out, sets)
    parts = [
        f"## {title}\n",
        made(results),
        *(["### Discussion\n", discussion] if discussion else []),
        "### Claims\n",
        claims_text(compared | most_programs(results.rounds)),
        "### Arms\n",
        arms_text(results, arms, held_out.rates, compared),
        *(f"![{name}]({images / name})\n{CAPTIONS.get(name, '')}" for name in drawn),
        *recipes_text(compared),
        *changes_text(changed, compared),
        *benchmarks_text(sets, list(of_sets), images),
        *claims_by_set_text(held_out, sets),
        "### The paper's tables\n",
        *paper_tables_text(results, held_out.rates),
        *samples_text(held_out, sampled_set(results, arms, wanted)),
        "### Tasks won and lost\n",
        tasks_text(results, arms),
        "### Learning rates\n",
        rates_text(results, arms),
        *curves_text(results, arms, [arm for arm in DRAWN if arm in arms]),
        *stronger_text(results, arms),
        *kinds_text(results),
        "### How programs fail\n",
        errors_text(results, arms),
    ]
    return Page("\n".join(parts), drawn | of_sets)


def _images(results: Results, held_out: TaskSet, shown: Sequence[str]) -> Figures:
    gains = gains_of(held_out)
    tried = {arm: results.rates_tried(arm) for arm in shown}
    reference = results.cells.filter(arm=REFERENCE)["validation"].item()
    headline = {arm: gains.get(arm) for arm in HEADLINE}
    drawn: Figures = {
        "arms.png": partial(figures.arms_plot, gains),
        "gains.png": partial(figures.gains_plot, headline),
        "learning-rates.png": partial(figures.validation_plot, tried, reference),
    }
    rounds = {method: mine for method in SOLVED if (mine := solved_by(results.rounds, method))}
    if rounds:
        drawn["rounds.png"] = partial(figures.rounds_plot, rounds, SOLVED)
    rate = common_rate(results, shown)
    if rate is None:
        return drawn
    curves = pl.concat([curves_of(results, arm, rate) for arm in shown])
    recorded = set(curves["name"].unique())
    for name, (title, unit) in CURVES.items():
        if name in recorded:
            file = f"{name.replace('_', '-')}.png"
            titled = f"{title}, at rate {rate:g}"
            drawn[file] = partial(figures.curves_plot, curves, shown, name, titled, unit)
    return drawn


DISCUSSION = "discussion.md"
"""Prose beside the tables, put into the page."""


FIRST = "lab"
"""The base model whose part comes first: everybody can make it again."""


def write_page(recorded: Path, page: Path) -> None:
    """Write the page of every base model, and their figures to images/experiment/NAME.

    Args:
        recorded: holds a folder of tables for each base model, named like it.
        page: the file to write.

    Raises:
        InputError: where `recorded` holds none, or a table is missing or malformed.
    """
    folders = sorted(_folders(recorded), key=lambda each: (each.name != FIRST, each.name))
    if not folders:
        raise InputError(
            "no results of a base model",
            file=recorded,
            remedy="Name the folder that holds a folder for each base model, or export some first",
        )
    parts = [_write_part(each, page.parent) for each in folders]
    replace_text(page, "\n".join([HEAD, glossary(), *parts]))


def _folders(recorded: Path) -> list[Path]:
    names = (name for name in recorded.glob(f"*/{next(iter(FILES))}"))
    return [name.parent for name in names]


def _write_part(folder: Path, beside: Path) -> str:
    """Draw the figures of one base model; the text of its part."""
    images = Path("images") / "experiment" / folder.name
    discussion = folder / DISCUSSION
    made = make_page(
        read_results(folder),
        title=f"Base model {folder.name}",
        discussion=discussion.read_text(encoding="utf-8") if discussion.is_file() else "",
        images=images,
    )
    target = beside / images
    for name, draw in made.images.items():
        with replacing(target / name) as unfinished:
            unfinished.write_bytes(draw())
    return made.text
