"""Micro-batches of bounded tokens: how they are dealt, and that the gradient stays the same."""

from pathlib import Path

import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from training_examples import random_pairs

from iterpref_assets.core.training.config import ImitationMean, Precision, TrainConfig
from iterpref_assets.core.training.micro_batches import SharedPairs, deal
from iterpref_assets.core.training.pair_trainer import PairTrainer
from iterpref_assets.core.training.recipes import recipe_named
from iterpref_assets.core.training.reference import compute_reference_logprobs
from iterpref_assets.core.training.trainer import train

PAIRS = random_pairs(21, seed=2)
CONFIG = TrainConfig(
    learning_rate=1e-3,
    epochs=1,
    batch_size=8,
    precision=Precision.FLOAT32,
    gradient_checkpointing=False,
    save_minutes=0,
)
BY_TOKENS = {"max_tokens": 90}
"""Three or four of the rows, which have 10 to 35 tokens."""

dealings = given(
    lengths=st.lists(st.integers(1, 50), min_size=1, max_size=30),
    tokens=st.integers(1, 120),
    processes=st.integers(1, 5),
    joined=st.booleans(),
)


def size(group: list[int], lengths: list[int], *, joined: bool) -> int:
    chosen = [lengths[place] for place in group]
    return sum(chosen) if joined else len(chosen) * max(chosen, default=0)


@dealings
def test_every_row_is_dealt_once(lengths, tokens, processes, joined):
    shares = deal(lengths, tokens, processes, joined=joined)
    places = [place for share in shares for group in share for place in group]
    assert sorted(places) == list(range(len(lengths)))


@dealings
def test_no_micro_batch_of_several_rows_has_more_tokens(lengths, tokens, processes, joined):
    for share in deal(lengths, tokens, processes, joined=joined):
        for group in share:
            assert len(group) <= 1 or size(group, lengths, joined=joined) <= tokens


@dealings
def test_every_process_has_as_many_micro_batches(lengths, tokens, processes, joined):
    shares = deal(lengths, tokens, processes, joined=joined)
    assert len(shares) == processes
    assert len({len(share) for share in shares}) == 1


@dealings
def test_processes_are_apart_by_no_more_than_one_micro_batch(lengths, tokens, processes, joined):
    shares = deal(lengths, tokens, processes, joined=joined)
    sizes = [[size(group, lengths, joined=joined) for group in share] for share in shares]
    totals = [sum(share) for share in sizes]
    assert max(totals) - min(totals) <= max(map(max, sizes))


def test_the_largest_micro_batch_is_as_small_as_their_number_allows():
    # Eight tokens at most would give 6, 6 and 8; for two processes there are four in any case.
    shares = deal([1, 1, 2, 2, 3, 3, 4, 4], 8, 2, joined=True)
    assert shares == [[[0, 1, 2, 3], [7]], [[4, 5], [6]]]


def test_padded_rows_count_as_long_as_the_longest():
    # All four would be 16 tokens; two and two are 8, the row of 1 padded to 4.
    assert deal([4, 1, 4, 4], 12, 1, joined=False) == [[[1, 0], [2, 3]]]


def test_more_processes_than_rows_leave_some_without():
    assert deal([5], 10, 3, joined=True) == [[[0]], [[]], [[]]]


@pytest.fixture(scope="module")
def reference(model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    folder = tmp_path_factory.mktemp("reference")
    return compute_reference_logprobs(PAIRS, model_dir, CONFIG, folder)


def run(model_dir, reference, folder, options, on_point=lambda _: None):
    config = CONFIG.model_copy(update=options)
    return train(
        PAIRS, reference, model_dir, recipe_named("focal_rpo"), config,
        folder / "out", folder / "work", on_point,
    )  # fmt: skip


@pytest.fixture
def gradients(monkeypatch: pytest.MonkeyPatch) -> list[tuple[type, torch.Tensor]]:
    """The gradient of every step from now on, beside what the trainer reads its rows from."""
    found: list[tuple[type, torch.Tensor]] = []
    clip = PairTrainer._clip_grad_norm

    def note(self, model):
        gradient = torch.cat([weight.grad.flatten() for weight in model.parameters()])
        found.append((type(self.train_dataset), gradient.clone()))
        return clip(self, model)

    monkeypatch.setattr(PairTrainer, "_clip_grad_norm", note)
    return found


@pytest.mark.parametrize("mean", ImitationMean)
def test_gradient_is_that_of_one_pair_at_a_time(model_dir, reference, tmp_path, gradients, mean):
    run(model_dir, reference, tmp_path / "one", {"imitation_mean": mean})
    run(model_dir, reference, tmp_path / "many", {"imitation_mean": mean} | BY_TOKENS)
    one, many = gradients[:3], gradients[3:]
    assert len(one) == len(many) == 3
    assert {kind for kind, _ in many} == {SharedPairs}
    for (_, expected), (_, found) in zip(one, many, strict=True):
        assert torch.allclose(found, expected, atol=1e-6 * float(expected.norm()))


def test_killed_run_resumes_within_an_epoch(model_dir, reference, tmp_path):
    def stop_at_the_end(point):
        if point["step"] == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(model_dir, reference, tmp_path / "cut", BY_TOKENS, stop_at_the_end)
    run(model_dir, reference, tmp_path / "cut", BY_TOKENS)
    run(model_dir, reference, tmp_path / "whole", BY_TOKENS)
    cut, whole = (
        load_file(tmp_path / name / "out" / "model.safetensors") for name in ("cut", "whole")
    )
    assert all(torch.equal(cut[name], whole[name]) for name in whole)
