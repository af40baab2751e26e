"""The tables that an experiment leaves: what every cell is, how it scored, how it was trained."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.experiment.choosing import best_rate
from iterpref_assets.core.experiment.kinds import KINDS
from iterpref_assets.core.files import replace_files
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
    "made_of": pl.String(),
    "commit": pl.String(),
    "date": pl.String(),
    "machine": pl.String(),
}
"""One row a model; rate and seed are null for the reference. `validation` is its pass rate on the
validation problems, null of the seeds that no rate is chosen with, `focal_share` that of the tokens
of y- which are of D-, `config` all that it was made with, as JSON; its `first_model` is the key and
content hash of the model that a second round goes on from. `made_of` is a JSON object: by asset
that holds results of the model, the digest of all that they depend on."""

SCORES: tables.Schema = {
    "arm": pl.String(),
    "rate": pl.Float64(),
    "seed": pl.Int64(),
    "problem_id": pl.String(),
    "passed": pl.Boolean(),
    "verdict": pl.String(),
    "error_type": pl.String(),
    "passed_stronger": pl.Boolean(),
}
"""One row a model and reported problem, greedy. `passed_stronger` says whether what passed passes
the problem's stronger tests too; it is null where nothing passed or they were not run."""

CURVES: tables.Schema = {
    "arm": pl.String(),
    "rate": pl.Float64(),
    "seed": pl.Int64(),
    "step": pl.Int64(),
    "name": pl.String(),
    "value": pl.Float64(),
}
"""One row a model, optimizer step and figure (curves.describe)."""

TASKS: tables.Schema = {
    "problem_id": pl.String(),
    "features": pl.List(pl.String()),
}
"""One row a reported problem, with the features that it was composed from."""

ROUNDS: tables.Schema = {
    "method": pl.String(),
    "problem_id": pl.String(),
    "calls": pl.Int64(),
    "solved": pl.Float64(),
}
"""One row a method (debugging.figures), problem and number of programs. Debugging: the share of the
problem's first answers that is solved by so many programs of the trajectory that debugs each.
Samples: 1 where one of so many passes, else 0. An answer without a program solves nothing."""

SAMPLED: tables.Schema = {
    "arm": pl.String(),
    "rate": pl.Float64(),
    "seed": pl.Int64(),
    "problem_id": pl.String(),
    "samples": pl.Int64(),
    "passed": pl.Int64(),
    "distinct": pl.Int64(),
}
"""One row a model and reported problem: samples, those that passed, and how many programs are
among them that differ in more than comments and layout."""

BENCHMARKS: tables.Schema = {
    "arm": pl.String(),
    "rate": pl.Float64(),
    "seed": pl.Int64(),
    "benchmark": pl.String(),
    "problem_id": pl.String(),
    "passed": pl.Boolean(),
    "passed_plus": pl.Boolean(),
}
"""One row a model and benchmark task that is no validation problem, greedy: whether the base tests
passed, and whether those and the plus tests did."""

FILES: Mapping[str, tables.Schema] = {
    "cells.parquet": CELLS,
    "scores.parquet": SCORES,
    "curves.parquet": CURVES,
    "kinds.parquet": KINDS,
    "tasks.parquet": TASKS,
    "rounds.parquet": ROUNDS,
    "sampled.parquet": SAMPLED,
    "benchmarks.parquet": BENCHMARKS,
}
"""Each table's file, in the order of the fields of Results."""


@dataclass(frozen=True)
class Results:
    """The tables of one base model, each by the name of its schema (`kinds` is kinds.KINDS)."""

    cells: pl.DataFrame
    scores: pl.DataFrame
    curves: pl.DataFrame
    kinds: pl.DataFrame
    tasks: pl.DataFrame
    rounds: pl.DataFrame
    sampled: pl.DataFrame
    benchmarks: pl.DataFrame

    @cached_property
    def arms(self) -> list[str]:
        """The arms that have a reported score, the reference first, in the order of the table."""
        return self.scores["arm"].unique(maintain_order=True).to_list()

    def rates_tried(self, arm: str) -> dict[float, float]:
        """The validation pass rate of an arm's seed 0 by learning rate, where it is known."""
        mine = self.cells.filter(pl.col("arm") == arm, pl.col("seed") == 0).sort("rate")
        return dict(mine.select("rate", "validation").drop_nulls().iter_rows())

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
        if arm not in self._reported:
            rate = self.chosen_rate(arm)
            mine = self.scores.filter(pl.col("arm") == arm)
            self._reported[arm] = mine if rate is None else mine.filter(pl.col("rate") == rate)
        return self._reported[arm]

    @cached_property
    def _reported(self) -> dict[str, pl.DataFrame]:
        """By arm what `reported` gave: a page asks for each some forty times."""
        return {}

    def seeds(self, arm: str) -> list[int]:
        """The seeds of the rows of `matrix`; 0 of the reference, which has none."""
        return sorted(self.reported(arm)["seed"].fill_null(0).unique().to_list())

    def matrix(self, arm: str) -> NDArray[np.float64]:
        """[seeds, problems] how far an arm's model of a seed solved a problem, in their order.

        0 or 1, greedy; the share that passed of what was sampled.

        Raises:
            InputError: where a seed has scores of other problems than another.
        """
        if arm not in self._matrices:
            self._matrices[arm] = self._matrix(arm)
        return self._matrices[arm]

    @cached_property
    def _matrices(self) -> dict[str, NDArray[np.float64]]:
        """A page asks for each some twenty times."""
        return {}

    def _matrix(self, arm: str) -> NDArray[np.float64]:
        rows = self.reported(arm).with_columns(pl.col("seed").fill_null(0))
        rows = rows.sort("seed", "problem_id")
        seeds = rows["seed"].n_unique()
        if rows["problem_id"].to_list() != self.problems * seeds:
            raise InputError(
                f"the seeds of {arm} were scored on different problems",
                field="problem_id",
                remedy="Run the experiment again and export it anew",
            )
        values = rows["passed"].cast(pl.Float64).to_numpy().reshape(seeds, -1).copy()
        values.flags.writeable = False
        return values

    def of_samples(self) -> Results:
        """The same arms with what was sampled in the place of the greedy scores.

        Each is reported at the rate that it is reported at greedy.
        """
        shares = self.sampled.with_columns(passed=pl.col("passed") / pl.col("samples"))
        return replace(self, scores=self._at_reported_rates(shares))

    @property
    def benchmark_names(self) -> list[str]:
        """The benchmarks that some model was scored on, sorted."""
        return sorted(self.benchmarks["benchmark"].unique().to_list())

    def of_benchmark(self, name: str, *, plus: bool) -> Results:
        """The same arms with a benchmark's scores in the place of those of held-out problems.

        Each is reported at the rate that it is reported at on held-out problems.

        Args:
            name: one of `benchmark_names`.
            plus: whether a program has to pass the plus tests too.
        """
        passed = pl.col("passed_plus" if plus else "passed")
        mine = self.benchmarks.filter(benchmark=name).with_columns(passed=passed)
        return replace(self, scores=self._at_reported_rates(mine))

    def of_all_tasks(self) -> Results:
        """The same arms with all that they were asked, one set of problems, in the scores' place.

        The held-out problems and every benchmark's tasks, with plus tests; of models that each was
        asked of. A held-out problem that is a benchmark's task too is that task alone.
        """
        asked = [self.of_benchmark(name, plus=True).scores for name in self.benchmark_names]
        # Names may differ in case: MBPP's train split has mbpp/601, MBPP+ Mbpp/601.
        tasks = {name.lower() for scores in asked for name in scores["problem_id"].unique()}
        known = pl.col("problem_id").str.to_lowercase().is_in(list(tasks))
        model = ["arm", "rate", "seed"]
        everything = pl.concat(
            scores.select(*model, "problem_id", "passed")
            for scores in (self.scores.filter(~known), *asked)
        )
        for scores in (self.scores, *asked):
            everything = everything.join(scores, on=model, how="semi", nulls_equal=True)
        return replace(self, scores=self._at_reported_rates(everything))

    def _at_reported_rates(self, scores: pl.DataFrame) -> pl.DataFrame:
        rates = [(arm, self.chosen_rate(arm)) for arm in self.arms]
        columns = ["arm", "rate"]
        reported = pl.DataFrame(rates, {name: SCORES[name] for name in columns}, orient="row")
        return scores.join(reported, on=columns, how="semi", nulls_equal=True)

    @cached_property
    def problems(self) -> list[str]:
        """Every reported problem, sorted."""
        return sorted(self.scores["problem_id"].unique().to_list())


def write_results(results: Results, folder: Path) -> list[Path]:
    """Write the tables to `folder`; the files.

    Each appears whole, and the cells, which tell what the others hold, last: what a kill leaves
    claims no row that is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    frames = [getattr(results, field.name) for field in fields(results)]
    paths = [folder / name for name in FILES]
    with tempfile.TemporaryDirectory(dir=folder) as staging:
        for name, frame, schema in zip(FILES, frames, FILES.values(), strict=True):
            tables.write_table(frame, schema, Path(staging) / name)
        replace_files(Path(staging), folder, [*list(FILES)[1:], next(iter(FILES))])
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


def error_counts(results: Results, arm: str) -> dict[str, float]:
    """How many of an arm's greedy programs failed in each way, mean over its seeds.

    A failure without an exception counts under its verdict.
    """
    kind = pl.when(pl.col("error_type") == "").then("verdict").otherwise("error_type")
    mine = results.reported(arm)
    failing = mine.filter(~pl.col("passed")).group_by(kind.alias("kind")).len()
    seeds = mine["seed"].n_unique()
    return {name: count / seeds for name, count in failing.iter_rows()}
