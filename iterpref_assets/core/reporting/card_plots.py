"""The data card's figures, as PNG bytes: equal data give equal bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from iterpref_assets.core.debugging.figures import DEBUGGING, SAMPLING
from iterpref_assets.core.pairs.characteristics import Spread
from iterpref_assets.core.reporting.plots import COLOURS, MARKERS, render

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BINS = 40


def spreads(values: Sequence[Spread], title: str, label: str) -> bytes:
    """How many pairs have each value, a line for each quantity.

    Args:
        values: quantities in the same unit, each with at least one value.
        title: what is shown.
        label: the horizontal axis' label, with the unit.
    """

    def draw(axes: Axes) -> None:
        longest = max(spread.quantile(1.0) for spread in values)
        # Whole numbers: a bin is as wide as one, or as several where there are many.
        edges = np.arange(-0.5, longest + 1.5, max(1, -(-(longest + 1) // BINS)))
        edges = np.append(edges, longest + 0.5) if edges[-1] < longest + 0.5 else edges
        for spread, colour in zip(values, COLOURS, strict=False):
            counts, _ = np.histogram(spread.values.to_numpy(), bins=edges)
            axes.stairs(counts, edges, color=colour, linewidth=1.8, label=spread.name)
        axes.set(title=title, xlabel=label, ylabel="Pairs")
        axes.legend(loc="best")

    return render(draw, width=6.0, height=3.6)


def budgets(table: pl.DataFrame, column: str, title: str, label: str, scale: float = 1.0) -> bytes:
    """Debugging and sampling by calls a problem.

    Args:
        table: debugging.figures.BUDGETS.
        column: what to draw, times `scale`.
        title: what is shown.
        label: the vertical axis' label, with the unit.
        scale: e.g. 100 for a share in percent.
    """

    def draw(axes: Axes) -> None:
        for index, method in enumerate((DEBUGGING, SAMPLING)):
            rows = table.filter(pl.col("method") == method)
            axes.plot(
                rows["calls"].to_list(),
                [scale * value for value in rows[column]],
                color=COLOURS[index],
                marker=MARKERS[index],
                linewidth=2,
                label=method,
            )
        axes.set(
            title=title,
            xlabel="Calls a problem, at most",
            ylabel=label,
            xticks=table["calls"].unique().sort().to_list(),
        )
        axes.set_ylim(bottom=0)
        axes.legend(loc="best")

    return render(draw, width=6.0, height=3.6)
