"""What the experiment's artifacts are made of."""

from pathlib import Path

import pytest

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.core.conversations import LAB_PROMPTS, Prompts
from iterpref_assets.core.errors import InputError
from iterpref_assets.settings import SETTINGS_FILE, Settings, load_settings
from iterpref_assets.steps.experiment import EXPERIMENT_MODELS, EXPERIMENT_PAIRS
from iterpref_assets.steps.experiment_scores import (
    EXPERIMENT_SAMPLED,
    EXPERIMENT_SCORES,
    EXPERIMENT_VALIDATION,
)
from iterpref_assets.steps.partitions import Partitioning, partitions_of
from iterpref_assets.steps.step import StepContext

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "experiment"


def context(tmp_path: Path, **settings: object) -> StepContext:
    return StepContext(
        Settings.model_validate({"experiment": {}, "root": tmp_path, **settings}),
        ArtifactStore(tmp_path),
    )


def test_the_reference_is_not_trained(tmp_path):
    with pytest.raises(InputError, match="the reference model is not trained"):
        EXPERIMENT_MODELS.plan(context(tmp_path), "reference")


def test_the_reference_is_scored_without_a_model_of_the_grid(tmp_path):
    plan = EXPERIMENT_SCORES.plan(context(tmp_path), "reference")
    assert "experiment_models" not in {parent.asset for parent in plan.parents}


def test_a_cell_is_made_of_the_pairs_of_its_arm(tmp_path):
    plan = EXPERIMENT_MODELS.plan(context(tmp_path), "focal_dpo-last@1e-05@0")
    assert ArtifactKey("experiment_pairs", "last") in plan.parents
    assert ArtifactKey("experiment_pairs", "random") not in plan.parents


def test_pairs_are_made_of_every_shards_trajectories(tmp_path):
    plan = EXPERIMENT_PAIRS.plan(context(tmp_path), "random")
    shards = {each.partition for each in plan.parents if each.asset == "debug_trajectories"}
    assert shards == {"lab-000", "lab-001", "lab-002", "lab-003"}


def test_half_of_the_pairs_are_made_of_every_other_shards_trajectories(tmp_path):
    plan = EXPERIMENT_PAIRS.plan(context(tmp_path), "half")
    for asset in ("debug_trajectories", "seed_problems"):
        shards = [each.partition for each in plan.parents if each.asset == asset]
        assert shards == ["lab-000", "lab-002"]


def test_one_shard_has_no_half(tmp_path):
    one = context(tmp_path, seeds={"lab": {"shards": 1}})
    with pytest.raises(InputError, match="have one shard"):
        EXPERIMENT_PAIRS.plan(one, "half")


def test_sampled_pairs_are_made_of_samples_and_not_of_trajectories(tmp_path):
    plan = EXPERIMENT_PAIRS.plan(context(tmp_path), "sampled")
    assets = {each.asset for each in plan.parents}
    assert "experiment_samples" in assets
    assert "debug_trajectories" not in assets


def test_scores_are_made_of_the_cells_own_model(tmp_path):
    plan = EXPERIMENT_SCORES.plan(context(tmp_path), "sft@1e-05@1")
    assert ArtifactKey("experiment_models", "sft@1e-05@1") in plan.parents
    assert ArtifactKey("heldout_problems") in plan.parents


HUB = {"source": "hub", "repository": "someone/model", "revision": "0123abcd" * 5}
EVERY_STEP = [
    (EXPERIMENT_PAIRS, "random"),
    (EXPERIMENT_MODELS, "sft@1e-05@0"),
    (EXPERIMENT_SCORES, "reference"),
]


@pytest.mark.parametrize(("step", "key"), EVERY_STEP)
@pytest.mark.parametrize(
    ("model", "is_made_of_it"), [({"source": "lab"}, True), (HUB, False)], ids=["lab", "hub"]
)
def test_only_the_labs_own_model_comes_from_the_lab(step, key, tmp_path, model, is_made_of_it):
    plan = step.plan(
        context(tmp_path, base_models={"mine": model}, experiment={"base_model": "mine"}), key
    )
    assert (ArtifactKey("lab_base_model") in plan.parents) is is_made_of_it


@pytest.mark.parametrize(
    "settings",
    [
        {"training": {"save_minutes": 7}},
        {"experiment": {"rates": [2e-5]}},
        {"experiment": {"seeds": 9}},
        {"experiment": {"validation_problems": 9}},
        {"evaluation": {"max_tokens": 9}},
    ],
)
def test_a_model_does_not_depend_on_what_else_the_grid_holds(tmp_path, settings):
    key = "sft@1e-05@0"
    other = EXPERIMENT_MODELS.plan(context(tmp_path, **settings), key)
    assert other == EXPERIMENT_MODELS.plan(context(tmp_path), key)


def test_a_model_depends_on_how_it_is_trained(tmp_path):
    key = "sft@1e-05@0"
    other = EXPERIMENT_MODELS.plan(context(tmp_path, training={"epochs": 7}), key)
    assert other != EXPERIMENT_MODELS.plan(context(tmp_path), key)


@pytest.mark.parametrize(
    "settings",
    [{"experiment": {"validation_problems": 9}}, {"evaluation": {"max_tokens": 9}}],
)
@pytest.mark.parametrize("step", [EXPERIMENT_VALIDATION, EXPERIMENT_SCORES])
def test_scores_depend_on_how_they_are_made(step, tmp_path, settings):
    key = "sft@1e-05@0"
    assert step.plan(context(tmp_path, **settings), key) != step.plan(context(tmp_path), key)


@pytest.mark.parametrize(
    "settings",
    [
        {"packages": ["sortedcontainers"]},
        {"limits": {"cpu_seconds": 9}},
        {"pairs": {"max_diff_lines": 9}},
        {"training": {"precision": "bfloat16"}},
    ],
)
def test_pairs_depend_on_how_they_are_made(tmp_path, settings):
    plans = [EXPERIMENT_PAIRS.plan(context(tmp_path, **each), "random") for each in (settings, {})]
    assert plans[0] != plans[1]


def test_pairs_of_rounded_weights_are_not_those_of_exact_ones(tmp_path):
    # They hold the reference log-probabilities, which a policy in NF4 needs of NF4 weights.
    plans = [
        EXPERIMENT_PAIRS.plan(context(tmp_path, training={"lora": {"nf4": nf4}}), "random")
        for nf4 in (True, False)
    ]
    assert plans[0] != plans[1]


@pytest.mark.parametrize(("seeds", "parted_by"), [("lab", None), ("mbpp", "source")])
def test_scores_of_the_lab_stand_from_before_problems_were_parted_by_source(
    tmp_path, seeds, parted_by
):
    chosen = {} if seeds == "lab" else {"seeds": {"kind": seeds, "path": "mbpp.jsonl"}}
    config = EXPERIMENT_SCORES.config(context(tmp_path, **chosen), "reference")
    assert config.get("parted_by") == parted_by


@pytest.mark.parametrize("step", [EXPERIMENT_VALIDATION, EXPERIMENT_SCORES])
def test_scores_record_how_the_model_was_asked(step, tmp_path):
    plan = step.plan(context(tmp_path), "reference")
    assert plan.config["prompts"] == Prompts(LAB_PROMPTS).identity()


def test_rate_and_seed_of_a_cell_are_those_it_is_trained_with(tmp_path):
    training = EXPERIMENT_MODELS.plan(context(tmp_path), "dpo@3e-05@2").config["training"]
    assert (training["learning_rate"], training["seed"]) == (3e-5, 2)


def test_samples_are_drawn_as_sampled_scores_are_but_for_their_number(tmp_path):
    chosen = {"sampled_evaluation": {"samples": 5, "temperature": 0.7, "top_p": 0.9}}
    asked = context(tmp_path, experiment={"samples": 10}, **chosen)
    drawn = EXPERIMENT_SAMPLED.plan(asked, "reference").config["evaluation"]
    assert (drawn["samples"], drawn["temperature"], drawn["top_p"]) == (10, 0.7, 0.9)


@pytest.mark.parametrize("key", ["reference", "sft@1e-05@0"])
@pytest.mark.parametrize("step", [EXPERIMENT_VALIDATION, EXPERIMENT_SCORES])
def test_greedy_scores_do_not_depend_on_samples(step, key, tmp_path):
    asked = context(tmp_path, experiment={"samples": 10}, sampled_evaluation={"samples": 3,
                    "temperature": 0.2})  # fmt: skip
    assert step.plan(asked, key) == step.plan(context(tmp_path), key)


@pytest.fixture
def real_grid(tmp_path, monkeypatch):
    """The grid of a real model, as its example sets it."""
    monkeypatch.setenv(SETTINGS_FILE, str(EXAMPLES / "qwen.toml"))
    monkeypatch.setenv("ITERPREF_ROOT", str(tmp_path))
    return StepContext(load_settings(), ArtifactStore(tmp_path))


def test_a_real_models_grid_trains_that_model_on_pairs_of_every_source(real_grid):
    models = EXPERIMENT_MODELS.plan(real_grid, "focal_rpo@1e-06@2")
    pairs = EXPERIMENT_PAIRS.plan(real_grid, "random")
    assert ArtifactKey("base_models", "qwen2-5-coder-0-5b") in models.parents
    shards = {key.partition for key in pairs.parents if key.asset == "debug_trajectories"}
    assert shards == {"mbpp-000", *(f"exercism-00{part}" for part in range(4))}


GENERATING = {"root", "seeds", "seed_filter", "benchmarks", "generator", "engine", "prompts"}
GENERATING |= {"sampling", "debugging", "limits", "packages"}


def test_a_real_models_grid_goes_on_from_what_the_example_chain_generates(monkeypatch):
    made = []
    for name in ("qwen2.5-coder-0.5b.toml", "experiment/qwen.toml"):
        monkeypatch.setenv(SETTINGS_FILE, str(EXAMPLES.parent / name))
        made.append(load_settings().model_dump(include=GENERATING))
    assert made[0] == made[1]
    assert made[0].keys() == GENERATING


def test_a_real_models_grid_is_scored_on_ten_samples_beside_greedy(real_grid):
    sampled = EXPERIMENT_SAMPLED.plan(real_grid, "reference")
    assert EXPERIMENT_SAMPLED.exists(real_grid.settings)
    assert sampled.config["evaluation"]["samples"] == 10
    assert EXPERIMENT_SCORES.plan(real_grid, "reference").config["evaluation"]["samples"] == 1


def test_a_real_models_grid_can_hold_three_seeds_of_each_arm(real_grid):
    keys = partitions_of(Partitioning.CELL, real_grid.settings)
    assert {"focal_rpo@1e-05@0", "focal_rpo@1e-05@2"} <= set(keys)
    assert "focal_rpo@1e-05@3" not in keys


@pytest.mark.parametrize("step", [EXPERIMENT_PAIRS, EXPERIMENT_MODELS, EXPERIMENT_SCORES])
def test_there_is_no_grid_where_the_settings_ask_for_none(step, tmp_path):
    assert step.exists(Settings(root=tmp_path)) is False
    assert step.exists(Settings.model_validate({"experiment": {}})) is True


@pytest.mark.parametrize("step", [EXPERIMENT_PAIRS, EXPERIMENT_MODELS, EXPERIMENT_SCORES])
def test_iterpref_run_leaves_the_grid_alone(step):
    assert step.in_run(Settings.model_validate({"experiment": {}})) is False
