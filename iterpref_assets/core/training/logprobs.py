"""Log-probabilities of needed tokens, in chunks over the vocabulary projection."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class _TokenLogprobs(torch.autograd.Function):
    """log softmax(hidden @ weight.T)[targets], never holding more than one chunk of logits.

    The exponentials of the last chunk are kept for the backward pass: where one chunk holds all
    tokens, nothing is computed twice.
    """

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, chunk: int) -> Tensor:
        logprobs = torch.empty(len(hidden), dtype=torch.float32, device=hidden.device)
        if weight.dtype == torch.float64:
            logprobs = logprobs.double()
        kept = None
        for start in range(0, len(hidden), chunk):
            part = slice(start, start + chunk)
            kept = None
            kept, logprobs[part] = _exponentials(hidden[part], weight, targets[part])
        needs_gradient = any(ctx.needs_input_grad[:2])
        ctx.kept = kept if needs_gradient else None
        ctx.chunk = chunk
        ctx.save_for_backward(hidden, weight, targets)
        return logprobs

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor | None, Tensor | None, None, None]:
        hidden, weight, targets = ctx.saved_tensors
        (upstream,) = grads
        grad_hidden = torch.empty_like(hidden)
        grad_weight = torch.zeros_like(weight) if ctx.needs_input_grad[1] else None
        for start in reversed(range(0, len(hidden), ctx.chunk)):
            part = slice(start, start + ctx.chunk)
            scores, ctx.kept = ctx.kept, None
            if scores is None:
                scores, _ = _exponentials(hidden[part], weight, targets[part])
            scale = upstream[part, None]
            scores.mul_(-scale / scores.sum(dim=1, keepdim=True))
            scores.scatter_add_(1, targets[part, None], scale.to(scores.dtype))
            scores = scores.to(weight.dtype)
            torch.mm(scores, weight, out=grad_hidden[part])
            if grad_weight is not None:
                grad_weight.addmm_(scores.T, hidden[part])
        return grad_hidden, grad_weight, None, None


def _exponentials(hidden: Tensor, weight: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """[n, V] exp(logits - their maximum) and [n] the log-probabilities of `targets`."""
    logits = _project(hidden, weight)
    logits -= logits.amax(dim=1, keepdim=True)
    picked = logits.gather(1, targets[:, None]).squeeze(1)
    exponentials = logits.exp_()
    return exponentials, picked - exponentials.sum(dim=1).log()


def _project(hidden: Tensor, weight: Tensor) -> Tensor:
    """[n, V] logits in float32, or float64; on a GPU never rounded to bfloat16 on the way."""
    if hidden.is_cuda and hidden.dtype == torch.bfloat16:
        return torch.mm(hidden, weight.T, out_dtype=torch.float32)
    logits = torch.mm(hidden, weight.T)
    return logits if logits.dtype == torch.float64 else logits.float()


def token_logprobs(hidden: Tensor, weight: Tensor, targets: Tensor, chunk: int) -> Tensor:
    """[N] log-probabilities (nats, float32 or float64) of `targets`.

    Args:
        hidden: [N, H] the model's last hidden states where the tokens are predicted.
        weight: [V, H] the vocabulary projection.
        targets: [N] token ids.
        chunk: tokens projected at once; memory is chunk * V floats.
    """
    if len(targets) == 0:
        return (hidden.sum() + 0 * weight.sum()).expand(0)
    result: Tensor = _TokenLogprobs.apply(hidden, weight, targets, chunk)  # pyright: ignore[reportAssignmentType]
    return result
