"""Seeds as their source gives them, by shard, and held-out problems to score on."""

from __future__ import annotations

from collections.abc import Sequence

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import UNPARTITIONED, ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.records import Problem
from iterpref_assets.core.seeds.frames import frame_to_problems, problems_to_frame
from iterpref_assets.core.seeds.reading import unusable_frame
from iterpref_assets.steps.step import Step, StepContext

PROBLEMS_FILE = "problems.parquet"
UNUSABLE_FILE = "unusable.parquet"


def read_problems(store: ArtifactStore, key: ArtifactKey) -> list[Problem]:
    """The problems of one published artifact."""
    path = store.current(key).path(PROBLEMS_FILE)
    return frame_to_problems(tables.read_table(path, tables.PROBLEMS))


def _plan_raw_seeds(context: StepContext, shard: str) -> Plan:
    settings = context.settings
    return Plan(ArtifactKey("raw_seeds", shard), "1", settings.seeds.shard_identity(shard))


def _plan_heldout_problems(context: StepContext, _partition: str = UNPARTITIONED) -> Plan:
    settings = context.settings
    return Plan(ArtifactKey("heldout_problems"), "1", settings.seeds.heldout_identity())


def _publish_raw_seeds(context: StepContext, plans: Sequence[Plan]) -> None:
    for plan in plans:
        reading = context.settings.seeds.load_shard(plan.key.partition)
        unusable = unusable_frame(reading.unusable)
        with context.store.publishing(plan) as staging:
            frame = problems_to_frame(reading.problems)
            tables.write_table(frame, tables.PROBLEMS, staging.folder / PROBLEMS_FILE)
            tables.write_table(unusable, tables.UNUSABLE_SEEDS, staging.folder / UNUSABLE_FILE)
            staging.row_count = frame.height


def _publish_heldout_problems(context: StepContext, plans: Sequence[Plan]) -> None:
    for plan in plans:
        frame = problems_to_frame(context.settings.seeds.load_heldout())
        with context.store.publishing(plan) as staging:
            tables.write_table(frame, tables.PROBLEMS, staging.folder / PROBLEMS_FILE)
            staging.row_count = frame.height


RAW_SEEDS = Step("raw_seeds", _plan_raw_seeds, _publish_raw_seeds)
HELDOUT_PROBLEMS = Step("heldout_problems", _plan_heldout_problems, _publish_heldout_problems)
