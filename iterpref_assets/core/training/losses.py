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

from iterpref_assets.core.training.config import ImitationMean


@dataclass(frozen=True, slots=True)
class TokenReadings:
    """What the loss reads, one entry per predicted token, N in all.

    Attributes:
        pair: [N] integers, the pair, counted within the batch, that the token belongs to.
        chosen: [N] how often the token counts in K(y+) of (1): once or not at all, or twice by a
            recipe that stresses some.
        rejected: [N] how often it counts in K(y-) of (2) or K'(y-) of (3); a token of the common
            prefix may count in both.
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

    L_SFT, equation (4), is a mean of it over a batch (ImitationMean).

    Args:
        logprobs: [N] log pi of each token, nats.
        imitated: [N] 1 where the token is imitated, else 0.
    """
    return -(imitated * logprobs).sum()


def imitation_losses(logprobs: Tensor, read: TokenReadings, pairs: int) -> Tensor:
    """[pairs] the mean negative log-likelihood of each pair's imitated tokens, nats, float64.

    0 where a pair has none.
    """
    summed = sum_by_pair(-(read.imitated * logprobs), read.pair, pairs)
    return summed / sum_by_pair(read.imitated, read.pair, pairs).clamp(min=1)


def unlikelihood_loss(logprobs: Tensor, rejected: Tensor) -> Tensor:
    """The summed -log(1 - pi) of the rejected tokens, a scalar in nats (arXiv 1908.04319, eq. 4).

    Unlike the log-ratio of D-, it has a floor: a token that the model no longer writes moves
    nothing any more.

    Args:
        logprobs: [N] log pi of each token, nats.
        rejected: [N] how often the token counts.
    """
    # Where pi rounds to 1 the loss would have no end.
    others = -torch.expm1(logprobs) + torch.finfo(logprobs.dtype).eps
    return -(rejected * others.log()).sum()


def batch_loss(
    logprobs: Tensor,
    read: TokenReadings,
    *,
    pairs: int,
    beta: float | None,
    alpha: float,
    gamma: float = 0.0,
    imitation_mean: ImitationMean = ImitationMean.TOKENS,
    of_pairs: Tensor | float | None = None,
    of_imitated: Tensor | float | None = None,
    of_rejected: Tensor | float | None = None,
) -> Tensor:
    """A micro-batch's share of the loss of its batch, a scalar in nats: (2) or (3) + alpha * (4).

    The shares of all micro-batches of a batch add up to the mean of (2), with K'(y-) (3), over its
    pairs, plus alpha times the mean (4), plus gamma times the mean unlikelihood of the tokens that
    are read of y-.

    Args:
        logprobs: [N] log pi of each predicted token, nats.
        read: [N] what the loss reads.
        pairs: pairs of the micro-batch.
        beta: the strength of the preference; None where the recipe has none.
        alpha: the weight of imitation; 0 where the recipe has none.
        gamma: the weight of unlikelihood; likewise.
        imitation_mean: over what (4) is a mean.
        of_pairs: pairs of the whole batch; None where the micro-batch is all of it.
        of_imitated: imitated tokens of the whole batch; likewise.
        of_rejected: how often tokens of y- count in the whole batch; likewise.
    """
    whole = float(pairs) if of_pairs is None else of_pairs
    loss = logprobs.new_zeros(())
    if beta is not None:
        chosen, rejected = reward_difference(logprobs, read, pairs)
        loss = loss + preference_losses(chosen, rejected, beta).sum() / whole
    if alpha > 0 and imitation_mean is ImitationMean.PAIRS:
        loss = loss + alpha * imitation_losses(logprobs, read, pairs).sum() / whole
    elif alpha > 0 and imitation_mean is ImitationMean.SUMS:
        loss = loss + alpha * imitation_loss(logprobs, read.imitated) / whole
    elif alpha > 0:
        tokens = torch.as_tensor(read.imitated.sum() if of_imitated is None else of_imitated)
        loss = loss + alpha * imitation_loss(logprobs, read.imitated) / tokens.clamp(min=1)
    if gamma > 0:
        tokens = torch.as_tensor(read.rejected.sum() if of_rejected is None else of_rejected)
        loss = loss + gamma * unlikelihood_loss(logprobs, read.rejected) / tokens.clamp(min=1)
    return loss


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
