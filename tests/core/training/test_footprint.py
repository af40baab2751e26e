"""What is counted on tensors without storage is what real ones hold."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torchao.quantization import NF4Tensor
from transformers import Qwen2Config, Qwen2ForCausalLM

from iterpref_assets.core.training import footprint as counted
from iterpref_assets.core.training.cards import Card
from iterpref_assets.core.training.config import Attention, Lora, Precision, TrainConfig
from iterpref_assets.core.training.footprint import footprint
from iterpref_assets.core.training.policy import load_policy, with_adapters
from iterpref_assets.core.training.work import Pass

CPU = Card("a CPU", 10**9, gpu=False)
LARGEST = Pass(rows=2, length=40, read=60)
CONFIG = TrainConfig(gradient_checkpointing=False, attention=Attention.DENSE)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = Qwen2Config(
        vocab_size=200, hidden_size=128, intermediate_size=384, num_hidden_layers=3,
        num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=True, dtype="bfloat16",
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("base")
    Qwen2ForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    return folder


def real(base: Path, config: TrainConfig) -> Any:
    model = load_policy(base, config, config.precision, Attention.DENSE)
    return (model if config.lora is None else with_adapters(model, config.lora)).train()


@pytest.mark.parametrize("precision", list(Precision))
@pytest.mark.parametrize("lora", [None, Lora(rank=4)], ids=["all", "adapters"])
def test_passes_hold_at_most_what_they_hold_on_real_tensors(base, lora, precision):
    config = CONFIG.model_copy(update={"lora": lora, "precision": precision})
    model = real(base, config)
    gradients = sum(weight.nbytes for weight in model.parameters() if weight.requires_grad)
    with counted._Storages() as storages:
        for weight in [*model.parameters(), *model.buffers()]:
            storages.add(weight)
        before = storages.now
        counted._forward_and_back(model, config, LARGEST)
        counted._forward_and_back(model, config, LARGEST)
    assert footprint(base, config, LARGEST, 2, CPU).passing == (storages.peak - before - gradients)


def kept_for_backward(model: Any, config: TrainConfig) -> int:
    """Bytes that a forward pass keeps, beyond the weights."""
    plain = [weight for weight in model.parameters() if not isinstance(weight.data, NF4Tensor)]
    weights = {weight.untyped_storage().data_ptr() for weight in plain}
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if not isinstance(tensor, NF4Tensor):
            storage = tensor.untyped_storage()
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        counted._forward_and_back(model, config, LARGEST)
    return sum(size for place, size in kept.items() if place not in weights)


def test_weights_of_four_bits_keep_no_unpacked_copy_for_the_backward_pass(base):
    adapters = {"precision": Precision.BFLOAT16, "lora": Lora(rank=4)}
    whole = CONFIG.model_copy(update=adapters)
    small = CONFIG.model_copy(update=adapters | {"lora": Lora(rank=4, nf4=True)})
    assert kept_for_backward(real(base, small), small) == kept_for_backward(
        real(base, whole), whole
    )
