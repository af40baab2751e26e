"""The training curves: which figures a point has, and the file that keeps them.

The file holds nothing timed, so that the same run writes the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

Point = dict[str, float]
"""One point: step, epoch, loss, learning_rate, grad_norm and the figures of `describe`."""

TIMED = "pairs_per_second"

SUMS = (
    "pairs",
    "compared",
    "margin",
    "correct",
    "chosen_logprob",
    "chosen_tokens",
    "rejected_logprob",
    "rejected_tokens",
    "focal_logprob",
    "focal_tokens",
)


def describe(sums: list[float], seconds: float) -> dict[str, float]:
    """The figures of a point from the sums of SUMS over its pairs; absent where there are none.

    pairs_per_second; reward_margin: mean beta * (K(y+) - K(y-)), nats; reward_accuracy: share of
    pairs where it is above 0; chosen_, rejected_, focal_logprob: mean nats a token that is read.
    """
    total: dict[str, float] = dict(zip(SUMS, sums, strict=True))
    figures = {TIMED: total["pairs"] / seconds}
    if total["compared"]:
        figures["reward_margin"] = total["margin"] / total["compared"]
        figures["reward_accuracy"] = total["correct"] / total["compared"]
    for group in ("chosen", "rejected", "focal"):
        if total[f"{group}_tokens"]:
            figures[f"{group}_logprob"] = total[f"{group}_logprob"] / total[f"{group}_tokens"]
    return figures


class CurveWriter:
    """Appends the points of a run to a file of JSON lines, and hands them on."""

    def __init__(self, file: Path, on_point: Callable[[Point], None]) -> None:
        self.file, self.on_point = file, on_point

    def start_after(self, points: list[Point]) -> None:
        """Let the file hold `points` alone: those up to the checkpoint that a run resumes from."""
        self.file.write_text("".join(_line(point) for point in points))

    def add(self, point: Point) -> None:
        """Append one point."""
        with self.file.open("a") as lines:
            lines.write(_line(point))
        self.on_point(point)


def _line(point: Point) -> str:
    kept = {name: value for name, value in point.items() if name != TIMED}
    return f"{json.dumps(kept, sort_keys=True)}\n"
