"""A causal language model whose forward pass gives log-probabilities of needed tokens alone.

The projection onto the vocabulary stays in the `forward` of the model's own head, where wrappers
that gather sharded weights (FSDP, DeepSpeed) expect it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import MethodType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.training.batches import block_mask, branch_mask
from iterpref_assets.core.training.config import Attention, Lora, Precision
from iterpref_assets.core.training.logprobs import token_logprobs

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

MODEL_INPUTS = ("input_ids", "position_ids", "codes", "at", "targets")
"""What of a collated micro-batch the policy's forward pass takes."""

_LOGIT_CHANGES = ("final_logit_softcapping", "logit_scale", "logits_scaling")


def load_policy(
    model_dir: Path, precision: Precision, vocabulary_chunk: int, attention: Attention
) -> PreTrainedModel:
    """The model of `model_dir`; its forward takes MODEL_INPUTS and returns [N] log-probabilities.

    Raises:
        InputError: where there is no model, or its attention or logits are not the plain ones that
            packed rows rely on.
    """
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    if not (model_dir / "config.json").is_file():
        raise InputError(
            "no model here: config.json is missing",
            file=model_dir,
            remedy="Give the folder of a model that AutoModelForCausalLM can load",
        )
    if not sys.stderr.isatty():
        logging.disable_progress_bar()
    dtype = torch.bfloat16 if precision is Precision.BFLOAT16 else torch.float32
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
        model_dir, dtype=dtype, attn_implementation=attention.value
    )
    _check_plain(model, model_dir)
    give_logprobs(model, vocabulary_chunk)
    return model


def attention_for(wanted: Attention | None) -> Attention:
    """`wanted`, or what suits this machine: blocks on a GPU, dense masks elsewhere."""
    return wanted or (Attention.BLOCKS if torch.cuda.is_available() else Attention.DENSE)


def with_adapters(model: PreTrainedModel, lora: Lora) -> PeftModel:
    """`model` frozen, with adapters to train."""
    from peft import LoraConfig, PeftModel

    alpha: Any = lora.scale * lora.rank
    return PeftModel(model, LoraConfig(r=lora.rank, lora_alpha=alpha, target_modules="all-linear"))


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


def _check_plain(model: PreTrainedModel, model_dir: Path) -> None:
    config = model.config
    for field in _LOGIT_CHANGES:
        if getattr(config, field, None) not in {None, 1.0}:
            raise InputError(
                "the model changes its logits after the projection, which is not supported",
                file=model_dir / "config.json",
                field=field,
                remedy="Train a model whose logits are its projection's output",
            )
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    if kinds != {"full_attention"}:
        raise InputError(
            f"attention of kind {', '.join(sorted(kinds))}: packed rows need full attention",
            file=model_dir / "config.json",
            field="layer_types",
            remedy="Train a model whose every layer attends to the whole prefix",
        )
    if getattr(model.get_output_embeddings(), "bias", None) is not None:
        raise InputError(
            "the vocabulary projection has a bias, which is not supported",
            file=model_dir / "config.json",
            remedy="Train a model without one",
        )
