"""The data card of one base model's preference pairs: card.md and its figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from iterpref_assets.core.debugging.figures import DEBUGGING
from iterpref_assets.core.pairs.characteristics import Diversity, Duplicates, Spread
from iterpref_assets.core.pairs.statistics import UnreachedFocus
from iterpref_assets.core.reporting import card_plots, markdown, plots

CARD = "card.md"
SHOWN_FEATURES, SHOWN_FAILURES, SHOWN_DOUBTFUL = 20, 15, 20
_QUANTILES = (0.0, 0.05, 0.5, 0.95, 1.0)


@dataclass(frozen=True)
class CardInputs:
    """Everything the card shows.

    Attributes:
        stages: counts from seeds to tokenized pairs, in order.
        calls: completions that the pairs took, over all rounds.
        pass_rate_by_round: cumulative, in [0, 1]; position is the round.
        budgets: debugging.figures.BUDGETS.
        kept, dropped: candidate pairs kept, and dropped by filter in filter order.
        judged: pairs by what the judge answered; empty where none was asked.
        lengths, differences: tokens and lines of the kept pairs.
        failures: characteristics.failures.
        problems, paired: the features of all problems, and of those with a kept pair.
        focus: D- lines of the kept pairs, and those that no test reaches.
        doubtful: doubt.DOUBTFUL.
        duplicates: repetitions among the kept pairs.
        dropped_seeds: tables.DROPPED_SEEDS.
        benchmarks: those that seeds were kept clear of.
        benchmark_tasks: kept pairs whose problem is a benchmark's own.
        allowed: overrides that let these be trained on.
        provenance: artifacts by name, and their content.
        shown: rows of tables.PAIRS to render.
    """

    stages: Mapping[str, int]
    calls: int
    pass_rate_by_round: Sequence[float]
    budgets: pl.DataFrame
    kept: int
    dropped: Mapping[str, int]
    judged: Mapping[str, int]
    lengths: Sequence[Spread]
    differences: Sequence[Spread]
    failures: pl.DataFrame
    problems: Diversity
    paired: Diversity
    focus: UnreachedFocus
    doubtful: pl.DataFrame
    duplicates: Duplicates
    dropped_seeds: pl.DataFrame
    benchmarks: Sequence[str]
    benchmark_tasks: int
    allowed: Sequence[str]
    provenance: Mapping[str, str]
    shown: pl.DataFrame


def write_data_card(inputs: CardInputs, folder: Path) -> None:
    """Write the card into `folder`; equal inputs give equal bytes."""
    for name, image in _figures(inputs):
        (folder / name).write_bytes(image)
    (folder / CARD).write_text(_text(inputs), encoding="utf-8")


def _figures(inputs: CardInputs) -> Iterator[tuple[str, bytes]]:
    yield "pass_rate_by_round.png", plots.pass_rate_by_round(inputs.pass_rate_by_round)
    yield (
        "solved_by_calls.png",
        card_plots.budgets(
            inputs.budgets, "solved", "Problems solved, by calls", "Solved (%)", 100.0
        ),
    )
    yield (
        "pairs_by_calls.png",
        card_plots.budgets(
            inputs.budgets, "pairs_per_1000", "Pairs, by calls", "Candidate pairs / 1,000 calls"
        ),
    )
    yield "pairs_by_filter.png", plots.pairs_by_filter(inputs.kept, inputs.dropped)
    yield "lengths.png", card_plots.spreads(inputs.lengths, "Length of the kept pairs", "Tokens")
    yield (
        "differences.png",
        card_plots.spreads(inputs.differences, "Size of the difference, kept pairs", "Lines"),
    )


def _text(inputs: CardInputs) -> str:
    blocks = [
        "# Preference pairs: data card",
        "## Stages",
        markdown.table(["Stage", "Count"], list(inputs.stages.items())),
        "## Debugging, and sampling for as many calls",
        *_debugging(inputs),
        "## Filters",
        *_filters(inputs),
        "## Lengths and differences",
        _spread_table("Tokens", inputs.lengths),
        "![Length of the kept pairs](lengths.png)",
        _spread_table("Lines", inputs.differences),
        "![Size of the difference](differences.png)",
        _focus(inputs.focus),
        "## How programs fail",
        markdown.table(
            ["Failure", "y- of kept pairs", "All failing versions"],
            inputs.failures.head(SHOWN_FAILURES).rows(),
        ),
        "## Doubtful tests",
        *_doubtful(inputs.doubtful),
        "## Features",
        *_features(inputs),
        "## Duplicates and contamination",
        *_duplicates(inputs),
        "## Pairs",
        f"{inputs.shown.height} pairs, drawn by their ids; `iterpref pages pairs` shows all.",
        *[markdown.pair_difference(row) for row in inputs.shown.iter_rows(named=True)],
        "## Made of",
        markdown.table(["What", "Which"], list(inputs.provenance.items())),
    ]
    return "\n\n".join(block.strip("\n") for block in blocks) + "\n"


def _debugging(inputs: CardInputs) -> Iterator[str]:
    yield (
        f"{inputs.calls:,} calls for {inputs.kept:,} kept pairs: "
        f"{inputs.calls / inputs.kept:.1f} calls a pair, "
        f"{1000 * inputs.kept / inputs.calls:.1f} pairs from 1,000 calls."
    )
    yield "![Share of problems solved, by debugging round](pass_rate_by_round.png)"
    yield markdown.table(
        ["Method", "Calls, at most", "Calls", "Solved", "Candidate pairs", "Calls a pair",
         "Pairs from 1,000 calls"],
        [
            [
                row["method"],
                row["calls"],
                row["generations"],
                f"{row['solved']:.1%}",
                row["pairs"],
                f"{row['calls_per_pair']:.1f}" if row["pairs"] else "none yet",
                f"{row['pairs_per_1000']:.1f}",
            ]
            for row in inputs.budgets.iter_rows(named=True)
        ],
    )  # fmt: skip
    if inputs.budgets.filter(pl.col("method") != DEBUGGING).height == 1:
        yield "Every problem was sampled once, so what more samples would give is not known here."
    yield "![Problems solved, by calls a problem](solved_by_calls.png)"
    yield "![Candidate pairs from 1,000 calls, by calls a problem](pairs_by_calls.png)"


def _filters(inputs: CardInputs) -> Iterator[str]:
    rows = [("kept", inputs.kept), *inputs.dropped.items()]
    yield markdown.table(["Pairs", "Count"], [[name.replace("_", " "), n] for name, n in rows])
    yield "![Candidate pairs kept, and dropped by filter](pairs_by_filter.png)"
    if inputs.judged:
        yield "What the judge answered, by pairs; only `form` drops one:"
        yield markdown.table(["Answer", "Pairs"], list(inputs.judged.items()))


def _focus(found: UnreachedFocus) -> str:
    of_all = f"{found.unreached:,} of {found.lines:,} ({found.share:.1%})"
    return f"D- lines that no test reaches: {of_all}."


def _spread_table(unit: str, values: Sequence[Spread]) -> str:
    names = ["least", "5%", "median", "95%", "most"]
    return markdown.table(
        [unit, "mean", *names],
        [
            [spread.name, f"{spread.mean:.1f}", *[spread.quantile(q) for q in _QUANTILES]]
            for spread in values
        ],
    )


def _features(inputs: CardInputs) -> Iterator[str]:
    both = (inputs.problems, inputs.paired)
    yield markdown.table(
        ["", "All problems", "With a kept pair"],
        [
            ["problems", *[each.problems for each in both]],
            ["different features", *[len(each.features) for each in both]],
            ["effective number of features", *[f"{each.effective_features:.1f}" for each in both]],
            ["different combinations", *[each.combinations for each in both]],
        ],
    )
    shown = list(inputs.problems.features.items())[:SHOWN_FEATURES]
    if shown:
        yield markdown.table(
            ["Feature", "Problems", "With a kept pair"],
            [[name, count, inputs.paired.features.get(name, 0)] for name, count in shown],
        )


def _doubtful(found: pl.DataFrame) -> Iterator[str]:
    yield (
        "Problems that no sample solves, and of which most samples give the same wrong answer: "
        f"{found.height:,}. Their tests may be wrong."
    )
    if found.height:
        yield markdown.table(
            ["Problem", "Samples", "Agree", "What they do"], found.head(SHOWN_DOUBTFUL).rows()
        )


def _duplicates(inputs: CardInputs) -> Iterator[str]:
    found = inputs.duplicates
    yield markdown.table(
        ["Kept pairs that repeat an earlier one's", "Count"],
        [["prompt", found.prompts], ["y+", found.chosen], ["y+ and y-", found.pairs]],
    )
    against = ", ".join(inputs.benchmarks) or "no benchmark: none is scored or named"
    yield f"Seeds were kept clear of each other, of the held-out problems, and of: {against}."
    reasons = (
        inputs.dropped_seeds.group_by("reason", pl.col("benchmark").fill_null("other seeds"))
        .agg(seeds=pl.col("problem_id").n_unique())
        .sort("benchmark", "reason")
    )
    if reasons.height:
        yield markdown.table(
            ["Dropped for", "Shared with", "Seeds"],
            reasons.select("reason", "benchmark", "seeds").rows(),
        )
    allowed = f"; allowed by override: {', '.join(inputs.allowed)}" if inputs.allowed else ""
    yield f"Kept pairs of benchmarks' own tasks: {inputs.benchmark_tasks:,}{allowed}."
