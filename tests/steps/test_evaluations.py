"""What the scores of a model on the held-out problems depend on."""

from pathlib import Path

import pytest

from iterpref_assets.core.artifacts import ArtifactStore
from iterpref_assets.settings import load_settings
from iterpref_assets.steps.evaluations import HELDOUT_SCORES
from iterpref_assets.steps.step import StepContext


@pytest.fixture
def context(tmp_path: Path) -> StepContext:
    return StepContext(load_settings(), ArtifactStore(tmp_path))


def test_other_packages_ask_for_new_scores_as_programs_may_import_them(context) -> None:
    settings = context.settings.model_copy(update={"packages": ("numpy",)})
    changed = StepContext(settings, context.store)
    plans = [HELDOUT_SCORES.plan(each, "lab/reference") for each in (context, changed)]
    assert plans[0].config != plans[1].config


@pytest.mark.parametrize("section", ["evaluation", "sampled_evaluation"])
def test_fewer_completions_asked_for_at_once_ask_for_no_other_scores(context, section) -> None:
    settings = context.settings.overridden(section, {"in_flight": 1})
    changed = StepContext(settings, context.store)
    plans = [HELDOUT_SCORES.plan(each, "lab/reference") for each in (context, changed)]
    assert plans[0] == plans[1]
