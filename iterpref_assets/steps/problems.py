"""Tables of problems, and the held-out ones to score on."""

from __future__ import annotations

from collections.abc import Sequence

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import UNPARTITIONED, ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.records import Problem
from iterpref_assets.core.seeds.frames import frame_to_problems, problems_to_frame
from iterpref_assets.steps.step import Step, StepContext

PROBLEMS_FILE = "problems.parquet"


def read_problems(store: ArtifactStore, key: ArtifactKey) -> list[Problem]:
    """The problems of one published artifact."""
    path = store.current(key).path(PROBLEMS_FILE)
    return frame_to_problems(tables.read_table(path, tables.PROBLEMS))


def _plan_heldout_problems(context: StepContext, _partition: str = UNPARTITIONED) -> Plan:
    settings = context.settings
    return Plan(ArtifactKey("heldout_problems"), "2", settings.seeds.heldout_identity())


def _publish_heldout_problems(context: StepContext, plans: Sequence[Plan]) -> None:
    for plan in plans:
        frame = problems_to_frame(context.settings.seeds.load_heldout())
        with context.store.publishing(plan) as staging:
            tables.write_table(frame, tables.PROBLEMS, staging.folder / PROBLEMS_FILE)
            staging.row_count = frame.height


HELDOUT_PROBLEMS = Step("heldout_problems", _plan_heldout_problems, _publish_heldout_problems)
