"""Chunked log-probabilities against the whole softmax."""

import pytest
import torch

from iterpref_assets.core.training.logprobs import token_logprobs

HIDDEN = torch.randn(11, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
WEIGHT = torch.randn(13, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
TARGETS = torch.arange(11) % 13


@pytest.mark.parametrize("chunk", [1, 4, 11, 100])
def test_chunks_give_the_log_softmax(chunk):
    expected = (HIDDEN @ WEIGHT.T).log_softmax(-1)[torch.arange(11), TARGETS]
    assert torch.allclose(token_logprobs(HIDDEN, WEIGHT, TARGETS, chunk), expected, atol=1e-12)


@pytest.mark.parametrize("chunk", [1, 4, 11])
def test_gradients_agree_with_differences_in_float64(chunk):
    def logprobs(hidden: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return token_logprobs(hidden, weight, TARGETS, chunk)

    inputs = (HIDDEN.clone().requires_grad_(), WEIGHT.clone().requires_grad_())
    assert torch.autograd.gradcheck(logprobs, inputs)


def test_large_logits_do_not_overflow():
    logprobs = token_logprobs(HIDDEN.float() * 1e3, WEIGHT.float(), TARGETS, 4)
    assert torch.isfinite(logprobs).all()


def test_no_tokens_give_no_logprobs_and_a_zero_gradient():
    hidden = torch.zeros(0, 6, requires_grad=True)
    weight = torch.ones(13, 6, requires_grad=True)
    token_logprobs(hidden, weight, torch.zeros(0, dtype=torch.long), 4).sum().backward()
    assert weight.grad is not None
    assert weight.grad.abs().sum() == 0


def test_bfloat16_logprobs_are_float32_and_close():
    expected = token_logprobs(HIDDEN, WEIGHT, TARGETS, 4)
    found = token_logprobs(HIDDEN.bfloat16(), WEIGHT.bfloat16(), TARGETS, 4)
    assert found.dtype == torch.float32
    assert torch.allclose(found.double(), expected, atol=0.1)
