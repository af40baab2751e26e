"""The tables that an experiment leaves: what every cell is, how it scored, how it was trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.experiment.choosing import best_rate
from iterpref_assets.core.experiment.kinds import KINDS
from iterpref_assets.core.training.recipes import REFERENCE

CELLS: tables.Schema = {
    "arm": pl.String(),
    "rate": pl.Float64(),
    "seed": pl.Int64(),
    "recipe": pl.String(),
    "pairs": pl.String(),
    "pair_count": pl.Int64(),
    "focal_share": pl.Float64(),
    "steps": pl.Int64(),
    "validation": pl.Float64(),
    "config": pl.String(),
    "content_hash": pl.String(),
    "commit": pl.String(),
    "date": pl.String(),
    "machine": pl.String(),
}
"""One row a model; rate and seed are null for the reference. `validation` is its pass rate on the
validation problems, null of the seeds that no rate is chosen with, `focal_share` that of the tokens
of y- which are of D-, `config` all that it was made with, as JSON."""

SCORES: tables.Schema = {
    "arm": pl.String(),
    "rate": pl.Float64(),
    "seed": pl.Int64(),
    "problem_id": pl.String(),
    "passed": pl.Boolean(),
    "verdict": pl.String(),
    "error_type": pl.String(),
}
"""One row a model and reported problem, greedy."""

CURVES: tables.Schema = {
    "arm": pl.String(),
    "rate": pl.Float64(),
    "seed": pl.Int64(),
    "step": pl.Int64(),
    "name": pl.String(),
    "value": pl.Float64(),
}
"""One row a model, optimizer step and figure (curves.describe)."""

FILES: Mapping[str, tables.Schema] = {
    "cells.parquet": CELLS,
    "scores.parquet": SCORES,
    "curves.parquet": CURVES,
    "kinds.parquet": KINDS,
}


@dataclass(frozen=True)
class Results:
    """The four tables of one base model: CELLS, SCORES, CURVES and kinds.KINDS."""

    cells: pl.DataFrame
    scores: pl.DataFrame
    curves: pl.DataFrame
    kinds: pl.DataFrame

    @property
    def arms(self) -> list[str]:
        """The arms that have a reported score, the reference first, in the order of the table."""
        return self.scores["arm"].unique(maintain_order=True).to_list()

    def rates_tried(self, arm: str) -> dict[float, float]:
        """The validation pass rate of an arm's seed 0 by learning rate."""
        mine = self.cells.filter(pl.col("arm") == arm, pl.col("seed") == 0).sort("rate")
        return dict(mine.select("rate", "validation").iter_rows())

    def chosen_rate(self, arm: str) -> float | None:
        """The rate that an arm is reported at; None of the reference.

        The best on validation among those with scores: a grid that is not finished may have tried
        a better one and not scored it yet.
        """
        if arm == REFERENCE:
            return None
        scored = set(self.scores.filter(arm=arm)["rate"].unique())
        tried = self.rates_tried(arm)
        return best_rate({rate: value for rate, value in tried.items() if rate in scored})

    def reported(self, arm: str) -> pl.DataFrame:
        """The scores of an arm at its chosen rate."""
        rate = self.chosen_rate(arm)
        mine = self.scores.filter(pl.col("arm") == arm)
        return mine if rate is None else mine.filter(pl.col("rate") == rate)

    def matrix(self, arm: str) -> NDArray[np.float64]:
        """[seeds, problems] 1 where an arm's model of a seed solved a problem, in their order.

        Raises:
            InputError: where a seed has scores of other problems than another.
        """
        wide = (
            self.reported(arm)
            .with_columns(pl.col("seed").fill_null(0))
            .pivot("problem_id", index="seed", values="passed")
            .sort("seed")
        )
        columns = sorted(set(wide.columns) - {"seed"})
        values = wide.select(columns)
        if any(values.null_count().row(0)) or columns != self.problems:
            raise InputError(
                f"the seeds of {arm} were scored on different problems",
                field="problem_id",
                remedy="Run the experiment again and export it anew",
            )
        return values.cast(pl.Float64).to_numpy()

    @property
    def problems(self) -> list[str]:
        """Every reported problem, sorted."""
        return sorted(self.scores["problem_id"].unique().to_list())


def write_results(results: Results, folder: Path) -> list[Path]:
    """Write the tables to `folder`; the files."""
    folder.mkdir(parents=True, exist_ok=True)
    frames = (results.cells, results.scores, results.curves, results.kinds)
    paths = [folder / name for name in FILES]
    for path, frame, schema in zip(paths, frames, FILES.values(), strict=True):
        tables.write_table(frame, schema, path)
    return paths


def read_results(folder: Path) -> Results:
    """The tables of `folder`.

    Raises:
        InputError: where one is missing or malformed.
    """
    return Results(*(tables.read_table(folder / name, schema) for name, schema in FILES.items()))


def curve_rows(points: Sequence[Mapping[str, float]]) -> list[dict[str, float | int | str]]:
    """The figures of a training run's points as rows: step, name, value."""
    return [
        {"step": int(point["step"]), "name": name, "value": value}
        for point in points
        for name, value in point.items()
        if name not in {"step", "epoch"}
    ]
