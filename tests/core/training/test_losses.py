"""Losses against values worked out by hand."""

import math

import pytest
import torch

from iterpref_assets.core.training.losses import (
    TokenReadings,
    imitation_loss,
    preference_losses,
    reward_difference,
    sum_by_pair,
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


def test_gradients_of_the_preference_loss_agree_with_differences_in_float64():
    read = readings()

    def loss(logprobs: torch.Tensor) -> torch.Tensor:
        return preference_losses(*reward_difference(logprobs, read, 2), 0.3).sum()

    assert torch.autograd.gradcheck(loss, LOGPROBS.double().requires_grad_())
