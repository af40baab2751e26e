"""The equations of docs/METHOD.md, section 2, written out in float64.

Two full padded rows a pair, whole logits, no sharing.
"""

import torch
from torch import nn

from iterpref_assets.core.training.config import ImitationMean
from iterpref_assets.core.training.packing import CompletionTokens, TokenPair, read_tokens
from iterpref_assets.core.training.recipes import Reading, Recipe, Side, Tokens


def completion_logprobs(
    model: nn.Module, prompts: list[torch.Tensor], completions: list[torch.Tensor]
) -> list[torch.Tensor]:
    """log pi(y_i | x, y_<i) of every token of every completion."""
    rows = [torch.cat([p, c]) for p, c in zip(prompts, completions, strict=True)]
    length = max(len(row) for row in rows)
    ids = torch.zeros(len(rows), length, dtype=torch.long)
    mask = torch.zeros(len(rows), length, dtype=torch.long)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = row
        mask[place, : len(row)] = 1
    logprobs = model(input_ids=ids, attention_mask=mask).logits.log_softmax(-1)
    results = []
    for place, (prompt, completion) in enumerate(zip(prompts, completions, strict=True)):
        at = torch.arange(len(completion)) + len(prompt) - 1
        results.append(logprobs[place, at, completion])
    return results


def plain_loss(
    model: nn.Module,
    pairs: list[TokenPair],
    readings: list[Reading],
    recipe: Recipe,
    imitation_mean: ImitationMean = ImitationMean.TOKENS,
) -> torch.Tensor:
    """The mean of (2) or (3) over the pairs + alpha times (4) + gamma times unlikelihood."""
    prompts = [torch.tensor(pair.prompt).long() for pair in pairs]
    chosen = completion_logprobs(model, prompts, [_ids(pair.chosen) for pair in pairs])
    rejected = completion_logprobs(model, prompts, [_ids(pair.rejected) for pair in pairs])
    preference, imitated, unwanted = [], [], []
    for place, (pair, reading) in enumerate(zip(pairs, readings, strict=True)):
        if recipe.beta is not None:
            better = _log_ratio(chosen[place], pair.chosen, reading.chosen)
            worse = _log_ratio(rejected[place], pair.rejected, reading.rejected)
            preference.append(-torch.log(torch.sigmoid(recipe.beta * (better - worse))))
        if reading.imitated is Side.CHOSEN:
            imitated.append(chosen[place])
        elif reading.imitated is Side.REJECTED:
            imitated.append(rejected[place])
        read = torch.tensor(read_tokens(pair.rejected, reading.rejected))
        unwanted.append(torch.log(1 - rejected[place][read].exp()))
    loss = torch.zeros((), dtype=chosen[0].dtype)
    if preference:
        loss = loss + torch.stack(preference).mean()
    if imitated and imitation_mean is ImitationMean.PAIRS:
        loss = loss - recipe.alpha * torch.stack([side.mean() for side in imitated]).mean()
    elif imitated and imitation_mean is ImitationMean.SUMS:
        loss = loss - recipe.alpha * torch.stack([side.sum() for side in imitated]).mean()
    elif imitated:
        loss = loss - recipe.alpha * torch.cat(imitated).mean()
    if recipe.gamma and torch.cat(unwanted).numel():
        loss = loss - recipe.gamma * torch.cat(unwanted).mean()
    return loss


def _ids(completion: CompletionTokens) -> torch.Tensor:
    return torch.tensor(completion.ids).long()


def _log_ratio(logprobs: torch.Tensor, completion: CompletionTokens, tokens) -> torch.Tensor:
    ratios = logprobs - torch.tensor(completion.reference)
    total = ratios[torch.tensor(read_tokens(completion, tokens))].sum()
    if tokens is Tokens.FOCUSED:
        total = total + ratios[torch.tensor(completion.middle)].sum()
    return total
