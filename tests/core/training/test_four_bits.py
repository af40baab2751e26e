"""Adapters on weights of 4 bits: QLoRA."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torchao.quantization import NF4Tensor, to_nf4
from training_examples import VOCABULARY, random_pairs
from transformers import Qwen2Config, Qwen2ForCausalLM

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.training.checks import require_runnable
from iterpref_assets.core.training.config import Lora, Precision, TrainConfig
from iterpref_assets.core.training.pair_trainer import PairTrainer
from iterpref_assets.core.training.recipes import recipe_named
from iterpref_assets.core.training.reference import compute_reference_logprobs
from iterpref_assets.core.training.trainer import train

PAIRS = random_pairs(16, seed=0)
CONFIG = TrainConfig(
    learning_rate=1e-3,
    epochs=3,
    batch_size=8,
    micro_batch_size=8,
    precision=Precision.FLOAT32,
    gradient_checkpointing=False,
    lora=Lora(rank=4, nf4=True),
)
PROJECTION = "model.layers.0.self_attn.q_proj.weight"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=VOCABULARY, hidden_size=128, intermediate_size=256, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=4, tie_word_embeddings=True,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("base")
    Qwen2ForCausalLM(config).save_pretrained(folder)
    return folder


def run(base: Path, folder: Path, **options) -> list[dict[str, float]]:
    config = CONFIG.model_copy(update=options)
    reference = compute_reference_logprobs(PAIRS, base, config, folder / "reference")
    return train(
        PAIRS, reference, base, recipe_named("focal_rpo"), config,
        folder / "out", folder / "work", lambda _: None,
    ).curve  # fmt: skip


@pytest.fixture
def kinds(monkeypatch: pytest.MonkeyPatch) -> set[type]:
    """The types of the weights of linear layers, as the trainer sees them."""
    found: set[type] = set()
    clip = PairTrainer._clip_grad_norm

    def note(self, model):
        weights = dict(model.named_parameters())
        found.update(type(w.data) for name, w in weights.items() if "base_layer.weight" in name)
        return clip(self, model)

    monkeypatch.setattr(PairTrainer, "_clip_grad_norm", note)
    return found


def test_adapters_learn_on_weights_of_four_bits(base, tmp_path, kinds):
    curve = run(base, tmp_path)
    assert kinds == {NF4Tensor}
    assert curve[0]["reward_margin"] == pytest.approx(0, abs=1e-4)
    assert curve[-1]["loss"] < curve[0]["loss"]
    assert curve[-1]["reward_margin"] > 0


def test_the_model_is_the_rounded_one_with_its_adapters_merged(base, tmp_path):
    run(base, tmp_path, learning_rate=1e-30)
    before = load_file(base / "model.safetensors")[PROJECTION]
    after = load_file(tmp_path / "out" / "model.safetensors")[PROJECTION]
    assert torch.allclose(after, to_nf4(before).get_original_weight(), atol=1e-6)
    assert not torch.allclose(after, before, atol=1e-3)


def test_several_processes_are_refused():
    with pytest.raises(InputError, match=r"lora\.nf4"):
        require_runnable(CONFIG.model_copy(update={"micro_batch_size": 1}), 2)


def test_what_was_trained_before_there_were_four_bits_stays_current():
    plain = TrainConfig(lora=Lora(rank=4)).for_result()
    assert plain["lora"] == {"rank": 4, "scale": 2.0}
    assert CONFIG.for_result()["lora"] == {"rank": 4, "scale": 2.0, "nf4": True}
