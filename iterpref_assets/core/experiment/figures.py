"""The experiment's figures, as PNG bytes: equal results give equal bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from iterpref_assets.core.evaluation.bootstrap import Interval
from iterpref_assets.core.reporting.plots import COLOURS, MARKERS, NEUTRAL, render

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def rates_plot(rates: Mapping[str, Interval], reference: str) -> bytes:
    """pass@1 by arm with its interval, and a line at the reference."""

    def draw(axes: Axes) -> None:
        places, values = range(len(rates)), [100 * each.estimate for each in rates.values()]
        low = [100 * (each.estimate - each.low) for each in rates.values()]
        high = [100 * (each.high - each.estimate) for each in rates.values()]
        colours = [NEUTRAL if name == reference else COLOURS[0] for name in rates]
        axes.barh(places, values, color=colours, height=0.6)
        axes.errorbar(values, places, xerr=[low, high], fmt="none", ecolor="black", capsize=3)
        axes.axvline(100 * rates[reference].estimate, color=NEUTRAL, linestyle="--", linewidth=1)
        axes.set_yticks(places, list(rates))
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set(title="Greedy pass@1 by arm", xlabel="Problems solved (%), with 95% interval")

    return render(draw, width=7.0, height=1.2 + 0.35 * len(rates))


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
        axes.legend(loc="best", fontsize=8)

    return render(draw, width=7.0, height=4.0)


def curves_plot(curves: pl.DataFrame, arms: Sequence[str], figure: str, label: str) -> bytes:
    """One figure over the training steps, a line an arm.

    Args:
        curves: results.CURVES of one model an arm.
        arms: in the order of their colours; those without `figure` have no line.
        figure: its name in `curves`.
        label: the vertical axis' label, with the unit.
    """

    def draw(axes: Axes) -> None:
        for place, arm in enumerate(arms):
            mine = curves.filter(arm=arm, name=figure).sort("step")
            if mine.height:
                axes.plot(
                    mine["step"].to_list(),
                    mine["value"].to_list(),
                    color=COLOURS[place % len(COLOURS)],
                    label=arm,
                )
        axes.set(title=f"{label}, by training step", xlabel="Optimizer step", ylabel=label)
        axes.legend(loc="best", fontsize=8)

    return render(draw, width=6.5, height=3.6)
