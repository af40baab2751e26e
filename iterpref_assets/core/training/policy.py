"""A causal language model whose forward pass gives log-probabilities of needed tokens alone.

The projection onto the vocabulary stays inside the model's own `forward`, where wrappers that
gather sharded weights (FSDP, DeepSpeed) expect it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import MethodType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.training.batches import branch_mask
from iterpref_assets.core.training.config import Precision
from iterpref_assets.core.training.logprobs import token_logprobs

if TYPE_CHECKING:
    from transformers import PreTrainedModel

MODEL_INPUTS = ("input_ids", "position_ids", "segments", "at", "targets")
"""What of a collated micro-batch the policy's forward pass takes."""

_LOGIT_CHANGES = ("final_logit_softcapping", "logit_scale", "logits_scaling")


def load_policy(model_dir: Path, precision: Precision, vocabulary_chunk: int) -> PreTrainedModel:
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
        model_dir, dtype=dtype, attn_implementation="sdpa"
    )
    _check_plain(model, model_dir)
    give_logprobs(model, vocabulary_chunk)
    return model


def give_logprobs(model: PreTrainedModel, vocabulary_chunk: int) -> None:
    """Replace the forward pass of `model` by one that returns log-probabilities."""

    def forward(
        self: Any,
        *,
        input_ids: Tensor,
        position_ids: Tensor,
        segments: Tensor,
        at: Tensor,
        targets: Tensor,
    ) -> Tensor:
        hidden = self.base_model(
            input_ids=input_ids,
            position_ids=position_ids,
            attention_mask=branch_mask(segments),
            use_cache=False,
        ).last_hidden_state
        needed = hidden.flatten(0, 1).index_select(0, at)
        weight = self.get_output_embeddings().weight
        device = needed.device.type
        if torch.is_autocast_enabled(device):
            dtype = torch.get_autocast_dtype(device)
            needed, weight = needed.to(dtype), weight.to(dtype)
        return token_logprobs(needed, weight, targets, vocabulary_chunk)

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
