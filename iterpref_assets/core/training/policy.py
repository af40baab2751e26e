"""A causal language model whose forward pass gives log-probabilities of needed tokens alone.

The projection onto the vocabulary stays in the `forward` of the model's own head, where wrappers
that gather sharded weights (FSDP, DeepSpeed) expect it.
"""

from __future__ import annotations

from pathlib import Path
from types import MethodType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.progress import without_bars_of_transformers
from iterpref_assets.core.training.batches import block_mask, branch_mask
from iterpref_assets.core.training.config import Attention, Lora, Precision, TrainConfig
from iterpref_assets.core.training.logprobs import token_logprobs

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

MODEL_INPUTS = ("input_ids", "position_ids", "codes", "at", "targets")
"""What of a collated micro-batch the policy's forward pass takes."""

NF4_BLOCKS = 64 * 256
"""torchao's NF4 has a scale for every 64 values, and one for every 256 of those."""
_CHANGES = {
    "final_logit_softcapping": "logits after the projection",
    "logit_scale": "logits after the projection",
    "logits_scaling": "logits after the projection",
    "attn_logit_softcapping": "attention scores",
}
_BY_LENGTH = ("dynamic", "longrope")
"""Kinds of rotary position whose angles follow from the longest row of a forward pass."""


def load_policy(
    model_dir: Path, config: TrainConfig, precision: Precision, attention: Attention
) -> PreTrainedModel:
    """The model of `model_dir`; its forward takes MODEL_INPUTS and returns [N] log-probabilities.

    Every dropout is 0: reference and policy are compared token by token.

    Raises:
        InputError: where there is no model, or its attention or logits are not the plain ones that
            packed rows rely on.
    """
    from transformers import AutoConfig, AutoModelForCausalLM

    require_model(model_dir)
    without_bars_of_transformers()
    dtype = torch.bfloat16 if precision is Precision.BFLOAT16 else torch.float32
    architecture = AutoConfig.from_pretrained(model_dir)
    _without_dropout(architecture)
    try:
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
            model_dir, config=architecture, dtype=dtype, attn_implementation=attention.value
        )
    except ValueError as error:
        if "does not support an attention implementation" not in str(error):
            raise
        raise InputError(
            f"a model of this type cannot attend by {attention.value}",
            file=model_dir / "config.json",
            field="model_type",
            remedy="Set attention to the other kind, or train a model of another type",
        ) from None
    require_plain(model, model_dir, config.max_length)
    if config.in_four_bits:
        hold_in_four_bits(model)
    give_logprobs(model, config.vocabulary_chunk)
    return model


def require_model(model_dir: Path) -> None:
    """Refuse a folder without a model.

    Raises:
        InputError: where config.json is missing.
    """
    if not (model_dir / "config.json").is_file():
        raise InputError(
            "no model here: config.json is missing",
            file=model_dir,
            remedy="Give the folder of a model that AutoModelForCausalLM can load",
        )


def _without_dropout(architecture: Any) -> None:
    for name, value in list(vars(architecture).items()):
        if "drop" in name and isinstance(value, float):
            setattr(architecture, name, 0.0)


def attention_for(wanted: Attention | None) -> Attention:
    """`wanted`, or what suits this machine: blocks on a GPU, dense masks elsewhere."""
    return wanted or (Attention.BLOCKS if torch.cuda.is_available() else Attention.DENSE)


def with_adapters(model: PreTrainedModel, lora: Lora) -> PeftModel:
    """`model` frozen, with adapters to train."""
    from peft import LoraConfig, PeftModel

    alpha: Any = lora.scale * lora.rank
    return PeftModel(model, LoraConfig(r=lora.rank, lora_alpha=alpha, target_modules="all-linear"))


def linear_layers(model: nn.Module) -> list[nn.Linear]:
    """The linear layers that can be NF4: all but the vocabulary projection, in whole blocks."""
    head: Any = model
    projection = head.get_output_embeddings()
    return [
        module
        for module in model.modules()
        if isinstance(module, nn.Linear)
        and module is not projection
        and module.weight.numel() % NF4_BLOCKS == 0
    ]


def hold_in_four_bits(model: nn.Module) -> None:
    """Freeze the linear layers of `model` in NF4."""
    from torchao.quantization import to_nf4

    for module in linear_layers(model):
        module.weight = nn.Parameter(to_nf4(module.weight.detach()), requires_grad=False)


def hold_whole(model: nn.Module) -> None:
    """Undo `hold_in_four_bits`, but for the rounding."""
    from torchao.quantization import NF4Tensor

    for module in model.modules():
        if isinstance(module, nn.Linear) and isinstance(module.weight, NF4Tensor):
            module.weight = nn.Parameter(module.weight.get_original_weight(), requires_grad=False)


def compile_layers(model: nn.Module) -> None:
    """Compile each layer of `model`: one graph for all of them, whatever the length of the rows."""
    from transformers.modeling_layers import GradientCheckpointingLayer

    for module in model.modules():
        if isinstance(module, GradientCheckpointingLayer):
            module.compile(dynamic=True)


def give_logprobs(model: PreTrainedModel, vocabulary_chunk: int) -> None:
    """Replace the forward pass of `model` by one that returns log-probabilities."""
    in_blocks = model.config._attn_implementation == Attention.BLOCKS  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    head: Any = model.get_output_embeddings()

    def project(self: Any, hidden: Tensor, targets: Tensor) -> Tensor:
        device, weight = hidden.device.type, self.weight
        if torch.is_autocast_enabled(device):
            dtype = torch.get_autocast_dtype(device)
            hidden, weight = hidden.to(dtype), weight.to(dtype)
        return token_logprobs(hidden, weight, targets, vocabulary_chunk)

    def forward(
        self: Any,
        *,
        input_ids: Tensor,
        position_ids: Tensor,
        codes: Tensor,
        at: Tensor,
        targets: Tensor,
    ) -> Tensor:
        hidden = self.base_model(
            input_ids=input_ids,
            position_ids=position_ids,
            attention_mask=block_mask(codes) if in_blocks else branch_mask(codes),
            use_cache=False,
        ).last_hidden_state
        return self.get_output_embeddings()(hidden.flatten(0, 1).index_select(0, at), targets)

    head.forward = MethodType(project, head)
    model.forward = MethodType(forward, model)


def require_plain(model: PreTrainedModel, model_dir: Path, max_length: int) -> None:
    """Refuse a `model` that packed rows of up to `max_length` tokens a side would train wrongly.

    Raises:
        InputError: with the field of config.json and what to do instead.
    """
    config = model.config
    plain = "Train a model whose every layer attends to the whole prefix"

    def refuse(problem: str, field: str | None, remedy: str) -> InputError:
        return InputError(problem, file=model_dir / "config.json", field=field, remedy=remedy)

    for field, what in _CHANGES.items():
        if getattr(config, field, None) not in {None, 1.0}:
            raise refuse(
                f"the model changes its {what}, which is not supported",
                field,
                "Train a model whose scores and logits are plain products",
            )
    if getattr(config, "alibi", False):
        raise refuse(
            "attention scores change with the distance of tokens in their row (ALiBi), where those "
            "of a branch lie elsewhere",
            "alibi",
            "Train a model with rotary positions",
        )
    if model._is_stateful:  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        raise refuse(
            "the model carries a state from token to token, which no mask between branches stops",
            "model_type",
            plain,
        )
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    if kinds != {"full_attention"}:
        raise refuse(
            f"attention of kind {', '.join(sorted(kinds))}: packed rows need full attention",
            "layer_types",
            plain,
        )
    window = getattr(config, "sliding_window", None)
    if window is not None and getattr(config, "use_sliding_window", True) and window < max_length:
        raise refuse(
            f"attention reaches back {window} tokens, and max_length is {max_length}",
            "sliding_window",
            f"Lower max_length to {window}, or train a model without a window",
        )
    rope: Any = getattr(config, "rope_parameters", None) or {}
    trained = rope.get("original_max_position_embeddings", config.max_position_embeddings)
    if rope.get("rope_type") in _BY_LENGTH and trained is not None and max_length > trained:
        raise refuse(
            f"positions of a row longer than {trained} tokens depend on how long it is",
            "rope_parameters",
            f"Lower max_length (now {max_length}) to {trained}",
        )
    if getattr(model.get_output_embeddings(), "bias", None) is not None:
        raise refuse(
            "the vocabulary projection has a bias, which is not supported",
            None,
            "Train a model without one",
        )
