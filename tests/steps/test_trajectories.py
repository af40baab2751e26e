"""What samples and trajectories depend on, and what only says how fast they come."""

from pathlib import Path

import pytest

from iterpref_assets.core.artifacts import ArtifactStore, Plan
from iterpref_assets.settings import load_settings
from iterpref_assets.steps.samples import INITIAL_SAMPLES
from iterpref_assets.steps.step import Step, StepContext
from iterpref_assets.steps.trajectories import DEBUG_TRAJECTORIES


@pytest.fixture
def context(tmp_path: Path) -> StepContext:
    return StepContext(load_settings(), ArtifactStore(tmp_path))


def changed_plan(context: StepContext, step: Step, section: str, **changes: object) -> Plan:
    settings = context.settings.overridden(section, changes)
    return step.plan(StepContext(settings, context.store), "a")


def test_fewer_conversations_held_at_once_ask_for_no_other_samples(context) -> None:
    changed = changed_plan(context, INITIAL_SAMPLES, "sampling", max_in_flight=1)
    assert changed == INITIAL_SAMPLES.plan(context, "a")


def test_fewer_trajectories_and_programs_at_once_ask_for_no_other_trajectories(context) -> None:
    fewer = {"max_in_flight": 1, "judge_workers": 1}
    changed = changed_plan(context, DEBUG_TRAJECTORIES, "debugging", **fewer)
    assert changed == DEBUG_TRAJECTORIES.plan(context, "a")


@pytest.mark.parametrize(
    ("step", "section"), [(INITIAL_SAMPLES, "sampling"), (DEBUG_TRAJECTORIES, "debugging")]
)
def test_another_temperature_asks_for_other_completions(context, step: Step, section: str) -> None:
    changed = changed_plan(context, step, section, temperature=0.5)
    assert changed != step.plan(context, "a")
