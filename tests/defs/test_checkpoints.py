"""The checkpoints asset while it trains, and what it leaves in the UI."""

import json
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import Artifact, ArtifactKey, ArtifactStore, Manifest, Plan
from iterpref_assets.core.training.recipes import RECIPE_NAMES
from iterpref_assets.defs import partitions
from iterpref_assets.defs.checkpoints import checkpoints
from iterpref_assets.defs.metadata import of_checkpoint
from iterpref_assets.defs.resources import ProjectResource, WorkerResource
from iterpref_assets.settings import load_settings
from iterpref_assets.steps.checkpoints import REFERENCE_LOGPROBS
from iterpref_assets.steps.models import BASE_MODELS, LAB_BASE_MODEL
from iterpref_assets.steps.pairs import TOKENS_FILE
from iterpref_assets.steps.step import StepContext

RESOURCES = {"project": ProjectResource(), "workers": WorkerResource()}
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
CURVES = {
    "loss", "reward_margin", "reward_accuracy", "chosen_logprob", "rejected_logprob",
    "focal_logprob", "grad_norm", "pairs_per_second",
}  # fmt: skip


@pytest.fixture
def inputs(store: ArtifactStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lab's model with a few pairs and their reference log-probabilities."""
    monkeypatch.setenv("ITERPREF_TRAINING__BATCH_SIZE", "4")
    monkeypatch.setenv("ITERPREF_TRAINING__MICRO_BATCH_SIZE", "2")
    context = StepContext(load_settings(), store)
    with store.publishing(Plan(ArtifactKey("preference_pairs", "lab"), "1")) as staging:
        tables.write_table(PAIRS, tables.TOKENIZED_PAIRS, staging.folder / TOKENS_FILE)
    for step, partition in (
        (LAB_BASE_MODEL, "all"), (BASE_MODELS, "lab"), (REFERENCE_LOGPROBS, "lab"),
    ):  # fmt: skip
        step.publish(context, [step.plan(context, partition)])


@pytest.mark.slow
def test_curves_stream_to_the_run_and_stay_as_plots(inputs, instance: dg.DagsterInstance) -> None:
    result = dg.materialize(
        [checkpoints], instance=instance, partition_key="lab|focal_rpo", resources=RESOURCES
    )
    lines = [entry.user_message for entry in instance.all_logs(result.run_id)]
    for step in (1, 2, 3, 4):
        (line,) = [line for line in lines if line.endswith(f"  step {step}")]
        assert all(name in line for name in CURVES)
    (materialization,) = result.asset_materializations_for_node("checkpoints")
    shown = materialization.metadata["curves"].value
    assert all(f"![{name}](data:image/png;base64," in shown for name in CURVES)


def test_every_base_model_is_crossed_with_every_recipe() -> None:
    keys = set(partitions.checkpoints.get_partition_keys())
    assert keys == {f"{m}|{r}" for m in load_settings().base_models for r in RECIPE_NAMES}


ADD_A_RECIPE = """
import sys, types
from importlib.util import find_spec
from pathlib import Path

name = "iterpref_assets.core.training.recipes"
source = Path(find_spec(name).origin).read_text()
head = "RECIPES: tuple[Recipe, ...] = ("
assert head in source
source = source.replace(head, head + 'Recipe("mine", (_FOCAL,), 0.2, 0.0, "Mine"),')
module = sys.modules[name] = types.ModuleType(name)
exec(source, module.__dict__)
import definitions
node = definitions.defs().resolve_asset_graph().get(__import__("dagster").AssetKey("checkpoints"))
print(node.partitions_def.get_partition_keys())
"""


def test_a_model_and_a_recipe_are_added_by_one_entry_each() -> None:
    models = {"lab": {"source": "lab"}, "other": {"source": "local", "path": "other"}}
    done = subprocess.run(
        [sys.executable, "-c", ADD_A_RECIPE],
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, "ITERPREF_BASE_MODELS": json.dumps(models)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "'other|mine'" in done.stdout
    assert "'lab|focal_rpo'" in done.stdout


def test_a_checkpoint_shows_its_trackers_and_the_curves_of_held_out_pairs(tmp_path):
    lines = [{"step": 1, "loss": 0.5}, {"step": 1, "eval_loss": 0.6}, {"step": 2, "loss": 0.4}]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (tmp_path / "metrics.jsonl").write_text(text)
    manifest = Manifest(
        asset="checkpoints",
        partition="lab/focal_rpo",
        content_hash="",
        fingerprint="",
        code_version="3",
        row_count=None,
        config={},
        upstream={},
        files={},
        figures={
            "loss": 0.4,
            "trackers": {"wandb": "https://wandb.ai/runs/1", "mlflow": "run 7 of file:///runs"},
            "pairs_per_second_by_point": [2.0, None, 3.0],
        },
    )
    shown = of_checkpoint(Artifact(tmp_path, manifest))
    assert shown["wandb_run"].value == "https://wandb.ai/runs/1"
    assert shown["mlflow_run"].value == "run 7 of file:///runs"
    drawn = {file.stem for file in tmp_path.with_name(f"{tmp_path.name}.plots").iterdir()}
    assert drawn == {"loss", "eval_loss", "pairs_per_second"}
    assert shown["figures"].value == {"loss": 0.4}
