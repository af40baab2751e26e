"""The leaderboard as Markdown and as a figure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import polars as pl

from iterpref_assets.core.reporting import markdown, plots

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ABSENT = "-"
SHOWN_ERRORS = 12


def leaderboard_text(board: pl.DataFrame) -> str:
    """Two tables in the form of the paper's Table 1, in percent with intervals.

    The average is over all columns, shown for variants that have them all.

    Args:
        board: tables.LEADERBOARD.
    """
    columns, variants = _names(board, "column"), _names(board, "variant")
    cells = {(row["column"], row["variant"]): row for row in board.iter_rows(named=True)}
    tasks = {column: max(board.filter(column=column)["tasks"]) for column in columns}

    def row(variant: str, show: Callable[[dict[str, Any]], str], field: str) -> list[str]:
        mine = [cells.get((column, variant)) for column in columns]
        values = [cell[field] for cell in mine if cell is not None and cell[field] is not None]
        whole = len(values) == len(columns)
        mean = f"{100 * sum(values) / len(values):.1f}" if whole else ABSENT
        return [variant, *[show(cell) if cell else ABSENT for cell in mine], mean]

    rates = [row(variant, _rate, "pass_at_1") for variant in variants]
    gains = [row(variant, _gain, "difference") for variant in variants]
    gains = [each for each in gains if any(cell != ABSENT for cell in each[1:])]
    head = ["Variant", *columns, "Average"]
    blocks = [
        "pass@1 in percent, with its bootstrap interval\n",
        markdown.table(head, [*rates, ["tasks", *[f"{tasks[each]:,}" for each in columns], ""]]),
    ]
    if gains:
        blocks += [
            "Difference to the reference model in points, paired by task\n",
            markdown.table(head, gains),
        ]
    return "\n".join(blocks)


def failures_text(title: str, errors: pl.DataFrame) -> str:
    """The most frequent ways to fail, in the form of the paper's Table 18.

    Args:
        title: where programs failed.
        errors: core.evaluation.summary.error_table, a column per variant.
    """
    shown = errors.head(SHOWN_ERRORS)
    more = "" if shown.height == errors.height else f", the {SHOWN_ERRORS} most frequent ways"
    body = markdown.table(shown.columns, shown.rows()) if shown.height else "None.\n"
    return f"Failing programs by error type, {title}{more}\n\n{body}"


def leaderboard_lines(board: pl.DataFrame) -> list[str]:
    """One line per variant, for a terminal."""
    return [
        f"{variant:<19} "
        + "  ".join(
            f"{row['column']} {100 * row['pass_at_1']:.1f}"
            for row in board.filter(variant=variant).iter_rows(named=True)
        )
        for variant in _names(board, "variant")
    ]


def leaderboard_plot(board: pl.DataFrame) -> bytes:
    """pass@1 with its interval by benchmark column, variants side by side, as PNG bytes.

    Args:
        board: tables.LEADERBOARD; the first variant is the reference model, in grey.
    """
    columns, variants = _names(board, "column"), _names(board, "variant")
    step = 0.8 / len(variants)

    def draw(axes: Axes) -> None:
        for index, variant in enumerate(variants):
            rows = board.filter(variant=variant).rows(named=True)
            values = [100 * row["pass_at_1"] for row in rows]
            offset = (index - (len(variants) - 1) / 2) * step
            axes.errorbar(
                [columns.index(row["column"]) + offset for row in rows],
                values,
                yerr=[
                    [100 * (row["pass_at_1"] - row["low"]) for row in rows],
                    [100 * (row["high"] - row["pass_at_1"]) for row in rows],
                ],
                fmt=plots.MARKERS[index % len(plots.MARKERS)],
                color=plots.NEUTRAL if index == 0 else plots.COLOURS[(index - 1) % 7],
                markersize=6,
                capsize=3,
                label=variant,
            )
        axes.set_xticks(range(len(columns)), columns)
        axes.grid(visible=False, axis="x")
        axes.set(title="pass@1 by benchmark", ylabel="Tasks solved (%), with interval")
        axes.set_ylim(bottom=0)
        axes.legend(loc="best")

    return plots.render(draw, width=2.0 + 1.1 * len(columns), height=4.0)


def _names(board: pl.DataFrame, column: str) -> list[str]:
    return board[column].unique(maintain_order=True).to_list()


def _rate(cell: dict[str, Any]) -> str:
    return f"{100 * cell['pass_at_1']:.1f} ({100 * cell['low']:.1f} to {100 * cell['high']:.1f})"


def _gain(cell: dict[str, Any]) -> str:
    if cell["difference"] is None:
        return ABSENT
    low, high = 100 * cell["difference_low"], 100 * cell["difference_high"]
    return f"{100 * cell['difference']:+.1f} ({low:+.1f} to {high:+.1f})"
