"""Reference log-probabilities against the model's own logits, and their resumption."""

import pytest
import torch
from plain_equations import completion_logprobs
from training_examples import random_pairs
from transformers import AutoModelForCausalLM

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.training.config import Precision, TrainConfig
from iterpref_assets.core.training.failures import TrainingError
from iterpref_assets.core.training.reference import compute_reference_logprobs

PAIRS = random_pairs(7, seed=5)
CONFIG = TrainConfig(precision=Precision.FLOAT32)


@pytest.mark.parametrize("side", ["chosen", "rejected"])
def test_logprobs_are_those_of_the_model_for_every_token(model_dir, tmp_path, side):
    found = compute_reference_logprobs(PAIRS, model_dir, CONFIG, tmp_path)
    model = AutoModelForCausalLM.from_pretrained(model_dir, dtype=torch.float64)
    expected = completion_logprobs(
        model,
        [torch.tensor(ids) for ids in PAIRS["prompt_ids"].to_list()],
        [torch.tensor(ids) for ids in PAIRS[f"{side}_ids"].to_list()],
    )
    assert found["pair_id"].to_list() == PAIRS["pair_id"].to_list()
    for values, logprobs in zip(found[f"{side}_logprobs"].to_list(), expected, strict=True):
        assert values == pytest.approx(logprobs.tolist(), abs=1e-5)


def test_finished_parts_are_not_computed_again(model_dir, tmp_path):
    whole = compute_reference_logprobs(PAIRS, model_dir, CONFIG, tmp_path, pairs_per_part=3)
    parts = sorted(tmp_path.iterdir())
    assert len(parts) == 3
    times = [part.stat().st_mtime_ns for part in parts]
    parts[1].unlink()
    again = compute_reference_logprobs(PAIRS, model_dir, CONFIG, tmp_path, pairs_per_part=3)
    assert again.equals(whole)
    kept = [part.stat().st_mtime_ns for part in sorted(tmp_path.iterdir())]
    assert [kept[0], kept[2]] == [times[0], times[2]]


def test_parts_of_another_size_are_not_taken_for_these(model_dir, tmp_path):
    whole = compute_reference_logprobs(PAIRS, model_dir, CONFIG, tmp_path, pairs_per_part=3)
    other = compute_reference_logprobs(PAIRS, model_dir, CONFIG, tmp_path, pairs_per_part=2)
    assert other["pair_id"].equals(whole["pair_id"])


def test_finished_work_needs_no_model(model_dir, tmp_path):
    whole = compute_reference_logprobs(PAIRS, model_dir, CONFIG, tmp_path)
    assert compute_reference_logprobs(PAIRS, tmp_path / "gone", CONFIG, tmp_path).equals(whole)


def test_no_pairs_are_refused_before_the_model_loads(tmp_path):
    with pytest.raises(InputError, match="no pairs"):
        compute_reference_logprobs(PAIRS.clear(), tmp_path / "missing", CONFIG, tmp_path)


def test_memory_that_runs_out_is_named_and_finished_parts_are_kept(
    model_dir, tmp_path, monkeypatch
):
    from iterpref_assets.core.training import reference

    scored = reference._Scorer.score

    def out_of_memory_in_the_second_part(self, pairs):
        if list(tmp_path.glob("part-*.parquet")):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1 GiB")
        return scored(self, pairs)

    monkeypatch.setattr(reference._Scorer, "score", out_of_memory_in_the_second_part)
    with pytest.raises(TrainingError, match=r"out of memory.*Lower reference_batch_tokens"):
        compute_reference_logprobs(PAIRS, model_dir, CONFIG, tmp_path, pairs_per_part=3)
    assert [file.name for file in tmp_path.iterdir()] == ["part-00000000-3.parquet"]


def test_smaller_batches_give_the_same_logprobs(model_dir, tmp_path, monkeypatch):
    from iterpref_assets.core.training import reference

    sizes: list[int] = []
    batches = reference._Scorer._batches

    def noted(self, pairs):
        for places in batches(self, pairs):
            sizes.append(len(places))
            yield places

    monkeypatch.setattr(reference._Scorer, "_batches", noted)
    whole = compute_reference_logprobs(PAIRS, model_dir, CONFIG, tmp_path / "a")
    config = CONFIG.model_copy(update={"reference_batch_tokens": 1})
    split = compute_reference_logprobs(PAIRS, model_dir, config, tmp_path / "b")
    assert sizes == [7, 1, 1, 1, 1, 1, 1, 1]
    for side in ("chosen_logprobs", "rejected_logprobs"):
        pairs = zip(whole[side].to_list(), split[side].to_list(), strict=True)
        assert all(one == pytest.approx(other, abs=1e-5) for one, other in pairs)
