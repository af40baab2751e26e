"""What one training step holds in memory, found by running it on tensors without storage.

The model is made from its config.json alone. Forward pass, loss, backward pass and optimizer are
the trainer's own, on fake tensors: only sizes and lifetimes are followed, so 7B takes seconds.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from iterpref_assets.core.training.cards import Card
from iterpref_assets.core.training.config import Attention, Optimizer, Precision, TrainConfig
from iterpref_assets.core.training.policy import (
    give_logprobs,
    linear_layers,
    require_model,
    with_adapters,
)
from iterpref_assets.core.training.work import Pass

COMPILED = 0.75
"""What compiled layers keep of what others keep: (63.0 - 46.0) / (68.9 - 46.0) GB were measured on
an H100 at 7B (measurements/results/gpu-h100.json, weights, gradients and states taken off)."""
EIGHT_BIT_BLOCK = 256
SMALLEST_EIGHT_BIT = 4096
_CODES = 4 + 4 + 4 + 4 + 8 + 8 + 8 + 1
"""Bytes a value of torchao's search for codes: the scaled moment, the values below and above it and
what is left in float32; the places found, those above and those chosen in 64 bits; a condition."""
EIGHT_BIT_STEP = {torch.bfloat16: 4 * 4 + _CODES, torch.float32: 3 * 4 + _CODES}
"""Bytes for each value of the largest weight that torchao 0.18 holds for an instant where its step
is not compiled: while it codes the second moment it has the weight and both moments in float32,
and of a bfloat16 weight the gradient too."""
_ATTENTION = "without_storage"


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes that one process holds at once, nothing sharded.

    Attributes:
        parameters, trained: counts; with adapters few are trained.
        vocabulary, hidden: the tokens that the model knows, the width of its hidden states.
        published: bytes of the model in the type of its base.
        in_layers: weights in the layers, which every computed token passes.
        weights, gradients, optimizer: bytes kept through a step. Frozen weights in the type of
            their file may stay pages of it on a CPU: every pass reads them, so they count.
        layer: bytes of the largest layer's weights.
        outside: bytes of the weights outside the layers: embedding and projection.
        passing: most bytes beyond those, while rows pass forward and back.
        stepping: most bytes beyond those, while the optimizer steps.
    """

    parameters: int
    trained: int
    vocabulary: int
    hidden: int
    published: int
    in_layers: int
    weights: int
    gradients: int
    optimizer: int
    layer: int
    outside: int
    passing: int
    stepping: int


def footprint(
    model_dir: Path, config: TrainConfig, largest: Pass, passes: int, card: Card
) -> Footprint:
    """What training the model of `model_dir` by `config` holds on one process.

    Args:
        model_dir: a folder with config.json; weights are not read.
        config: precision, optimizer, checkpointing, adapters and vocabulary_chunk are used.
        largest: the largest forward pass.
        passes: forward passes of a step; from the second on, gradients are already there.
        card: what it runs on.

    Raises:
        InputError: where there is no model.
    """
    model = _model(model_dir, config, card.attention(config))
    with FakeTensorMode():
        _make_fake(model)
        weights = list(model.parameters())
        trained = [weight for weight in weights if weight.requires_grad]
        with _Storages() as storages:
            for weight in [*weights, *model.buffers()]:
                storages.add(weight)
            whole = storages.now
            gradients = sum(weight.nbytes for weight in trained)
            storages.peak = storages.now
            for _ in range(min(passes, 2)):
                _forward_and_back(model, config, largest)
            # What a first pass keeps goes away while it makes the gradients.
            passing = max(storages.peak - whole - gradients, 0)
            stepping, states = _step(trained, config, storages, card)
    saved, unpacked = _four_bits(model) if config.in_four_bits else (0, 0)
    layers = _layers(model)
    sizes = [_bytes(layer) for layer in layers]
    return Footprint(
        parameters=sum(weight.numel() for weight in weights),
        trained=sum(weight.numel() for weight in trained),
        vocabulary=model.config.vocab_size,
        hidden=model.config.hidden_size,
        published=_published(weights, model_dir, config),
        in_layers=sum(weight.numel() for layer in layers for weight in layer.parameters()),
        weights=whole - saved,
        gradients=gradients,
        optimizer=states,
        layer=max(sizes),
        outside=_bytes(model) - sum(sizes),
        passing=unpacked + int(passing * (COMPILED if config.compile_layers else 1)),
        stepping=stepping,
    )


def _model(model_dir: Path, config: TrainConfig, attention: Attention) -> Any:
    from transformers import AttentionInterface, AutoConfig, AutoModelForCausalLM

    require_model(model_dir)
    AttentionInterface.register(_ATTENTION, _attend)
    architecture = AutoConfig.from_pretrained(model_dir)
    with torch.device("meta"):
        model: Any = AutoModelForCausalLM.from_config(
            architecture,
            dtype=torch.bfloat16 if config.precision is Precision.BFLOAT16 else torch.float32,
            attn_implementation=attention.value if attention is Attention.DENSE else _ATTENTION,
        )
        give_logprobs(model, config.vocabulary_chunk)
        if config.lora is not None:
            model = with_adapters(model, config.lora)
    if config.gradient_checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    return model.train()


def _make_fake(model: nn.Module) -> None:
    """Give every weight and buffer of `model`, which lies on the meta device, a fake of a CPU's.

    Autocast and attention do on the meta device what they do nowhere else.
    """
    made: dict[int, nn.Parameter] = {}
    for module in model.modules():
        for name, weight in list(module.named_parameters(recurse=False, remove_duplicate=False)):
            fake = torch.empty(weight.shape, dtype=weight.dtype, device="cpu")
            made.setdefault(id(weight), nn.Parameter(fake, requires_grad=weight.requires_grad))
            module.register_parameter(name, made[id(weight)])
        for name, buffer in list(module.named_buffers(recurse=False, remove_duplicate=False)):
            fake = torch.empty(buffer.shape, dtype=buffer.dtype, device="cpu")
            setattr(module, name, fake)  # what is a buffer stays one, and keeps its persistence


def _four_bits(model: nn.Module) -> tuple[int, int]:
    """Bytes that NF4 saves, and those of the largest weight while it is unpacked to be used."""
    base: Any = model
    weights = [layer.weight for layer in linear_layers(base.get_base_model())]
    # Half a byte a value, a byte for every 64 of them.
    small = sum(weight.numel() // 2 + weight.numel() // 64 for weight in weights)
    sizes = [weight.nbytes for weight in weights]
    return sum(sizes) - small, max(sizes)


def _layers(model: nn.Module) -> Sequence[nn.Module]:
    from transformers.modeling_layers import GradientCheckpointingLayer

    found = [part for part in model.modules() if isinstance(part, GradientCheckpointingLayer)]
    return found or [model]


def _bytes(module: nn.Module) -> int:
    return sum(weight.nbytes for weight in module.parameters())


def _published(weights: list[nn.Parameter], model_dir: Path, config: TrainConfig) -> int:
    from transformers import AutoConfig

    written: Any = AutoConfig.from_pretrained(model_dir).dtype
    dtype: torch.dtype = written or torch.float32
    merged = config.lora is not None
    return dtype.itemsize * sum(
        weight.numel() for weight in weights if not (merged and weight.requires_grad)
    )


def _forward_and_back(model: nn.Module, config: TrainConfig, largest: Pass) -> None:
    ids = torch.zeros(largest.rows, largest.length, dtype=torch.long)
    places = torch.zeros(max(largest.read, 1), dtype=torch.long)
    mixed = config.precision is Precision.MIXED_BFLOAT16
    cached = not config.gradient_checkpointing
    with torch.autocast("cpu", torch.bfloat16, enabled=mixed, cache_enabled=cached):
        logprobs = model(input_ids=ids, position_ids=ids, codes=ids, at=places, targets=places)
    logprobs.sum().backward()


def _step(
    trained: list[nn.Parameter], config: TrainConfig, storages: _Storages, card: Card
) -> tuple[int, int]:
    """Most bytes that a step of the optimizer adds for an instant, and those of its states."""
    if config.optimizer is Optimizer.ADAMW_8BIT:
        # On a GPU the step is compiled and keeps nothing for an instant.
        at_once = [weight.numel() * EIGHT_BIT_STEP[weight.dtype] for weight in trained]
        instant = 0 if card.gpu else max(at_once)
        return instant, sum(_eight_bit_states(weight) for weight in trained)
    optimizer = torch.optim.AdamW(trained, fused=True)
    before = storages.peak = storages.now
    optimizer.step()
    return storages.peak - storages.now, storages.now - before


def _eight_bit_states(weight: nn.Parameter) -> int:
    """Bytes of torchao's two moments: a byte a value and a float32 for each block of values."""
    count = weight.numel()
    if count < SMALLEST_EIGHT_BIT or count % EIGHT_BIT_BLOCK:
        return 2 * weight.nbytes
    return 2 * (count + 4 * count // EIGHT_BIT_BLOCK)


class _Storages(TorchDispatchMode):
    """Follows which storages are alive: `now` bytes, and `peak` at most since it was last set."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._seen: weakref.WeakSet[Any] = weakref.WeakSet()

    def add(self, tensor: Tensor) -> None:
        """Count the storage of `tensor` until it is freed."""
        storage = tensor.untyped_storage()
        if storage in self._seen:
            return
        size = storage.nbytes()
        self._seen.add(storage)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._free, size)

    def _free(self, size: int) -> None:
        self.now -= size

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        del types
        result = func(*args, **(kwargs or {}))
        for made in tree_leaves(result):
            if isinstance(made, Tensor):
                self.add(made)
        return result


class _Attended(torch.autograd.Function):
    """Attention that keeps what FlexAttention keeps: no scores of every query and key."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        out = torch.empty_like(query)
        sums = query.new_empty(query.shape[:-1], dtype=torch.float32)
        ctx.save_for_backward(query, key, value, out, sums)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        del grads
        query, key, value, *_ = ctx.saved_tensors
        return torch.empty_like(query), torch.empty_like(key), torch.empty_like(value)


def _attend(
    module: Any, query: Tensor, key: Tensor, value: Tensor, mask: Any, **kwargs: Any
) -> tuple[Tensor, None]:
    del module, mask, kwargs
    attended: Any = _Attended.apply(query, key, value)
    return attended.transpose(1, 2).contiguous(), None
