"""What became of each problem of the store's shards: its kept pairs, or why it has none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pydantic import JsonValue

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.core.pairs.by_problem import (
    SHOWN,
    ProblemFiles,
    ProblemPairs,
    pairs_by_problem,
    without_pairs,
)
from iterpref_assets.steps.heldout_problems import PROBLEMS_FILE
from iterpref_assets.steps.seed_problems import DROPPED_FILE, SEED_PROBLEMS
from iterpref_assets.steps.trajectories import DEBUG_TRAJECTORIES, VERSIONS_FILE


def problems_of_shards(
    store: ArtifactStore, shards: Sequence[str], pairs: Sequence[Path]
) -> list[ProblemPairs]:
    """Every problem of the shards, dropped ones included, with its pairs in the tables `pairs`.

    Of a shard whose trajectories are not there nothing is said.
    """
    shards = [name for name in shards if store.find(ArtifactKey(DEBUG_TRAJECTORIES.asset, name))]
    return pairs_by_problem(
        ProblemFiles(
            problems=_files(store, SEED_PROBLEMS.asset, shards, PROBLEMS_FILE),
            dropped=_files(store, SEED_PROBLEMS.asset, shards, DROPPED_FILE),
            versions=_files(store, DEBUG_TRAJECTORIES.asset, shards, VERSIONS_FILE),
            pairs=pairs,
        )
    )


def problem_figures(problems: Sequence[ProblemPairs]) -> dict[str, JsonValue]:
    """What a manifest says of them: how many have pairs, and some of those that have none."""
    without = without_pairs(problems)
    return {
        "problems_with_pairs": len(problems) - len(without),
        "problems_without_pairs": dict(Counter(str(each.reason) for each in without)),
        "examples_without_pairs": {each.problem_id: each.why for each in without[:SHOWN]},
    }


def _files(store: ArtifactStore, asset: str, shards: Sequence[str], name: str) -> list[Path]:
    return [store.current(ArtifactKey(asset, shard)).path(name) for shard in shards]
