"""The losses of the recipes: tensors in, tensors out; equations are those of docs/METHOD.md.

Log-probabilities, log-ratios (log pi(token) - log pi_ref(token)), K and every loss are in nats;
beta, alpha and weights of tokens are plain numbers. N counts the predicted tokens of a batch.
Log-probabilities are float32, or float64 where the model is; sums over a pair are float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class TokenReadings:
    """What the loss reads, one entry per predicted token, N in all.

    Attributes:
        pair: [N] integers, the pair, counted within the batch, that the token belongs to.
        chosen: [N] 1 where the token counts in K(y+) of (1), else 0.
        rejected: [N] 1 where it counts in K(y-) of (2) or K'(y-) of (3), else 0; a token of the
            common prefix may count in both.
        imitated: [N] 1 where it counts in (4), else 0.
        reference_chosen, reference_rejected: [N] log pi_ref of the token as part of y+ and of y-,
            nats.
    """

    pair: Tensor
    chosen: Tensor
    rejected: Tensor
    imitated: Tensor
    reference_chosen: Tensor
    reference_rejected: Tensor


def sum_by_pair(values: Tensor, pair: Tensor, pairs: int) -> Tensor:
    """[pairs] the sums of `values` [N] over the tokens of each `pair` [N], in their unit, float64.

    K(y+) and K(y-) are sums of up to thousands of tokens whose difference can be small: in float32
    their rounding alone would move the loss by more than 1e-5.
    """
    return values.new_zeros(pairs, dtype=torch.float64).index_add(0, pair, values.double())


def reward_difference(logprobs: Tensor, read: TokenReadings, pairs: int) -> tuple[Tensor, Tensor]:
    """[pairs] K(y+) and [pairs] K(y-) by equation (1), in nats.

    They are the log-ratios of `logprobs` [N] summed over the tokens that count. Where `read` counts
    the tokens of D- alone, the second is K'(y-) of (3).
    """
    chosen = read.chosen * (logprobs - read.reference_chosen)
    rejected = read.rejected * (logprobs - read.reference_rejected)
    return sum_by_pair(chosen, read.pair, pairs), sum_by_pair(rejected, read.pair, pairs)


def preference_losses(chosen: Tensor, rejected: Tensor, beta: float) -> Tensor:
    """[pairs] -log sigmoid( beta * (K(y+) - K(y-)) ) in nats: equation (2), with K'(y-) (3).

    Args:
        chosen: [pairs] K(y+), nats.
        rejected: [pairs] K(y-) or K'(y-), nats.
        beta: the strength of the preference, without unit.
    """
    return -functional.logsigmoid(beta * (chosen - rejected))


def imitation_loss(logprobs: Tensor, imitated: Tensor) -> Tensor:
    """The summed negative log-likelihood of the imitated tokens, a scalar in nats.

    L_SFT, equation (4), is this sum over a whole batch divided by the batch's imitated tokens (the
    authors' code and trl take the token mean).

    Args:
        logprobs: [N] log pi of each token, nats.
        imitated: [N] 1 where the token is imitated, else 0.
    """
    return -(imitated * logprobs).sum()


def measure(
    logprobs: Tensor, read: TokenReadings, groups: Sequence[Tensor], pairs: int, beta: float | None
) -> Tensor:
    """[len(curves.SUMS)] the sums of one micro-batch that the curves are made of.

    Counts of pairs and tokens, and, in nats, the margins beta * (K(y+) - K(y-)) of (2) or (3) and
    log-probabilities. `groups` are the marks [N] of the tokens of y+, of y- and of D- that the
    loss reads.
    """
    with torch.no_grad():
        chosen, rejected = reward_difference(logprobs, read, pairs)
        margins = (beta or 0.0) * (chosen - rejected)
        counts = logprobs.new_tensor([pairs, pairs if beta is not None else 0])
        rewards = torch.stack([margins.sum(), (margins > 0).sum().to(margins.dtype)])
        sums = [value for group in groups for value in ((group * logprobs).sum(), group.sum())]
        return torch.cat([counts, rewards, torch.stack(sums)])
