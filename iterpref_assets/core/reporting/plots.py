"""The report's figures, as PNG bytes: equal data give equal bytes."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from iterpref_assets.core.evaluation.bootstrap import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's palette: told apart with any colour vision, and in print by lightness.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
KEPT, DROPPED, NEUTRAL = "#009E73", "#D55E00", "#6B6B6B"
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

# The writer's name and version would change the bytes with every release.
_METADATA = {"Software": None}

STYLE: dict[Any, Any] = {
    "figure.dpi": 120,
    "figure.constrained_layout.use": True,
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E3E3E3",
    "legend.frameon": False,
}


@dataclass(frozen=True)
class PlottedScore:
    """A variant's pass@1 over `tasks` problems, in [0, 1] with its interval."""

    variant: str
    pass_at_1: Interval
    tasks: int


def pass_rate_by_round(rates: Sequence[float]) -> bytes:
    """The share of problems solved by the end of each debugging round (paper, Figure 6).

    Args:
        rates: cumulative pass rates in [0, 1]; position is the round, 0 before any feedback.
    """

    def draw(axes: Axes) -> None:
        rounds = range(len(rates))
        percent = [100 * rate for rate in rates]
        axes.plot(rounds, percent, color=COLOURS[0], marker="o", linewidth=2)
        for number, value in zip(rounds, percent, strict=True):
            axes.annotate(
                f"{value:.1f}", (number, value), (0, 8), textcoords="offset points", ha="center"
            )
        axes.set(
            title="Problems solved, by debugging round",
            xlabel="Debugging round (0: no feedback yet)",
            ylabel="Solved so far (%)",
            ylim=(0, 105),
            xticks=list(rounds),
        )
        axes.margins(x=0.08)

    return render(draw, width=6.0, height=3.6)


def pairs_by_filter(kept: int, dropped: Mapping[str, int]) -> bytes:
    """How many candidate pairs were kept and what dropped the others, in the order given."""
    names = ["kept", *dropped]
    counts = [kept, *dropped.values()]
    total = max(sum(counts), 1)

    def draw(axes: Axes) -> None:
        colours = [KEPT, *[DROPPED] * len(dropped)]
        labels = [name.replace("_", " ") for name in names]
        bars = axes.barh(labels, counts, color=colours, height=0.65)
        axes.bar_label(
            bars, [f"{count:,} ({100 * count / total:.1f}%)" for count in counts], padding=4
        )
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set(title="Candidate pairs kept, and dropped by filter", xlabel="Pairs")
        axes.margins(x=0.25)

    return render(draw, width=7.0, height=1.2 + 0.42 * len(names))


def training_curves(
    curves: Mapping[str, Sequence[Mapping[str, float]]], metric: str, label: str
) -> bytes:
    """One metric over the training steps, a line per recipe.

    Args:
        curves: for each recipe its logged rows; rows without `metric` are left out.
        metric: the key to draw, beside `step`.
        label: the vertical axis' label, with the unit.

    Raises:
        ValueError: where no recipe logged `metric`.
    """
    lines = {name: [row for row in rows if metric in row] for name, rows in curves.items()}
    if not any(lines.values()):
        raise ValueError(f"no recipe logged {metric!r}")

    def draw(axes: Axes) -> None:
        for index, (name, rows) in enumerate(lines.items()):
            if rows:
                axes.plot(
                    [row["step"] for row in rows],
                    [row[metric] for row in rows],
                    color=COLOURS[index % len(COLOURS)],
                    marker=MARKERS[index % len(MARKERS)],
                    markevery=max(len(rows) // 8, 1),
                    markersize=5,
                    label=name,
                )
        axes.set(title=f"{label}, by training step", xlabel="Optimizer step", ylabel=label)
        axes.legend(loc="best")

    return render(draw, width=6.0, height=3.6)


def scores_by_variant(scores: Sequence[PlottedScore], title: str) -> bytes:
    """pass@1 per variant with its confidence interval.

    Args:
        scores: the reference model first (grey, with a line across the others), then the recipes
            in the order of `training_curves`, whose colours they share.
        title: what was measured.
    """

    def draw(axes: Axes) -> None:
        positions = range(len(scores))
        rates = [score.pass_at_1 for score in scores]
        values = [100 * rate.estimate for rate in rates]
        below = [100 * (rate.estimate - rate.low) for rate in rates]
        above = [100 * (rate.high - rate.estimate) for rate in rates]
        colours = [COLOURS[index % len(COLOURS)] for index in range(len(scores) - 1)]
        axes.barh(positions, values, color=[NEUTRAL, *colours], height=0.6)
        axes.errorbar(values, positions, xerr=[below, above], fmt="none", ecolor="black", capsize=4)
        for position, rate in zip(positions, rates, strict=True):
            axes.annotate(
                f"{100 * rate.estimate:.1f}",
                (100 * rate.high, position),
                (6, 0),
                textcoords="offset points",
                va="center",
            )
        axes.set_yticks(positions, [f"{score.variant}\n(n = {score.tasks:,})" for score in scores])
        axes.axvline(values[0], color=NEUTRAL, linestyle="--", linewidth=1)
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set(title=title, xlabel="Problems solved (%), with confidence interval", xlim=(0, 105))

    return render(draw, width=7.0, height=1.2 + 0.55 * len(scores))


def render(draw: Callable[[Axes], None], *, width: float, height: float) -> bytes:
    """PNG bytes of one figure of `width` by `height` inches; nothing global is changed."""
    from matplotlib import style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with style.context(["default", STYLE]):
        figure = Figure(figsize=(width, height))
        FigureCanvasAgg(figure)
        draw(figure.subplots())
        stream = io.BytesIO()
        figure.savefig(
            stream, format="png", bbox_inches="tight", pad_inches=0.15, metadata=_METADATA
        )
    return stream.getvalue()
