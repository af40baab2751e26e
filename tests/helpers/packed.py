"""The loss of packed rows, as the trainer computes it."""

from torch import Tensor, nn

from iterpref_assets.core.training.batches import collate, token_readings
from iterpref_assets.core.training.losses import (
    imitation_loss,
    preference_losses,
    reward_difference,
)
from iterpref_assets.core.training.packing import TokenPair, pack
from iterpref_assets.core.training.policy import MODEL_INPUTS
from iterpref_assets.core.training.recipes import Recipe


def packed_loss(model: nn.Module, pairs: list[TokenPair], recipe: Recipe, join=collate) -> Tensor:
    readings = [recipe.readings[i % len(recipe.readings)] for i in range(len(pairs))]
    batch = join([pack(p, r) for p, r in zip(pairs, readings, strict=True)])
    logprobs = model(**{name: batch[name] for name in MODEL_INPUTS})
    read = token_readings(batch)
    loss = logprobs.new_zeros(())
    if recipe.beta is not None:
        chosen, rejected = reward_difference(logprobs, read, len(pairs))
        loss = loss + preference_losses(chosen, rejected, recipe.beta).mean()
    if recipe.alpha > 0:
        loss = loss + recipe.alpha * imitation_loss(logprobs, read.imitated) / read.imitated.sum()
    return loss
