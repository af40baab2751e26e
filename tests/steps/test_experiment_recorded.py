"""What a result of the grid depends on, on whatever machine."""

from pathlib import Path

import pytest

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.settings import Settings
from iterpref_assets.steps.experiment_recorded import made_of
from iterpref_assets.steps.experiment_scores import EXPERIMENT_SCORES
from iterpref_assets.steps.experiment_stronger import EXPERIMENT_STRONGER
from iterpref_assets.steps.step import StepContext

KEY = "focal_dpo@0.0001@0"


def publish(store: ArtifactStore, asset: str, partition: str, **files: str) -> None:
    with store.publishing(Plan(ArtifactKey(asset, partition), "1")) as staging:
        for name, text in files.items():
            (staging.folder / f"{name}.parquet").write_text(text)


@pytest.fixture
def context(tmp_path: Path) -> StepContext:
    return a_machine(tmp_path / "one")


def a_machine(root: Path, *, logprobs: str = "1", **changed: object) -> StepContext:
    """A store with what a grid's models are made of."""
    settings = Settings.model_validate({"root": root, "experiment": {}, **changed})
    store = ArtifactStore(root)
    for asset, partition in (
        ("heldout_problems", "all"), ("base_models", "lab"), ("lab_base_model", "all"),
    ):  # fmt: skip
        publish(store, asset, partition, content=asset)
    publish(store, "experiment_pairs", "random", tokens="1 2 3", reference_logprobs=logprobs)
    return StepContext(settings, store)


def test_a_result_is_known_before_its_model_is_trained(context):
    assert made_of(context, EXPERIMENT_SCORES, KEY) is not None
    assert context.store.find(ArtifactKey("experiment_models", KEY)) is None


def test_what_is_judged_of_scores_is_known_before_the_model_is_scored(context):
    assert made_of(context, EXPERIMENT_STRONGER, KEY) is not None
    assert context.store.find(ArtifactKey("experiment_scores", KEY)) is None


def test_log_probabilities_that_are_rounded_otherwise_are_the_same_result(context, tmp_path):
    other = a_machine(tmp_path / "other", logprobs="1.0000001")
    assert made_of(context, EXPERIMENT_SCORES, KEY) == made_of(other, EXPERIMENT_SCORES, KEY)


def test_other_pairs_are_another_result(context):
    before = made_of(context, EXPERIMENT_SCORES, KEY)
    publish(context.store, "experiment_pairs", "random", tokens="4 5 6")
    assert made_of(context, EXPERIMENT_SCORES, KEY) != before


@pytest.mark.parametrize("asset", ["heldout_problems", "lab_base_model"])
def test_other_problems_or_another_base_model_are_another_result(context, asset):
    before = made_of(context, EXPERIMENT_SCORES, KEY)
    publish(context.store, asset, "all", content="other")
    assert made_of(context, EXPERIMENT_SCORES, KEY) != before


@pytest.mark.parametrize(
    "changed", [{"training": {"epochs": 7}}, {"evaluation": {"max_tokens": 7}}]
)
def test_other_settings_of_training_or_scoring_are_another_result(context, tmp_path, changed):
    other = a_machine(tmp_path / "other", **changed)
    assert made_of(context, EXPERIMENT_SCORES, KEY) != made_of(other, EXPERIMENT_SCORES, KEY)


def test_cells_are_results_of_their_own(context):
    keys = (KEY, "focal_dpo@0.0001@1", "focal_dpo@0.0003@0", "sft@0.0001@0", "reference")
    assert len({made_of(context, EXPERIMENT_SCORES, key) for key in keys}) == len(keys)


def test_without_pairs_nothing_is_known_of_a_trained_model(tmp_path):
    context = a_machine(tmp_path / "one")
    assert made_of(context, EXPERIMENT_SCORES, "focal_dpo-tokens@0.0001@0") is None
