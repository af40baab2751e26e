"""Model cards and data set cards, read back as the hub reads them."""

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from huggingface_hub import DatasetCard, ModelCard

from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.bootstrap import Interval
from iterpref_assets.core.evaluation.suite import DataSource
from iterpref_assets.core.publishing.cards import dataset_card, model_card
from iterpref_assets.core.publishing.facts import ModelFacts, files_of, read_facts
from iterpref_assets.core.publishing.scores import BenchmarkScore, eval_results, read_evaluation
from iterpref_assets.core.training.config import TrainConfig
from iterpref_assets.core.training.recipes import recipe_named

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PLUS = BenchmarkScore(
    DataSource(benchmark="humaneval", sha256="ab" * 32, md5="cd" * 16),
    plus=True,
    rates={"pass@1": 0.5, "pass@10": 0.75},
    interval=Interval(estimate=0.5, low=0.42, high=0.58),
    tasks=164,
)
FACTS = ModelFacts(
    recipe=recipe_named("focal_rpo", alpha=2.0),
    base_model=f"Qwen/Qwen2.5-Coder-7B at {COMMIT}",
    repository="Qwen/Qwen2.5-Coder-7B",
    options=TrainConfig().model_dump(mode="json"),
    figures={"loss": 0.123456},
    made_of={"pairs": "ef" * 32},
    trackers={"wandb": "https://wandb.ai/runs/1"},
    code_version="iterpref-assets 0.1.0",
)
PAIR = {
    "pair_id": "p#0:0-1",
    "trajectory_id": "p#0",
    "problem_id": "p",
    "prompt": "Add | them.",
    "chosen": "def f(a, b):\n    return a + b",
    "rejected": "def f(a, b):\n    return a - b",
    "chosen_round": 1,
    "rejected_round": 0,
    "chosen_diff_lines": [1],
    "rejected_diff_lines": [1],
    "dropped_by": None,
}
PAIRS = pl.DataFrame(
    [PAIR, PAIR | {"pair_id": "q#0:0-1", "dropped_by": "equal_ast"}], schema=tables.PAIRS
)


@pytest.fixture
def card() -> ModelCard:
    """The card as it is read from a repository."""
    return ModelCard(str(model_card("me/focal", FACTS, [PLUS], "apache-2.0")))


def test_scores_are_in_the_form_of_the_model_index(card):
    (index,) = card.data.to_dict()["model-index"]
    (result,) = index["results"]
    assert index["name"] == "focal"
    assert result["task"] == {"type": "text-generation"}
    assert result["dataset"]["type"] == "evalplus/humanevalplus"
    assert result["dataset"]["name"] == "HumanEval+"
    assert [(each["type"], each["value"]) for each in result["metrics"]] == [
        ("pass@1", 0.5), ("pass@10", 0.75),
    ]  # fmt: skip


def test_the_hub_is_told_base_model_library_license_and_recipe(card):
    data = card.data
    assert data.base_model == "Qwen/Qwen2.5-Coder-7B"
    assert (data.library_name, data.license) == ("transformers", "apache-2.0")
    assert "focal_rpo" in data.tags


def test_the_text_tells_recipe_strengths_scores_and_digests(card):
    assert "`focal_rpo`: Target-RPO" in card.text
    assert "beta = 0.1. alpha = 2." in card.text
    assert "pass@1 50.0% pass@10 75.0% (pass@1 from 42.0% to 58.0%)" in card.text
    assert "ef" * 32 in card.text
    assert f"Base model: Qwen/Qwen2.5-Coder-7B at {COMMIT}" in card.text
    assert "https://wandb.ai/runs/1" in card.text


@pytest.mark.parametrize(
    "kept_here",
    [
        "offline: wandb sync /home/me/wandb/offline-run-1",
        "run 1f of file:///home/me/mlruns",
        "http://127.0.0.1:5000/#/experiments/1/runs/1f",
        "http://[::1]:5000/#/experiments/1/runs/1f",
        "http://localhost:5000/#/experiments/1/runs/1f",
        "http://192.168.1.7:5000/#/experiments/1/runs/1f",
        "http://tracker:5000/#/experiments/1/runs/1f",
        "http://tracker.local:5000/#/experiments/1/runs/1f",
    ],
)
def test_a_tracker_that_keeps_the_run_on_this_machine_is_not_in_the_card(kept_here):
    trackers = {"here": kept_here, "there": "http://runs.example/1"}
    card = model_card("me/focal", replace(FACTS, trackers=trackers), [], None)
    assert "/home/me" not in card.content
    assert "| here |" not in card.text
    assert "http://runs.example/1" in card.text


def test_a_model_without_scores_says_so_and_has_no_index():
    card = model_card("me/focal", FACTS, [], None)
    assert "None were given." in card.text
    assert "model-index" not in card.data.to_dict()


def test_one_set_of_data_has_one_entry_for_each_metric():
    assert len({each.unique_identifier for each in eval_results([PLUS])}) == 1


def test_a_file_of_ones_own_is_named_as_it_is():
    own = BenchmarkScore(
        DataSource(benchmark="mine.jsonl", sha256="", md5=""), False, {"pass@1": 1.0}, None, 3
    )
    (result,) = eval_results([own])
    assert (result.dataset_type, result.dataset_name) == ("mine.jsonl", "mine.jsonl")


def test_the_data_set_card_counts_pairs_by_filter_and_shows_one():
    card = DatasetCard(str(dataset_card("me/pairs", PAIRS, None, {"a.jsonl": "12"}, None)))
    assert card.data.size_categories == "n<1K"
    assert card.data.to_dict()["configs"][0]["data_files"] == "train.parquet"
    assert "| kept | 1 |" in card.text
    assert "| dropped: equal ast | 1 |" in card.text
    assert "-    return a - b\n+    return a + b" in card.text
    assert "`12`" in card.text


def write(folder: Path, name: str, manifest: dict) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "model.safetensors").write_bytes(b"")
    (folder / name).write_text(json.dumps(manifest))
    return folder


TRAINED = {
    "model_sha256": "11", "pairs_sha256": "22", "figures": {"loss": 1.0}, "trackers": {},
    "base_model": {"source": "local", "path": "/home/me/models/seven"},
    "recipe": {"name": "dpo"}, "config": TrainConfig(beta=0.3).model_dump(mode="json"),
    "code_version": "0.1.0",
}  # fmt: skip


def test_a_model_of_train_tells_how_it_was_made(tmp_path):
    facts = read_facts(write(tmp_path, "training.json", TRAINED))
    assert facts.recipe == recipe_named("dpo", beta=0.3)
    assert facts.made_of == {"base model": "11", "pairs": "22"}
    assert facts.code_version == "iterpref-assets 0.1.0"


def test_no_folder_of_this_machine_is_told(tmp_path):
    folder = write(tmp_path, "training.json", TRAINED)
    assert read_facts(folder).base_model == "seven"
    assert [each.name for each in files_of(folder)] == ["model.safetensors"]


def test_a_checkpoint_of_the_store_tells_how_it_was_made(tmp_path):
    manifest = {
        "asset": "checkpoints",
        "config": {
            "base_model": {"source": "hub", "repository": "o/n", "revision": COMMIT},
            "recipe": {"name": "focal_rpo"},
            "training": TrainConfig().model_dump(mode="json"),
        },
        "upstream": {"preference_pairs/lab": "33"},
        "figures": {"loss": 1.0, "pairs_per_second_by_point": [1.0]},
        "code_version": "3",
    }
    facts = read_facts(write(tmp_path, "manifest.json", manifest))
    assert (facts.repository, facts.base_model) == ("o/n", f"o/n at {COMMIT}")
    assert facts.figures == {"loss": 1.0}
    assert facts.made_of == {"preference_pairs/lab": "33"}


def test_weights_that_do_not_say_how_they_were_made_are_refused(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(InputError, match="does not say how it was made"):
        read_facts(tmp_path)


def test_a_folder_without_scores_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"summary\.json: no such file.*iterpref evaluate --out"):
        read_evaluation(tmp_path)
