"""How a model is trained and its reference log-probabilities are computed.

The defaults are the paper's for a 7B model (docs/METHOD.md, section 2); importable without torch.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from pydantic import Field, JsonValue, ValidationError, model_validator

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.records import Record


class Precision(StrEnum):
    """In what the weights are held and the arithmetic done."""

    FLOAT32 = "float32"
    """All in float32."""
    MIXED_BFLOAT16 = "mixed_bfloat16"
    """Weights and optimizer in float32, matrix products in bfloat16 (autocast)."""
    BFLOAT16 = "bfloat16"
    """Weights, gradients and optimizer in bfloat16: half the memory, coarser updates."""


class Optimizer(StrEnum):
    """What keeps the moments of the gradient."""

    ADAMW = "adamw"
    """Two moments in the type of the weights."""
    ADAMW_8BIT = "adamw_8bit"
    """Two moments of 8 bits (torchao); weights in bfloat16 are rounded at random, so that updates
    too small for one step still move them on average: 6 bytes a parameter with its gradient."""


class Schedule(StrEnum):
    """How the learning rate falls after the warm-up."""

    COSINE = "cosine"
    """To 0, slowly at first and at the end."""
    LINEAR = "linear"
    """To 0, evenly."""
    CONSTANT = "constant_with_warmup"
    """Not at all."""


class ImitationMean(StrEnum):
    """Over what the imitation loss (4) of a batch is a mean."""

    TOKENS = "tokens"
    """Over all imitated tokens: each weighs the same, whichever pair it is of (as in trl)."""
    PAIRS = "pairs"
    """Over the tokens of each pair, then over the pairs: each pair weighs the same, and the tokens
    of a short one more (as in the authors' code)."""
    SUMS = "sums"
    """Over the pairs, of the sum over each one's tokens (as the paper writes it): alpha weighs
    each as many times as much as in a mean over tokens as y+ has of them."""


class Attention(StrEnum):
    """How the mask between a pair's branches reaches attention."""

    DENSE = "sdpa"
    """One pair a row, and a mask of every query and key."""
    BLOCKS = "flex_attention"
    """The pairs of a micro-batch in one row, and a mask by blocks: for CUDA."""


class Sharding(StrEnum):
    """What several processes divide among them."""

    NONE = "none"
    """Nothing: each holds the whole model (DistributedDataParallel)."""
    FSDP2 = "fsdp2"
    """Weights, gradients and optimizer, by PyTorch."""
    ZERO3 = "zero3"
    """The same by DeepSpeed, which has to be installed."""


class Lora(Record):
    """Low-rank adapters on every linear layer but the vocabulary projection (peft).

    They are merged into the base model's weights at the end.
    """

    rank: int = Field(default=16, ge=1, description="Rank of the adapters")
    scale: float = Field(
        default=2.0,
        gt=0,
        description="Weight of the adapters' output (peft's lora_alpha is scale * rank)",
    )
    nf4: bool = Field(
        default=False,
        description="Hold the frozen weights of linear layers in 4 bits (torchao's NF4), by one "
        "process: QLoRA",
    )


class HeldoutConfig(Record):
    """Pairs kept out of training, on which the model is measured while it is trained."""

    share: float = Field(
        default=0.05,
        gt=0,
        lt=1,
        description="Problems whose pairs are kept out of training, as a share of 1",
    )
    every: int = Field(
        default=50, ge=1, description="Optimizer steps between measurements; the last is measured"
    )
    patience: int | None = Field(
        default=None,
        ge=1,
        description="Measurements in a row without a lower loss that end training; the weights of "
        "the lowest loss are kept, and a checkpoint is written at every measurement. Unset trains "
        "to the end",
    )


class TrainConfig(Record):
    """How a model is trained."""

    learning_rate: float = Field(
        default=1e-5,
        gt=0,
        description="Peak rate of AdamW; the paper: 1e-5 at 7B, 5e-6 at 14B and 15B",
    )
    epochs: int = Field(
        default=3, ge=1, description="Passes over the pairs; the paper: 3 (its released config: 2)"
    )
    batch_size: int = Field(
        default=128, ge=1, description="Pairs of an optimizer step, over all processes"
    )
    micro_batch_size: int = Field(
        default=1,
        ge=1,
        description="Pairs in one forward pass of one process; it changes memory and speed, not "
        "the loss",
    )
    max_tokens: int | None = Field(
        default=None,
        ge=1,
        description="Tokens in one forward pass of one process, unless one pair alone has more; "
        "instead of micro_batch_size",
    )
    beta: float | None = Field(
        default=None,
        gt=0,
        description="Strength of the preference term; unset is the recipe's own (the paper: 0.1)",
    )
    alpha: float | None = Field(
        default=None,
        gt=0,
        description="Weight of the imitation term; unset is the recipe's own (the paper: 1.0)",
    )
    imitation_mean: ImitationMean = Field(
        default=ImitationMean.TOKENS,
        description="What the imitation term is a mean over; tokens, as the recorded experiments "
        "and trl's equal batches have it",
    )
    warmup_ratio: float = Field(
        default=0.03,
        ge=0,
        lt=1,
        description="Share of all steps over which the learning rate rises from 0",
    )
    schedule: Schedule = Field(
        default=Schedule.COSINE, description="How the learning rate falls after the warm-up"
    )
    weight_decay: float = Field(default=0.0, ge=0, description="Decay of the weights in AdamW")
    max_grad_norm: float = Field(
        default=1.0, gt=0, description="The gradient is scaled down to this norm"
    )
    max_length: int = Field(
        default=2048,
        ge=2,
        description="Tokens of prompt and completion together; what is beyond is not read",
    )
    precision: Precision = Field(
        default=Precision.MIXED_BFLOAT16,
        description="In what the weights are held and the arithmetic done",
    )
    optimizer: Optimizer = Field(
        default=Optimizer.ADAMW, description="What moves the weights, and in what its states are"
    )
    gradient_checkpointing: bool = Field(
        default=True,
        description="Recompute activations in the backward pass: less memory, a third more work",
    )
    compile_layers: bool = Field(
        default=False,
        description="Compile each layer with torch.compile: for runs on a GPU that are longer than "
        "a minute",
    )
    vocabulary_chunk: int = Field(
        default=512,
        ge=1,
        description="Tokens projected onto the vocabulary at once; it bounds the memory of the "
        "logits",
    )
    save_minutes: float = Field(
        default=10,
        ge=0,
        description="Minutes between checkpoints: about this much work is repeated after a kill; "
        "0 writes one after every step",
    )
    logging_steps: int = Field(
        default=1, ge=1, description="Optimizer steps between points of the curves"
    )
    seed: int = Field(
        default=0, description="Draws the order of the pairs and the windows of diff_augment"
    )
    lora: Lora | None = Field(default=None, description="Train adapters instead of all weights")
    attention: Attention | None = Field(
        default=None,
        description="How attention is computed; unset is flex_attention on a GPU, sdpa on a CPU",
    )
    processes: int = Field(
        default=1,
        ge=1,
        description="Processes that a run starts on this host, one for each GPU; where torchrun "
        "starts them, its own number counts",
    )
    sharding: Sharding = Field(
        default=Sharding.NONE, description="What several processes divide among them"
    )
    reference_batch_tokens: int = Field(
        default=8192,
        ge=1,
        description="Tokens in one forward pass of the reference model, unless one pair alone has "
        "more",
    )
    heldout: HeldoutConfig | None = Field(
        default=None,
        description="Measure loss, margin and accuracy on pairs kept out of training; unset trains "
        "on all",
    )
    tensorboard: Path | None = Field(
        default=None,
        description="Folder for the curves as TensorBoard events, one folder below it for each run",
    )
    report_to: tuple[str, ...] = Field(
        default=(), description="Other trackers that transformers knows, such as wandb or mlflow"
    )

    @model_validator(mode="after")
    def _micro_batches_fill_the_batch(self) -> Self:
        if self.max_tokens is not None and self.micro_batch_size > 1:
            raise ValueError(
                "max_tokens takes the place of micro_batch_size, which is "
                f"{self.micro_batch_size}: set micro_batch_size to 1 beside it"
            )
        if self.batch_size % self.micro_batch_size:
            raise ValueError(
                f"batch_size {self.batch_size} is not a multiple of "
                f"micro_batch_size {self.micro_batch_size}"
            )
        return self

    @model_validator(mode="after")
    def _adapters_are_not_sharded(self) -> Self:
        if self.lora is not None and self.sharding is not Sharding.NONE:
            raise ValueError("lora trains little enough to need no sharding: leave one of them out")
        return self

    @model_validator(mode="after")
    def _four_bits_are_not_shared(self) -> Self:
        if self.in_four_bits and self.processes > 1:
            raise ValueError("lora.nf4 is for one process: set processes to 1, or leave nf4 out")
        return self

    @property
    def in_four_bits(self) -> bool:
        """Whether the frozen weights are NF4, those of the reference model too."""
        return self.lora is not None and self.lora.nf4

    def for_result(self) -> dict[str, JsonValue]:
        """The options that the trained weights depend on, rounding aside."""
        # What was trained before there were these options is current without them.
        unset: dict[str, Any] = {}
        if self.lora is not None and not self.lora.nf4:
            unset["lora"] = {"nf4"}
        if self.heldout is None:
            unset["heldout"] = True
        return self.model_dump(
            mode="json", exclude=dict.fromkeys(_FOR_SPEED_AND_MEMORY, True) | unset
        )


_FOR_SPEED_AND_MEMORY = (
    "micro_batch_size",
    "max_tokens",
    "gradient_checkpointing",
    "compile_layers",
    "vocabulary_chunk",
    "attention",
    "processes",
    "save_minutes",
    "logging_steps",
    "reference_batch_tokens",
    "tensorboard",
    "report_to",
)
"""A run may be resumed with others of these, as the remedy for memory that ran out asks."""

LAB = TrainConfig(
    learning_rate=5e-5,
    epochs=2,
    batch_size=32,
    micro_batch_size=8,
    precision=Precision.FLOAT32,
    gradient_checkpointing=False,
)
"""The embedded lab's one-million-parameter model on two cores."""


def read_train_config(
    file: Path | None, given: Mapping[str, JsonValue] | None = None
) -> TrainConfig:
    """The options of a TOML file, or the defaults without one, with those that are `given` instead.

    Raises:
        InputError: where the file is missing, is not TOML, or names an unknown option or a value
            out of range.
    """
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8")) if file else {}
        return TrainConfig.model_validate(_over(values, given or {}))
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}", file=file, remedy="Give a TOML file of options"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(str(error), file=file, remedy="Give a TOML file of options") from None
    except ValidationError as error:
        raise InputError.of_record(
            error,
            file=file,
            remedy=f"Options are: {', '.join(TrainConfig.model_fields)}",
        ) from None


def _over(values: Mapping[str, Any], given: Mapping[str, JsonValue]) -> dict[str, Any]:
    """`values` with what is `given` in its place; a section keeps what is not given."""
    merged = dict(values)
    for name, value in given.items():
        below: Any = merged.get(name)
        if isinstance(value, dict) and isinstance(below, dict):
            merged[name] = {**below, **value}
        else:
            merged[name] = value
    return merged
