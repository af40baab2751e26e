"""The report of one run of the chain: report.md and its figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from iterpref_assets.core.evaluation.bootstrap import Interval
from iterpref_assets.core.reporting import markdown, plots
from iterpref_assets.core.reporting.leaderboard import (
    leaderboard_lines,
    leaderboard_plot,
    leaderboard_text,
)
from iterpref_assets.core.reporting.plots import PlottedScore

Rows = Sequence[Mapping[str, float]]

REPORT = "report.md"
LEADERBOARD = "leaderboard.png"

METRICS = {
    "loss": "Loss (nats)",
    "reward_margin": "Reward margin (nats)",
    "reward_accuracy": "Reward accuracy (share of pairs)",
}
"""The training metrics that are drawn, where a recipe logs them."""


@dataclass(frozen=True)
class BenchmarkScores:
    """The scores of every variant on one benchmark.

    Attributes:
        title: e.g. "Held-out lab problems, greedy pass@1".
        scores: the reference model first, then the recipes in the order of the curves.
        pass_at_k: for each variant and k the estimate in [0, 1]; empty where it was not measured.
    """

    title: str
    scores: Sequence[PlottedScore]
    pass_at_k: Mapping[str, Mapping[int, float]]


@dataclass(frozen=True)
class ReportInputs:
    """Everything the report shows.

    Attributes:
        problems: problems by kind, e.g. {"train": 400, "held-out": 200}.
        samples: first answers, before any debugging (round 0).
        programs_run: programs that were generated and executed, over all rounds.
        pass_rate_by_round: cumulative, in [0, 1]; position is the round.
        kept, dropped: candidate pairs kept, and dropped by filter in filter order.
        focal_share: share of y- tokens on D- lines, in [0, 1].
        curves: for each recipe its logged rows (`step` and the keys of METRICS).
        benchmarks: one or more.
        leaderboard: tables.LEADERBOARD, None where no benchmark was scored.
        provenance: what it was made of, e.g. {"base model": "...", "pairs": "sha256 ..."}.
        example_pairs: rendered pairs (markdown.pair_difference).
    """

    problems: Mapping[str, int]
    samples: int
    programs_run: int
    pass_rate_by_round: Sequence[float]
    kept: int
    dropped: Mapping[str, int]
    focal_share: float
    curves: Mapping[str, Rows]
    benchmarks: Sequence[BenchmarkScores]
    provenance: Mapping[str, str]
    example_pairs: Sequence[str] = ()
    leaderboard: pl.DataFrame | None = None


def write_report(inputs: ReportInputs, folder: Path) -> Path:
    """Write report.md and its figures into `folder`; equal inputs give equal bytes.

    Returns:
        The path of report.md.
    """
    folder.mkdir(parents=True, exist_ok=True)
    figures = dict(_figures(inputs))
    for name, image in figures.items():
        (folder / name).write_bytes(image)
    report = folder / REPORT
    report.write_text(_text(inputs, list(figures)), encoding="utf-8")
    return report


def summary_lines(inputs: ReportInputs) -> list[str]:
    """The run in a few lines, as printed at its end."""
    problems = ", ".join(f"{count:,} {kind}" for kind, count in inputs.problems.items())
    rates = " ".join(f"{100 * rate:.1f}" for rate in inputs.pass_rate_by_round)
    candidates = inputs.kept + sum(inputs.dropped.values())
    return [
        f"problems            {problems}",
        f"samples             {inputs.samples:,}",
        f"programs run        {inputs.programs_run:,} (samples and debugging rounds)",
        f"solved by round, %  {rates}",
        f"pairs kept          {inputs.kept:,} of {candidates:,}",
        f"focal share of y-   {100 * inputs.focal_share:.1f}%",
        *[
            f"{score.variant:<19} {percent(score.pass_at_1)}  {benchmark.title}"
            for benchmark in inputs.benchmarks
            for score in benchmark.scores
        ],
        *([] if inputs.leaderboard is None else leaderboard_lines(inputs.leaderboard)),
    ]


def percent(rate: Interval) -> str:
    """A rate and its interval, e.g. `43.2% [40.0, 46.5]`."""
    return f"{100 * rate.estimate:.1f}% [{100 * rate.low:.1f}, {100 * rate.high:.1f}]"


def _figures(inputs: ReportInputs) -> Iterator[tuple[str, bytes]]:
    yield "pass_rate_by_round.png", plots.pass_rate_by_round(inputs.pass_rate_by_round)
    yield "pairs_by_filter.png", plots.pairs_by_filter(inputs.kept, inputs.dropped)
    for metric, label in METRICS.items():
        if any(metric in row for rows in inputs.curves.values() for row in rows):
            yield f"{metric}.png", plots.training_curves(inputs.curves, metric, label)
    for index, benchmark in enumerate(inputs.benchmarks):
        image = plots.scores_by_variant(benchmark.scores, benchmark.title)
        yield f"scores_{index}.png", image
    if inputs.leaderboard is not None:
        yield LEADERBOARD, leaderboard_plot(inputs.leaderboard)


def _text(inputs: ReportInputs, figures: list[str]) -> str:
    blocks = [
        "# Focal preference learning from iterative debugging",
        "```text\n" + "\n".join(summary_lines(inputs)) + "\n```",
        "## Debugging",
        markdown.table(
            ["Round", "Solved so far"],
            [[i, f"{100 * rate:.1f}%"] for i, rate in enumerate(inputs.pass_rate_by_round)],
        ),
        _image("pass_rate_by_round.png", "Share of problems solved, by debugging round"),
        "## Pairs",
        markdown.table(
            ["Pairs", "Count"],
            [["kept", inputs.kept], *[[_words(name), n] for name, n in inputs.dropped.items()]],
        ),
        f"{100 * inputs.focal_share:.1f}% of the tokens of y- lie on lines that y+ does not share.",
        _image("pairs_by_filter.png", "Candidate pairs kept, and dropped by filter"),
        *inputs.example_pairs,
        "## Training",
        *[
            _image(f"{metric}.png", f"{label}, by step")
            for metric, label in METRICS.items()
            if f"{metric}.png" in figures
        ],
        "## Evaluation",
        *[
            block
            for index, benchmark in enumerate(inputs.benchmarks)
            for block in (
                f"### {benchmark.title}",
                _scores(benchmark),
                _image(f"scores_{index}.png", benchmark.title),
            )
        ],
        *_benchmarks(inputs.leaderboard),
        "## Made of",
        markdown.table(["What", "Which"], list(inputs.provenance.items())),
    ]
    return "\n\n".join(block.strip("\n") for block in blocks) + "\n"


def _benchmarks(leaderboard: pl.DataFrame | None) -> list[str]:
    if leaderboard is None:
        return []
    return ["### Benchmarks", leaderboard_text(leaderboard), _image(LEADERBOARD, "pass@1")]


def _scores(benchmark: BenchmarkScores) -> str:
    ks = sorted({k for rates in benchmark.pass_at_k.values() for k in rates})
    rows = [
        [
            score.variant,
            percent(score.pass_at_1),
            *[
                f"{100 * rates[k]:.1f}%" if k in rates else "not measured"
                for rates in [benchmark.pass_at_k.get(score.variant, {})]
                for k in ks
            ],
            score.tasks,
        ]
        for score in benchmark.scores
    ]
    return markdown.table(["Variant", "pass@1", *[f"pass@{k}" for k in ks], "Problems"], rows)


def _image(name: str, text: str) -> str:
    return f"![{text}]({name})"


def _words(name: str) -> str:
    return f"dropped: {name.replace('_', ' ')}"
