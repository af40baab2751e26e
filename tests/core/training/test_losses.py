"""Losses against values worked out by hand."""

import math

import pytest
import torch

from iterpref_assets.core.training.config import ImitationMean
from iterpref_assets.core.training.losses import (
    TokenReadings,
    batch_loss,
    imitation_loss,
    imitation_losses,
    preference_losses,
    reward_difference,
    sum_by_pair,
    unlikelihood_loss,
)


def readings() -> TokenReadings:
    """Two pairs: three tokens of the first, two of the second; the first token is shared."""
    return TokenReadings(
        pair=torch.tensor([0, 0, 0, 1, 1]),
        chosen=torch.tensor([1.0, 1.0, 0.0, 1.0, 0.0]),
        rejected=torch.tensor([1.0, 0.0, 1.0, 0.0, 1.0]),
        imitated=torch.tensor([1.0, 1.0, 0.0, 1.0, 0.0]),
        reference_chosen=torch.tensor([-1.0, -2.0, 9.0, -1.5, 9.0]),
        reference_rejected=torch.tensor([-1.0, 9.0, -3.0, 9.0, -0.5]),
    )


FIELDS = ("pair", "chosen", "rejected", "imitated", "reference_chosen", "reference_rejected")
LOGPROBS = torch.tensor([-0.5, -1.0, -4.0, -2.0, -0.25])


def test_sums_are_taken_pair_by_pair():
    sums = sum_by_pair(torch.tensor([1.0, 2.0, 4.0]), torch.tensor([1, 0, 1]), 3)
    assert sums.tolist() == [2.0, 5.0, 0.0]


def test_sums_of_float32_values_are_not_rounded_to_float32():
    # 2 to the 24th is the first whole number whose successor float32 does not have
    values = torch.tensor([2.0**24, 1.0], dtype=torch.float32)
    assert sum_by_pair(values, torch.tensor([0, 0]), 1).tolist() == [2**24 + 1]


def test_rewards_are_log_ratios_of_the_tokens_that_count():
    chosen, rejected = reward_difference(LOGPROBS, readings(), 2)
    # first pair: K+ = (-0.5 + 1) + (-1 + 2), K- = (-0.5 + 1) + (-4 + 3)
    assert chosen.tolist() == [1.5, -0.5]
    assert rejected.tolist() == [-0.5, 0.25]


def test_preference_loss_is_log_two_where_policy_and_reference_agree():
    losses = preference_losses(torch.zeros(2), torch.zeros(2), 0.1)
    assert losses.tolist() == pytest.approx([math.log(2)] * 2)


def test_preference_loss_is_the_log_sigmoid_of_the_scaled_difference():
    chosen, rejected = reward_difference(LOGPROBS, readings(), 2)
    losses = preference_losses(chosen, rejected, 0.5)
    # differences 2 and -0.75, times 0.5
    expected = [math.log(1 + math.exp(-1.0)), math.log(1 + math.exp(0.375))]
    assert losses.tolist() == pytest.approx(expected)


def test_preference_loss_stays_finite_for_huge_differences():
    losses = preference_losses(torch.tensor([1e4, -1e4]), torch.zeros(2), 1.0)
    assert losses.tolist() == [0.0, 1e4]


def test_imitation_loss_sums_over_the_imitated_tokens():
    assert imitation_loss(LOGPROBS, readings().imitated).item() == 3.5


def test_unlikelihood_is_of_another_token_than_the_rejected_one():
    rejected = torch.tensor([1.0, 0.0, 2.0])
    loss = unlikelihood_loss(torch.tensor([0.5, 0.5, 0.25]).log(), rejected)
    # -log(1 - 1/2) once and -log(1 - 1/4) twice
    assert loss.item() == pytest.approx(math.log(2) + 2 * math.log(4 / 3), rel=1e-5)


def test_unlikelihood_of_a_certain_token_and_its_gradient_are_finite():
    logprobs = torch.zeros(1, requires_grad=True)
    loss = unlikelihood_loss(logprobs, torch.ones(1))
    (gradient,) = torch.autograd.grad(loss, logprobs)
    assert math.isfinite(loss.item())
    assert math.isfinite(gradient.item())


def test_unlikelihood_leaves_a_token_that_is_never_written_alone():
    logprobs = torch.tensor([-60.0], requires_grad=True)
    (gradient,) = torch.autograd.grad(unlikelihood_loss(logprobs, torch.ones(1)), logprobs)
    assert gradient.item() == pytest.approx(0, abs=1e-20)


def test_shares_of_unlikelihood_add_up_to_its_mean_over_the_batch():
    read = readings()
    parts = [
        batch_loss(
            LOGPROBS[rows],
            TokenReadings(**{name: getattr(read, name)[rows] for name in FIELDS}),
            pairs=1,
            beta=None,
            alpha=0.0,
            gamma=2.0,
            of_pairs=2.0,
            of_rejected=3.0,
        ).item()
        for rows in (slice(0, 3), slice(3, 5))
    ]
    # D- of both pairs: the first and third token, and the fifth
    mean = sum(-math.log(1 - math.exp(value)) for value in (-0.5, -4.0, -0.25)) / 3
    assert sum(parts) == pytest.approx(2 * mean, rel=1e-5)


def test_imitation_loss_of_a_pair_is_the_mean_of_its_tokens():
    # the first pair imitates -0.5 and -1, the second -2, a third nothing
    assert imitation_losses(LOGPROBS, readings(), 3).tolist() == [0.75, 2.0, 0.0]


@pytest.mark.parametrize(
    ("mean", "imitation"),
    [
        (ImitationMean.TOKENS, 3.5 / 3),
        (ImitationMean.PAIRS, (0.75 + 2.0) / 2),
        (ImitationMean.SUMS, 3.5 / 2),
    ],
)
def test_batch_loss_is_the_mean_preference_loss_and_alpha_times_imitation(mean, imitation):
    loss = batch_loss(LOGPROBS, readings(), pairs=2, beta=0.5, alpha=2.0, imitation_mean=mean)
    # K+ - K- is 2 and -0.75, times beta 0.5
    preference = (math.log(1 + math.exp(-1.0)) + math.log(1 + math.exp(0.375))) / 2
    assert loss.item() == pytest.approx(preference + 2.0 * imitation)


def test_batch_loss_without_beta_is_imitation_alone():
    loss = batch_loss(LOGPROBS, readings(), pairs=2, beta=None, alpha=1.0)
    assert loss.item() == pytest.approx(3.5 / 3)


@pytest.mark.parametrize("mean", ImitationMean)
def test_shares_of_micro_batches_add_up_to_the_loss_of_the_batch(mean):
    options = {"beta": 0.1, "alpha": 1.0, "imitation_mean": mean}
    whole = batch_loss(LOGPROBS, readings(), pairs=2, **options)
    shares = [
        batch_loss(
            LOGPROBS[part],
            TokenReadings(
                *(getattr(readings(), field)[part] - first * (field == "pair") for field in FIELDS)
            ),
            pairs=1,
            of_pairs=2,
            of_imitated=3,
            **options,
        )
        for part, first in ((slice(0, 3), 0), (slice(3, 5), 1))
    ]
    assert sum(shares).item() == pytest.approx(whole.item())


def test_gradients_of_the_preference_loss_agree_with_differences_in_float64():
    read = readings()

    def loss(logprobs: torch.Tensor) -> torch.Tensor:
        return preference_losses(*reward_difference(logprobs, read, 2), 0.3).sum()

    assert torch.autograd.gradcheck(loss, LOGPROBS.double().requires_grad_())
