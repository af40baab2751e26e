"""Reference log-probabilities and checkpoints as artifacts."""

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.training.recipes import RECIPES, Reading, Side
from iterpref_assets.settings import LocalModel, load_settings
from iterpref_assets.steps.checkpoints import CHECKPOINTS, REFERENCE_LOGPROBS
from iterpref_assets.steps.models import BASE_MODELS
from iterpref_assets.steps.pairs import TOKENS_FILE
from iterpref_assets.steps.step import StepContext

TRAINING = {
    "learning_rate": 1e-3, "epochs": 2, "batch_size": 4, "micro_batch_size": 2, "save_minutes": 0,
}  # fmt: skip
PAIRS = pl.DataFrame(
    [
        {
            "pair_id": str(number), "prompt_ids": [5, 6, 7 + number],
            "chosen_ids": [10, 11 + number, 12, 0], "rejected_ids": [10, 40 + number, 0],
            "chosen_mask": [False, True, True, False], "rejected_mask": [False, True, False],
        }
        for number in range(8)
    ],
    schema=tables.TOKENIZED_PAIRS,
)  # fmt: skip


@pytest.fixture
def context(tmp_path: Path, tiny_checkpoint: Path) -> StepContext:
    settings = load_settings().overridden("training", TRAINING)
    models = {"tiny": LocalModel(path=tiny_checkpoint)}
    settings = settings.model_copy(update={"root": tmp_path, "base_models": models})
    opened = StepContext(settings, ArtifactStore(tmp_path))
    with opened.store.publishing(Plan(ArtifactKey("preference_pairs", "tiny"), "1")) as staging:
        tables.write_table(PAIRS, tables.TOKENIZED_PAIRS, staging.folder / TOKENS_FILE)
    publish(opened, BASE_MODELS, "tiny")
    return opened


def publish(context: StepContext, step, partition: str):
    step.publish(context, [step.plan(context, partition)])
    return context.store.current(ArtifactKey(step.asset, partition))


def reporting(context: StepContext, report) -> StepContext:
    return StepContext(context.settings, context.store, report)


def test_manifest_names_base_model_data_recipe_options_code_and_last_figures(
    context, tiny_checkpoint
):
    publish(context, REFERENCE_LOGPROBS, "tiny")
    artifact = publish(context, CHECKPOINTS, "tiny/focal_rpo")
    manifest = artifact.manifest
    assert manifest.config["base_model"] == {"source": "local", "path": str(tiny_checkpoint)}
    assert manifest.config["recipe"] == {
        "name": "focal_rpo", "beta": 0.1, "alpha": 1.0,
        "readings": [{"chosen": "all", "rejected": "difference", "imitated": "chosen"}],
    }  # fmt: skip
    assert manifest.config["training"]["learning_rate"] == 1e-3
    assert manifest.code_version
    for asset in ("preference_pairs", "reference_logprobs", "base_models"):
        parent = context.store.current(ArtifactKey(asset, "tiny"))
        assert manifest.upstream[f"{asset}/tiny"] == parent.manifest.content_hash
    points = [json.loads(line) for line in artifact.path("metrics.jsonl").read_text().splitlines()]
    assert manifest.figures["steps"] == len(points) == 4
    assert manifest.figures["loss"] == points[-1]["loss"]
    assert len(manifest.figures["pairs_per_second_by_point"]) == 4


def test_only_imitation_does_without_reference_logprobs(context):
    for recipe in RECIPES:
        parents = {
            parent.asset for parent in CHECKPOINTS.plan(context, f"tiny/{recipe.name}").parents
        }
        assert ("reference_logprobs" in parents) == recipe.needs_reference
    assert publish(context, CHECKPOINTS, "tiny/sft").path("model.safetensors").is_file()
    with pytest.raises(InputError, match="reference_logprobs/tiny has not been materialized"):
        publish(context, CHECKPOINTS, "tiny/dpo")


def test_interrupted_checkpoint_resumes_and_has_the_bytes_of_an_undisturbed_one(context):
    publish(context, REFERENCE_LOGPROBS, "tiny")

    def stop_at_three(point):
        if point["step"] == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        publish(reporting(context, stop_at_three), CHECKPOINTS, "tiny/focal_rpo")
    seen = []
    resumed = publish(reporting(context, seen.append), CHECKPOINTS, "tiny/focal_rpo")
    assert [point["step"] for point in seen] == [3, 4]
    whole = publish(context, CHECKPOINTS, "tiny/focal_rpo")
    assert whole.manifest.content_hash == resumed.manifest.content_hash


def test_options_of_speed_and_memory_alone_ask_for_no_other_checkpoint(context):
    publish(context, REFERENCE_LOGPROBS, "tiny")
    publish(context, CHECKPOINTS, "tiny/dpo")

    def reusable(**changes) -> bool:
        settings = context.settings.overridden("training", changes)
        other = StepContext(settings, context.store)
        return context.store.reusable(CHECKPOINTS.plan(other, "tiny/dpo")) is not None

    assert reusable(micro_batch_size=1, gradient_checkpointing=True, processes=2)
    assert not reusable(learning_rate=2e-3)
    assert not reusable(max_length=1024)


def test_a_recipe_that_reads_other_tokens_under_its_old_name_asks_for_another_checkpoint(
    context, monkeypatch
):
    publish(context, CHECKPOINTS, "tiny/sft")
    assert context.store.reusable(CHECKPOINTS.plan(context, "tiny/sft")) is not None
    changed = [
        replace(recipe, readings=(Reading(imitated=Side.REJECTED),))
        if recipe.name == "sft"
        else recipe
        for recipe in RECIPES
    ]
    monkeypatch.setattr("iterpref_assets.core.training.recipes.RECIPES", tuple(changed))
    assert context.store.reusable(CHECKPOINTS.plan(context, "tiny/sft")) is None
