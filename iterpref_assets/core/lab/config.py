"""How much of the lab's problem space a run uses."""

from __future__ import annotations

from pydantic import Field

from iterpref_assets.core.records import Record


class LabConfig(Record):
    """Counts and seed of the lab's problems.

    The split between training and held-out problems does not depend on any of these.
    """

    seed: int = Field(
        default=0,
        description="Draws the problems; another seed gives other problems of the same splits",
    )
    shards: int = Field(default=4, ge=1, le=1000, description="Partitions of the training problems")
    problems_per_shard: int = Field(
        default=600, ge=1, le=10_000, description="Training problems in a shard"
    )
    heldout_problems: int = Field(
        default=400, ge=1, le=10_000, description="Problems kept from all training"
    )
    cases_per_problem: int = Field(
        default=12,
        ge=10,
        le=64,
        description="Least number of tests of a problem; one whose siblings need more to fail has "
        "more",
    )


def shard_names(config: LabConfig) -> tuple[str, ...]:
    """The partition keys of the training problems."""
    return tuple(f"lab-{index:03d}" for index in range(config.shards))
