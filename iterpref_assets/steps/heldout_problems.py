"""Tables of problems, and the held-out ones to score on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pydantic import JsonValue

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.frames import frame_to_problems, problems_to_frame
from iterpref_assets.core.records import Problem
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.step import Step, StepContext

PROBLEMS_FILE = "problems.parquet"
SEEDS = "seed_problems"
"""What is trained on, shard by shard."""


def read_problems(store: ArtifactStore, key: ArtifactKey) -> list[Problem]:
    """The problems of one published artifact."""
    path = store.current(key).path(PROBLEMS_FILE)
    return frame_to_problems(tables.read_table(path, tables.PROBLEMS))


def training_problems(store: ArtifactStore, shards: Sequence[str]) -> Iterator[tuple[str, Problem]]:
    """The published training problems of some shards, each with its shard."""
    for shard in shards:
        for problem in read_problems(store, ArtifactKey(SEEDS, shard)):
            yield shard, problem


def refuse_repeated_ids(
    problems: Iterable[Problem], place: ArtifactKey, seen: dict[str, ArtifactKey]
) -> None:
    """Add the problems of `place` to `seen`; samples, trajectories and pairs are told apart by id.

    Raises:
        InputError: naming the first that has the id of an earlier one.
    """
    for problem in problems:
        if problem.problem_id in seen:
            raise InputError(
                f"{problem.problem_id!r} names another problem of {seen[problem.problem_id]}",
                file=str(place),
                field="problem_id",
                remedy="Give each problem an id of its own in the source",
            )
        seen[problem.problem_id] = place


def _config(context: StepContext, _partition: str) -> Mapping[str, JsonValue]:
    return context.settings.seeds.heldout_identity()


def _publish(context: StepContext, plans: Sequence[Plan]) -> None:
    for plan in plans:
        problems = context.settings.seeds.load_heldout()
        refuse_repeated_ids(problems, plan.key, {})
        frame = problems_to_frame(problems)
        with context.store.publishing(plan) as staging:
            tables.write_table(frame, tables.PROBLEMS, staging.folder / PROBLEMS_FILE)
            staging.row_count = frame.height


HELDOUT_PROBLEMS = Step(
    asset="heldout_problems",
    partitioning=Partitioning.WHOLE,
    config=_config,
    publish=_publish,
    code_version="5",
)
