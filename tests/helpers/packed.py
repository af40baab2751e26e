"""The loss of packed rows, as the trainer computes it."""

from torch import Tensor, nn

from iterpref_assets.core.training.batches import collate, token_readings
from iterpref_assets.core.training.config import ImitationMean
from iterpref_assets.core.training.losses import batch_loss
from iterpref_assets.core.training.packing import TokenPair, pack
from iterpref_assets.core.training.policy import MODEL_INPUTS
from iterpref_assets.core.training.recipes import Recipe


def packed_loss(
    model: nn.Module,
    pairs: list[TokenPair],
    recipe: Recipe,
    join=collate,
    imitation_mean=ImitationMean.TOKENS,
) -> Tensor:
    readings = [recipe.readings[i % len(recipe.readings)] for i in range(len(pairs))]
    batch = join([pack(p, r) for p, r in zip(pairs, readings, strict=True)])
    logprobs = model(**{name: batch[name] for name in MODEL_INPUTS})
    return batch_loss(
        logprobs,
        token_readings(batch),
        pairs=len(pairs),
        beta=recipe.beta,
        alpha=recipe.alpha,
        gamma=recipe.gamma,
        imitation_mean=imitation_mean,
    )
