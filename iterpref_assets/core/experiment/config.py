"""How large the experiment is."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from iterpref_assets.core.records import Record


class ExperimentConfig(Record):
    """The grid's sizes; which arms there are stands in `arms.py`."""

    base_model: str = Field(
        default="lab", min_length=1, description="The base model that every arm trains, by its name"
    )
    rates: tuple[float, ...] = Field(
        default=(3e-5, 1e-4, 3e-4),
        min_length=1,
        description="Learning rates that each arm is tried at, with seed 0; the best on the "
        "validation problems is the arm's",
    )
    seeds: int = Field(
        default=5, ge=1, le=100, description="Seeds that an arm can be trained with, from 0 on"
    )
    validation_problems: int = Field(
        default=300,
        ge=1,
        description="Held-out problems that rates are chosen on, of each source its share; the "
        "others are reported",
    )
    samples: int = Field(
        default=0,
        ge=0,
        le=1000,
        description="Completions of each reported problem beside the greedy one, drawn as in "
        "`sampled_evaluation`, by each model that a run reports; 0 draws none",
    )
    recorded: Path | None = Field(
        default=None,
        description="Folder of tables that `iterpref experiment export` wrote on another machine: "
        "debugged programs and results of models that are there are not made again",
    )
