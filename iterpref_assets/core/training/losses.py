"""The losses of the recipes: tensors in, tensors out (METHOD.md, section 2).

Log-probabilities are in nats. `log-ratio` means log pi_theta(token) - log pi_ref(token).
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
        pair: [N] the pair, counted within the batch, that the token belongs to.
        chosen: [N] 1 where the token counts in K(y+), else 0.
        rejected: [N] 1 where it counts in K(y-), else 0; a token of the common prefix may count
            in both.
        imitated: [N] 1 where its negative log-likelihood is minimised, else 0.
        reference_chosen, reference_rejected: [N] log pi_ref of the token as part of y+ and of y-.
    """

    pair: Tensor
    chosen: Tensor
    rejected: Tensor
    imitated: Tensor
    reference_chosen: Tensor
    reference_rejected: Tensor


def sum_by_pair(values: Tensor, pair: Tensor, pairs: int) -> Tensor:
    """[pairs] the sums of `values` [N] over the entries of each pair."""
    return values.new_zeros(pairs).index_add(0, pair, values)


def reward_difference(logprobs: Tensor, read: TokenReadings, pairs: int) -> tuple[Tensor, Tensor]:
    """[pairs] K(y+) and [pairs] K(y-): the log-ratios summed over the tokens that count.

    K(y) = sum_i log( pi_theta(y_i | x, y_<i) / pi_ref(y_i | x, y_<i) ); in the focal recipes
    K(y-) is K-' of the paper, over the tokens of D- alone.
    """
    chosen = read.chosen * (logprobs - read.reference_chosen)
    rejected = read.rejected * (logprobs - read.reference_rejected)
    return sum_by_pair(chosen, read.pair, pairs), sum_by_pair(rejected, read.pair, pairs)


def preference_losses(chosen: Tensor, rejected: Tensor, beta: float) -> Tensor:
    """[pairs] -log sigmoid( beta * (K(y+) - K(y-)) ), the (focal) DPO loss of each pair."""
    return -functional.logsigmoid(beta * (chosen - rejected))


def imitation_loss(logprobs: Tensor, imitated: Tensor) -> Tensor:
    """The summed negative log-likelihood of the imitated tokens, a scalar.

    The RPO term L_SFT is this sum over a whole batch divided by the batch's imitated tokens (the
    authors' code and trl take the token mean).
    """
    return -(imitated * logprobs).sum()


def measure(
    logprobs: Tensor, read: TokenReadings, groups: Sequence[Tensor], pairs: int, beta: float | None
) -> Tensor:
    """[len(curves.SUMS)] the sums of one micro-batch that the curves are made of.

    `groups` are the marks [N] of the tokens of y+, of y- and of D- that the loss reads.
    """
    with torch.no_grad():
        chosen, rejected = reward_difference(logprobs, read, pairs)
        margins = (beta or 0.0) * (chosen - rejected)
        counts = logprobs.new_tensor([pairs, pairs if beta is not None else 0])
        rewards = torch.stack([margins.sum(), (margins > 0).sum().to(margins.dtype)])
        sums = [value for group in groups for value in ((group * logprobs).sum(), group.sum())]
        return torch.cat([counts, rewards, torch.stack(sums)])
