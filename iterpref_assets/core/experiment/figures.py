"""The experiment's figures, as PNG bytes: equal results give equal bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from iterpref_assets.core.evaluation.bootstrap import Interval
from iterpref_assets.core.reporting.plots import COLOURS, MARKERS, NEUTRAL, render

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Figures = dict[str, Callable[[], bytes]]
"""By file name what draws a figure: text alone needs none drawn."""


def arms_plot(gains: Mapping[str, Interval]) -> bytes:
    """Each arm's pass@1 minus the reference's, paired, the highest on top.

    Args:
        gains: by arm, shares of 1.
    """

    def draw(axes: Axes) -> None:
        ordered = sorted(gains.items(), key=lambda item: -item[1].estimate)
        places, values = range(len(ordered)), [100 * each.estimate for _, each in ordered]
        low = [100 * (each.estimate - each.low) for _, each in ordered]
        high = [100 * (each.high - each.estimate) for _, each in ordered]
        axes.errorbar(values, places, xerr=[low, high], fmt="o", color=COLOURS[0], capsize=3)
        axes.axvline(0, color=NEUTRAL, linestyle="--", linewidth=1)
        axes.set_yticks(places, [name for name, _ in ordered])
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set(
            title="Greedy pass@1 minus the reference's, by arm",
            xlabel="Points, with 95% interval of the paired difference",
        )

    return render(draw, width=7.0, height=1.2 + 0.25 * len(gains))


def validation_plot(tried: Mapping[str, Mapping[float, float]], reference: float) -> bytes:
    """Validation pass rate by learning rate, a line an arm."""

    def draw(axes: Axes) -> None:
        for place, (arm, rates) in enumerate(tried.items()):
            axes.plot(
                list(rates),
                [100 * value for value in rates.values()],
                color=COLOURS[place % len(COLOURS)],
                marker=MARKERS[place % len(MARKERS)],
                label=arm,
            )
        axes.axhline(100 * reference, color=NEUTRAL, linestyle="--", linewidth=1, label="reference")
        axes.set(
            title="Validation problems solved, by learning rate",
            xlabel="Peak learning rate",
            ylabel="Solved (%)",
            xscale="log",
        )
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8)

    return render(draw, width=8.0, height=4.0)


def curves_plot(
    curves: pl.DataFrame, arms: Sequence[str], figure: str, title: str, unit: str
) -> bytes:
    """One figure over the training steps, a line an arm, averaged over a tenth of the steps.

    Args:
        curves: results.CURVES of one model an arm.
        arms: in the order of their colours; those without `figure` have no line.
        figure: its name in `curves`.
        title: of the plot.
        unit: the vertical axis' label.
    """

    def draw(axes: Axes) -> None:
        for place, arm in enumerate(arms):
            mine = curves.filter(arm=arm, name=figure).sort("step")
            if mine.height:
                window = max(mine.height // 10, 1)
                axes.plot(
                    mine["step"].to_list(),
                    mine["value"].rolling_mean(window).to_list(),
                    color=COLOURS[place % len(COLOURS)],
                    marker=MARKERS[place % len(MARKERS)],
                    markevery=max(mine.height // 8, 1),
                    markersize=4,
                    label=arm,
                )
        axes.set(title=title, xlabel="Optimizer step", ylabel=unit)
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8)

    return render(draw, width=7.5, height=3.6)


PAPER_BENCHMARK = "BigCodeBench-Hard Complete"
PAPER_GAINS: Mapping[str, Mapping[str, float]] = {
    "the paper, DS-Coder-7B": {
        "dpo": 12.2 - 15.5, "rpo": 10.8 - 15.5, "focal_dpo": 22.3 - 15.5, "focal_rpo": 20.9 - 15.5,
    },
    "the paper, Qwen2.5-Coder-7B": {
        "dpo": 12.8 - 16.2, "rpo": 14.2 - 16.2, "focal_dpo": 25.6 - 16.2, "focal_rpo": 29.7 - 16.2,
    },
}  # fmt: skip
"""Table 1, PAPER_BENCHMARK: pass@1 of each variant minus the reference's, points."""


def gains_plot(gains: Mapping[str, Interval | None]) -> bytes:
    """Each arm's pass@1 minus the reference's, beside the paper's (the form of its Figure 1).

    Args:
        gains: by arm, shares of 1; None of one that was not run.
    """

    def draw(axes: Axes) -> None:
        height = 0.8 / (1 + len(PAPER_GAINS))
        places = range(len(gains))
        for number, (model, paper) in enumerate(PAPER_GAINS.items()):
            at = [place + number * height for place in places]
            colour = (NEUTRAL, "#B5B5B5")[number]
            axes.barh(
                at,
                [paper[arm] for arm in gains],
                height,
                color=colour,
                label=f"{model}: {PAPER_BENCHMARK}",
            )
        ours = [
            (place + len(PAPER_GAINS) * height, found)
            for place, found in enumerate(gains.values())
            if found
        ]
        at = [place for place, _ in ours]
        values = [100 * found.estimate for _, found in ours]
        low = [100 * (found.estimate - found.low) for _, found in ours]
        high = [100 * (found.high - found.estimate) for _, found in ours]
        axes.barh(
            at, values, height, color=COLOURS[0], label="here: held-out problems, with 95% interval"
        )
        axes.errorbar(values, at, xerr=[low, high], fmt="none", ecolor="black", capsize=3)
        axes.axvline(0, color="black", linewidth=1)
        axes.set_yticks([place + height for place in places], list(gains))
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set(title="pass@1 minus the reference's", xlabel="Points")
        axes.legend(loc="best", fontsize=8)

    return render(draw, width=7.0, height=4.0)


def sets_plot(
    shown: Mapping[str, Mapping[str, Interval]], arms: Sequence[str], title: str, label: str
) -> bytes:
    """One figure of every arm on every set of problems, each a point with its 95% interval.

    Args:
        shown: by set and arm, shares of 1; an arm without the figure has no point.
        arms: from top to bottom.
        title: of the figure.
        label: the horizontal axis' label, with the unit.
    """

    def draw(axes: Axes) -> None:
        step = 0.8 / len(shown)
        for number, (name, by_arm) in enumerate(shown.items()):
            there = [arm for arm in arms if arm in by_arm]
            at = [arms.index(arm) - 0.4 + (number + 0.5) * step for arm in there]
            found = [by_arm[arm] for arm in there]
            low = [100 * (each.estimate - each.low) for each in found]
            high = [100 * (each.high - each.estimate) for each in found]
            axes.errorbar(
                [100 * each.estimate for each in found], at, xerr=[low, high], fmt=MARKERS[number],
                color=COLOURS[number], capsize=2, markersize=5, label=name,
            )  # fmt: skip
        if any(each.low < 0 for by_arm in shown.values() for each in by_arm.values()):
            axes.axvline(0, color="black", linewidth=1)
        axes.set_yticks(range(len(arms)), list(arms))
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set(title=title, xlabel=f"{label}, with 95% interval")
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8)

    return render(draw, width=8.0, height=1.2 + 0.14 * len(arms) * (len(shown) + 1))


def rounds_plot(
    here: Mapping[str, Mapping[int, float]], paper: Mapping[str, Mapping[int, float]]
) -> bytes:
    """Solved by so many programs, a colour a method (Figure 6 and Table 5).

    Args:
        here: by method and number of programs, shares of 1.
        paper: likewise, what the paper tells.
    """

    def draw(axes: Axes) -> None:
        for place, (method, solved) in enumerate(here.items()):
            colour, marker = COLOURS[place], MARKERS[place]
            ours = [100 * share for share in solved.values()]
            axes.plot(list(solved), ours, color=colour, marker=marker, label=f"{method}, here")
            told = paper[method]
            axes.plot(
                list(told), [100 * share for share in told.values()], color=colour, marker=marker,
                linestyle="none", markerfacecolor="white", label=f"{method}, the paper",
            )  # fmt: skip
        axes.set(
            title="Solved, by number of programs",
            xlabel="Programs (1: the first answer; each round of debugging adds one)",
            ylabel="Solved so far (%)",
            ylim=(0, 105),
        )
        axes.legend(loc="lower right", fontsize=8)

    return render(draw, width=6.5, height=3.6)
