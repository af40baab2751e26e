"""What a pair is called, and what its name says about where it came from."""

from __future__ import annotations

_SAMPLED = ":0~"
REJECTED_SAMPLE = rf"{_SAMPLED}(\d+)$"
"""Finds the rejected sample in the name of a pair of independent samples, and in no other."""


def debugging_pair_id(trajectory_id: str, rejected_round: int, chosen_round: int) -> str:
    """Two versions of one trajectory."""
    return f"{trajectory_id}:{rejected_round}-{chosen_round}"


def sampled_pair_id(trajectory_id: str, rejected_sample: int) -> str:
    """Two independent samples: the first version of `trajectory_id`, and that of another sample."""
    return f"{trajectory_id}{_SAMPLED}{rejected_sample}"


def rejected_sample(pair_id: str, trajectory_id: str) -> int | None:
    """The sample that y- is; None where y- is a version of the pair's own trajectory."""
    start = f"{trajectory_id}{_SAMPLED}"
    return int(pair_id.removeprefix(start)) if pair_id.startswith(start) else None
