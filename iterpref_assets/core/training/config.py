"""How a model is trained and its reference log-probabilities are computed.

The defaults are the paper's for a 7B model (METHOD.md, section 2); importable without torch.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from iterpref_assets.core.records import Record


class Precision(StrEnum):
    """In what the weights are held and the arithmetic done."""

    FLOAT32 = "float32"
    MIXED_BFLOAT16 = "mixed_bfloat16"
    """Weights and optimizer in float32, matrix products in bfloat16 (autocast)."""
    BFLOAT16 = "bfloat16"
    """Weights, gradients and optimizer in bfloat16: half the memory, coarser updates."""


class Schedule(StrEnum):
    """How the learning rate falls after the warm-up."""

    COSINE = "cosine"
    LINEAR = "linear"
    CONSTANT = "constant_with_warmup"


class TrainConfig(Record):
    """How a model is trained."""

    learning_rate: float = Field(default=1e-5, gt=0)
    """Peak rate of AdamW; the paper: 1e-5 at 7B, 5e-6 at 14B and 15B."""
    epochs: int = Field(default=3, ge=1)
    """Passes over the pairs; the paper: 3 (its released config: 2)."""
    batch_size: int = Field(default=128, ge=1)
    """Pairs an optimizer step, over all processes."""
    micro_batch_size: int = Field(default=1, ge=1)
    """Pairs in one forward pass of one process; changes memory and speed, not the loss."""
    beta: float | None = Field(default=None, gt=0)
    """Strength of the preference term; None: the recipe's own (the paper: 0.1)."""
    alpha: float | None = Field(default=None, gt=0)
    """Weight of the imitation term; None: the recipe's own (the paper: 1.0)."""
    warmup_ratio: float = Field(default=0.03, ge=0, lt=1)
    """Share of all steps over which the learning rate rises from 0."""
    schedule: Schedule = Schedule.COSINE
    weight_decay: float = Field(default=0.0, ge=0)
    max_grad_norm: float = Field(default=1.0, gt=0)
    """The gradient is scaled down to this norm."""
    max_length: int = Field(default=2048, ge=2)
    """Tokens of prompt and completion together; what is beyond is not read."""
    precision: Precision = Precision.MIXED_BFLOAT16
    gradient_checkpointing: bool = True
    """Recompute activations in the backward pass: less memory, a third more work."""
    vocabulary_chunk: int = Field(default=512, ge=1)
    """Tokens projected onto the vocabulary at once; bounds the memory of the logits."""
    save_steps: int = Field(default=50, ge=1)
    """Optimizer steps between checkpoints: at most this much work is repeated after a kill."""
    logging_steps: int = Field(default=1, ge=1)
    """Optimizer steps between points of the curves."""
    seed: int = 0
    """Draws the order of the pairs and the windows of diff_augment."""

    @model_validator(mode="after")
    def _micro_batches_fill_the_batch(self) -> Self:
        if self.batch_size % self.micro_batch_size:
            raise ValueError(
                f"batch_size {self.batch_size} is not a multiple of "
                f"micro_batch_size {self.micro_batch_size}"
            )
        return self


LAB = TrainConfig(
    learning_rate=5e-5,
    epochs=2,
    batch_size=32,
    micro_batch_size=8,
    precision=Precision.FLOAT32,
    gradient_checkpointing=False,
)
"""The embedded lab's one-million-parameter model on two cores."""
