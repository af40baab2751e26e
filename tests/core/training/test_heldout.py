"""Pairs kept out of training: which, what is measured on them, and when that ends a run."""

import json
from pathlib import Path

import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from plain_equations import plain_loss
from safetensors.torch import load_file
from training_examples import random_pairs
from transformers import AutoModelForCausalLM

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.training.config import HeldoutConfig, Lora, Precision, TrainConfig
from iterpref_assets.core.training.heldout import best_step, problem_of, split_pairs, stopped_at
from iterpref_assets.core.training.pair_trainer import PairTrainer
from iterpref_assets.core.training.recipes import Recipe, recipe_named
from iterpref_assets.core.training.reference import compute_reference_logprobs
from iterpref_assets.core.training.trainer import TrainOutcome, load_dataset, train

PAIRS = random_pairs(24, seed=5)
HELDOUT = HeldoutConfig(share=0.3, every=2)
CONFIG = TrainConfig(
    learning_rate=1e-3,
    epochs=2,
    batch_size=6,
    micro_batch_size=3,
    precision=Precision.FLOAT32,
    gradient_checkpointing=False,
    heldout=HELDOUT,
)
IMPATIENT = CONFIG.model_copy(
    update={
        "learning_rate": 3e-2,
        "epochs": 8,
        "heldout": HeldoutConfig(share=0.3, every=1, patience=2),
    }
)
"""So fast that the held-out loss soon rises."""


@pytest.fixture(scope="module")
def reference(model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    work = tmp_path_factory.mktemp("reference")
    return compute_reference_logprobs(PAIRS, model_dir, CONFIG, work)


def run(
    model_dir: Path,
    folder: Path,
    reference: pl.DataFrame,
    config: TrainConfig = CONFIG,
    name: str = "focal_rpo",
    pairs: pl.DataFrame = PAIRS,
    on_point=lambda _: None,
) -> TrainOutcome:
    places = folder / "out", folder / "work"
    return train(pairs, reference, model_dir, recipe_named(name), config, *places, on_point)


def measured(outcome: TrainOutcome) -> dict[int, float]:
    return {int(each["step"]): each["eval_loss"] for each in outcome.curve if "eval_loss" in each}


def loss_by_the_equations(
    model: Path, base: Path, reference: pl.DataFrame, recipe: Recipe
) -> float:
    """The loss of all held-out pairs as one batch, under the weights of `model`."""
    kept_out = split_pairs(PAIRS, HELDOUT)[1]
    dataset = load_dataset(kept_out, reference, base, recipe, CONFIG)
    readings = [recipe.readings[n % len(recipe.readings)] for n in range(len(dataset.pairs))]
    loaded = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float64)
    with torch.no_grad():
        return plain_loss(loaded, dataset.pairs, readings, recipe).item()


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "out" / "model.safetensors")


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(
        torch.equal(first[name], second[name]) for name in first
    )


@pytest.mark.parametrize("name", ["focal_rpo", "hybrid", "sft_incorrect"])
def test_the_measured_loss_is_that_of_the_equations(model_dir, reference, tmp_path, name):
    outcome = run(model_dir, tmp_path, reference, name=name)
    last = max(measured(outcome))
    expected = loss_by_the_equations(tmp_path / "out", model_dir, reference, recipe_named(name))
    assert measured(outcome)[last] == pytest.approx(expected, rel=1e-5)


def test_the_model_is_measured_every_so_many_steps_and_at_the_last(model_dir, reference, tmp_path):
    steps = -(-split_pairs(PAIRS, HELDOUT)[0].height // 6) * 2
    outcome = run(model_dir, tmp_path, reference)
    assert list(measured(outcome)) == sorted({*range(2, steps + 1, 2), steps})


def test_margin_and_accuracy_are_measured_too(model_dir, reference, tmp_path):
    outcome = run(model_dir, tmp_path, reference)
    lines = (tmp_path / "out" / "metrics.jsonl").read_text().splitlines()
    (first, *_) = [json.loads(line) for line in lines if "eval_loss" in line]
    assert first["eval_reward_margin"] != 0
    assert 0 <= first["eval_reward_accuracy"] <= 1
    assert outcome.figures["eval_reward_margin"] != outcome.figures["reward_margin"]
    assert outcome.figures["heldout_pairs"] == split_pairs(PAIRS, HELDOUT)[1].height


def test_measuring_leaves_the_weights_as_they_would_be_without(model_dir, reference, tmp_path):
    run(model_dir, tmp_path / "measured", reference)
    others = split_pairs(PAIRS, HELDOUT)[0]
    plain = CONFIG.model_copy(update={"heldout": None})
    run(model_dir, tmp_path / "plain", reference, plain, pairs=others)
    assert same(weights(tmp_path / "measured"), weights(tmp_path / "plain"))


@pytest.mark.parametrize("lora", [None, Lora(rank=2)], ids=["all weights", "lora"])
def test_a_run_without_gain_stops_with_the_weights_of_the_lowest_loss(
    model_dir, reference, tmp_path, lora
):
    config = IMPATIENT.model_copy(update={"lora": lora})
    outcome = run(model_dir, tmp_path, reference, config)
    losses = measured(outcome)
    best = min(losses, key=losses.__getitem__)
    assert max(losses) == best + 2
    assert outcome.figures["best_step"] == best
    recipe = recipe_named("focal_rpo")
    expected = loss_by_the_equations(tmp_path / "out", model_dir, reference, recipe)
    assert losses[best] == pytest.approx(expected, rel=1e-4)


def test_a_stopped_run_that_was_killed_in_between_ends_alike(model_dir, reference, tmp_path):
    whole = run(model_dir, tmp_path / "whole", reference, IMPATIENT)
    stop = max(measured(whole))

    def die(point: dict[str, float]) -> None:
        if point["step"] == stop - 1 and "eval_loss" in point:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(model_dir, tmp_path / "cut", reference, IMPATIENT, on_point=die)
    again = run(model_dir, tmp_path / "cut", reference, IMPATIENT)
    assert measured(again) == measured(whole)
    assert same(weights(tmp_path / "cut"), weights(tmp_path / "whole"))


def test_a_run_killed_after_it_had_stopped_trains_no_further(model_dir, reference, tmp_path):
    first = run(model_dir, tmp_path, reference, IMPATIENT)
    kept, curve = weights(tmp_path), (tmp_path / "out" / "metrics.jsonl").read_bytes()
    second = run(model_dir, tmp_path, reference, IMPATIENT)
    assert same(weights(tmp_path), kept)
    assert (tmp_path / "out" / "metrics.jsonl").read_bytes() == curve
    assert second.figures["steps"] == first.figures["steps"]


@pytest.fixture
def loss_falls_after_the_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Held-out losses that IMPATIENT stops at in step 3, the lowest in step 1; 0.5 after it."""
    told, measure = {1: 1.0, 2: 2.0, 3: 3.0}, PairTrainer._measure

    def scripted(self, model, batch):
        share = int(batch["pairs"]) / len(self.heldout.pairs)
        loss = told.get(self.state.global_step, 0.5) * share
        return torch.tensor(loss, dtype=torch.float64), measure(self, model, batch)[1]

    monkeypatch.setattr(PairTrainer, "_measure", scripted)


@pytest.mark.usefixtures("loss_falls_after_the_stop")
def test_a_lower_loss_after_the_stop_is_neither_measured_nor_published(
    model_dir, reference, tmp_path
):
    first = run(model_dir, tmp_path, reference, IMPATIENT)
    assert measured(first) == pytest.approx({1: 1.0, 2: 2.0, 3: 3.0})
    kept = weights(tmp_path)
    points: list[dict[str, float]] = []
    again = run(model_dir, tmp_path, reference, IMPATIENT, on_point=points.append)
    assert not [point for point in points if point["step"] > 3]
    assert again.figures["best_step"] == 1
    assert same(weights(tmp_path), kept)


def test_the_pairs_of_a_problem_stay_together():
    names = [f"p{problem}#0:{round_}-3" for problem in range(40) for round_ in range(3)]
    pairs = pl.DataFrame({"pair_id": names})
    inside, outside = split_pairs(pairs, HeldoutConfig(share=0.5))
    of_inside, of_outside = ({problem_of(n) for n in each["pair_id"]} for each in (inside, outside))
    assert not of_inside & of_outside
    assert inside.height + outside.height == 120


def test_further_pairs_move_none_to_the_other_side():
    few, many = (pl.DataFrame({"pair_id": [f"p{n}" for n in range(count)]}) for count in (40, 80))
    first, second = (set(split_pairs(each, HELDOUT)[1]["pair_id"]) for each in (few, many))
    assert first == second & set(few["pair_id"])


def test_a_share_that_leaves_a_side_empty_is_refused():
    pairs = pl.DataFrame({"pair_id": ["a", "b"]})
    with pytest.raises(InputError, match=r"heldout.share.*0.001 leaves one side empty"):
        split_pairs(pairs, HeldoutConfig(share=0.001))


def curve(*losses: float) -> list[dict[str, float]]:
    return [{"step": 10 * n, "eval_loss": loss} for n, loss in enumerate(losses, start=1)]


def test_patience_counts_measurements_since_the_lowest_loss():
    assert stopped_at(curve(3, 2, 2, 2.5), patience=2) == 40  # 2 again is no lower
    assert stopped_at(curve(3, 2, 2, 1, 2), patience=2) is None
    assert stopped_at(curve(3, 4, 5), patience=None) is None


def test_the_best_step_is_the_first_of_equal_ones():
    assert best_step(curve(3, 2, 2)) == 20


@given(st.lists(st.floats(0, 9), min_size=1), st.integers(1, 5))
def test_a_longer_curve_stops_where_its_beginning_did(losses: list[float], patience: int):
    stop = stopped_at(curve(*losses), patience)
    ends = (stopped_at(curve(*losses[:n]), patience) for n in range(len(losses) + 1))
    assert stop == next((end for end in ends if end is not None), None)


def test_options_without_held_out_pairs_are_told_as_before():
    assert "heldout" not in TrainConfig().for_result()
    assert CONFIG.for_result()["heldout"] == {"share": 0.3, "every": 2, "patience": None}
