"""Steps that stand for those that train and score the experiment's grid."""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl
import pytest

from iterpref_assets import grid
from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import Plan
from iterpref_assets.core.experiment.arms import Cell
from iterpref_assets.core.frames import problems_to_frame
from iterpref_assets.core.lab.config import LabConfig
from iterpref_assets.core.lab.problems import compose_heldout
from iterpref_assets.steps.evaluations import GREEDY_FILE
from iterpref_assets.steps.experiment_scores import draws_samples
from iterpref_assets.steps.experiment_stronger import is_possible
from iterpref_assets.steps.heldout_problems import PROBLEMS_FILE
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.step import Parent, Step, StepContext

SOLVED = {1e-5: 1, 3e-5: 3, 1e-4: 2}
"""Of four validation problems, by learning rate."""
SECOND = {
    "trajectories": Partitioning.SECOND_ROUND,
    "pairs": Partitioning.SECOND_ROUND,
    "models": Partitioning.SECOND_CELL,
}


def sizes(**changed: int) -> dict[str, object]:
    """Of an experiment with four held-out problems, three of them to choose rates on."""
    return {"rates": list(SOLVED), "validation_problems": 3, **changed}


def if_trained(_context: StepContext, partition: str) -> tuple[str, ...]:
    return () if partition == "reference" or "-second" in partition else (partition,)


def validation(solved: int) -> pl.DataFrame:
    rows = [
        {
            "task_id": str(place), "sample": 0, "completion": "", "code": "", "verdict": "",
            "error_type": "", "base_passed": place < solved, "plus_passed": None,
        }
        for place in range(4)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=tables.SCORES)


class Made:
    """Stands for the steps that train and score, and keeps what they were asked to make."""

    def __init__(self, code_version: str = "1") -> None:
        self.code_version = code_version
        self.cells: list[tuple[str, str]] = []
        self.ends_at: str | None = None

    def step(self, asset: str, partitioning: Partitioning, *parents: Parent) -> Step:
        def publish(context: StepContext, plans: Sequence[Plan]) -> None:
            for plan in plans:
                key = plan.key.partition
                if key == self.ends_at:
                    raise KeyboardInterrupt
                with context.store.publishing(plan) as staging:
                    solved = SOLVED.get(Cell.parse(key).rate or 0, 0) if "@" in key else 0
                    path = staging.folder / GREEDY_FILE
                    tables.write_table(validation(solved), tables.SCORES, path)
                self.cells.append((asset, key))

        return Step(
            asset=asset, partitioning=partitioning, parents=parents, publish=publish,
            code_version=self.code_version,
        )  # fmt: skip

    def heldout(self) -> Step:
        def publish(context: StepContext, plans: Sequence[Plan]) -> None:
            for plan in plans:
                with context.store.publishing(plan) as staging:
                    problems = problems_to_frame(compose_heldout(LabConfig(heldout_problems=4)))
                    tables.write_table(problems, tables.PROBLEMS, staging.folder / PROBLEMS_FILE)

        return Step(
            asset="heldout_problems", partitioning=Partitioning.WHOLE, publish=publish,
            code_version="1",
        )  # fmt: skip

    def of(self, asset: str) -> list[str]:
        return [key for name, key in self.cells if name == asset]


def made_steps(monkeypatch: pytest.MonkeyPatch, code_version: str = "1") -> Made:
    """Steps in the place of the grid's own, which keep what they make."""
    made = Made(code_version)
    models = made.step("experiment_models", Partitioning.FIRST_CELL)
    for name, partitioning in SECOND.items():
        step = made.step(f"experiment_second_{name}", partitioning)
        monkeypatch.setattr(grid, f"EXPERIMENT_SECOND_{name.upper()}", step)
    monkeypatch.setattr(grid, "HELDOUT_PROBLEMS", made.heldout())
    monkeypatch.setattr(grid, "CHAIN", ())
    monkeypatch.setattr(
        grid, "EXPERIMENT_PAIRS", made.step("experiment_pairs", Partitioning.PAIR_SET)
    )
    monkeypatch.setattr(grid, "EXPERIMENT_MODELS", models)
    for name in ("experiment_validation", "experiment_scores"):
        step = made.step(name, Partitioning.CELL, Parent(models, if_trained))
        monkeypatch.setattr(grid, name.upper(), step)
    for exists, name in ((is_possible, "stronger"), (draws_samples, "sampled")):
        step = made.step(f"experiment_{name}", Partitioning.CELL, Parent(models, if_trained))
        monkeypatch.setattr(grid, f"EXPERIMENT_{name.upper()}", replace(step, exists=exists))
    return made
