"""A step plans its own asset, from what it says that it is made of."""

from pathlib import Path

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.settings import load_settings
from iterpref_assets.steps.step import Basis, Step, StepContext


def test_a_plan_names_the_steps_asset_and_code_version_with_their_basis(tmp_path: Path) -> None:
    parents = (ArtifactKey("other", "a"),)
    step = Step(
        "asset",
        lambda _context, partition: Basis({"of": partition}, parents),
        lambda _context, _plans: None,
        code_version="7",
    )
    plan = step.plan(StepContext(load_settings(), ArtifactStore(tmp_path)), "a")
    assert plan == Plan(ArtifactKey("asset", "a"), "7", {"of": "a"}, parents)
