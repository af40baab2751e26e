"""Which architectures are trained exactly, and which are refused."""

from pathlib import Path

import pytest
import torch
from packed import packed_loss
from plain_equations import plain_loss
from safetensors.torch import load_file
from torch.nn.attention import flex_attention as flex
from training_examples import EDGE_PAIRS, VOCABULARY, random_pairs
from transformers import (
    AutoModelForCausalLM,
    FalconConfig,
    Gemma2Config,
    JambaConfig,
    MambaConfig,
    MistralConfig,
    Qwen2Config,
    Starcoder2Config,
)
from transformers.integrations import flex_attention as integration

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.training.batches import collate, collate_joined
from iterpref_assets.core.training.config import Attention, Precision, TrainConfig
from iterpref_assets.core.training.packing import pack
from iterpref_assets.core.training.policy import MODEL_INPUTS, compile_layers, load_policy
from iterpref_assets.core.training.recipes import recipe_named
from iterpref_assets.core.training.reference import compute_reference_logprobs
from iterpref_assets.core.training.trainer import train

SIZES = {
    "vocab_size": VOCABULARY, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 64,
    "initializer_range": 0.3, "pad_token_id": 0, "bos_token_id": 0, "eos_token_id": 0,
}  # fmt: skip
DROPPING = {"residual_dropout": 0.5, "embedding_dropout": 0.5, "attention_dropout": 0.5}
CONFIG = TrainConfig(precision=Precision.FLOAT32, max_length=64, vocabulary_chunk=7)
FOCAL_RPO = recipe_named("focal_rpo")
PAIRS = list(EDGE_PAIRS.values())


def saved(config, folder: Path) -> Path:
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return folder


def load(folder: Path, attention=Attention.DENSE, max_length=64):
    config = CONFIG.model_copy(update={"max_length": max_length})
    return load_policy(folder, config, config.precision, attention)


@pytest.fixture
def eager_flex(monkeypatch):
    """FlexAttention's own formulas: compiled it has no backward pass on a CPU."""
    monkeypatch.setattr(flex, "_validate_device", lambda *_: None)
    monkeypatch.setattr(
        integration, "compile_friendly_flex_attention",
        lambda query, key, value, training=False, **kwargs: flex.flex_attention(
            query, key, value, **kwargs
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("attention", "join"), [(Attention.DENSE, collate), (Attention.BLOCKS, collate_joined)]
)
def test_starcoder2_trains_without_dropout(tmp_path, eager_flex, attention, join):
    folder = saved(Starcoder2Config(**SIZES, **DROPPING), tmp_path)
    plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64).eval()
    readings = [FOCAL_RPO.readings[0]] * len(PAIRS)
    expected = plain_loss(plain, PAIRS, readings, FOCAL_RPO)
    found = packed_loss(load(folder, attention).train(), PAIRS, FOCAL_RPO, join)
    assert found.item() == pytest.approx(expected.item(), abs=1e-5)


@pytest.mark.parametrize(
    ("config", "field"),
    [
        (MistralConfig(**SIZES, sliding_window=32), "sliding_window"),
        (Gemma2Config(**SIZES, head_dim=8, final_logit_softcapping=None), "attn_logit_softcapping"),
        (
            Qwen2Config(**SIZES | {
                "max_position_embeddings": 32,
                "rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4},
            }),
            "rope_parameters",
        ),
        (MambaConfig(vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2), "model_type"),
        (
            JambaConfig(
                **SIZES, attn_layer_period=2, attn_layer_offset=1, num_experts=1,
                use_mamba_kernels=False, mamba_dt_rank=4,
            ),
            "model_type",
        ),
        (FalconConfig(**SIZES, alibi=True), "alibi"),
    ],
    ids=[
        "window shorter than a row", "capped scores", "positions by length", "recurrent",
        "partly recurrent", "scores by distance",
    ],
)  # fmt: skip
def test_architecture_that_packed_rows_would_train_wrongly_is_refused(tmp_path, config, field):
    with pytest.raises(InputError, match=rf"config\.json.*{field}"):
        load(saved(config, tmp_path))


@pytest.mark.parametrize(
    "config",
    [
        MistralConfig(**SIZES, sliding_window=64),
        Qwen2Config(
            **SIZES
            | {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4}}
        ),
    ],
    ids=["window as long as a row", "positions within their length"],
)
def test_architecture_that_is_plain_at_this_length_gives_the_plain_loss(tmp_path, config):
    folder = saved(config, tmp_path)
    plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64)
    readings = [FOCAL_RPO.readings[0]] * len(PAIRS)
    expected = plain_loss(plain, PAIRS, readings, FOCAL_RPO)
    found = packed_loss(load(folder), PAIRS, FOCAL_RPO)
    assert found.item() == pytest.approx(expected.item(), abs=1e-5)


@pytest.mark.parametrize("tied", [True, False])
def test_trained_model_holds_the_tensors_of_its_base(tmp_path, tied):
    config = Qwen2Config(**SIZES, tie_word_embeddings=tied)
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config).to(torch.bfloat16)
    model.save_pretrained(tmp_path / "base")
    options = CONFIG.model_copy(
        update={"precision": Precision.MIXED_BFLOAT16, "epochs": 1, "batch_size": 8}
    )
    pairs = random_pairs(8, seed=1)
    reference = compute_reference_logprobs(pairs, tmp_path / "base", options, tmp_path / "parts")
    train(
        pairs, reference, tmp_path / "base", FOCAL_RPO, options,
        tmp_path / "out", tmp_path / "work", lambda _: None,
    )  # fmt: skip
    base, trained = (load_file(tmp_path / d / "model.safetensors") for d in ("base", "out"))
    assert trained.keys() == base.keys()
    assert ("lm_head.weight" in trained) is not tied


@pytest.mark.slow
def test_compiled_layers_give_the_logprobs_of_plain_ones(model_dir):
    plain, compiled = load(model_dir), load(model_dir)
    compile_layers(compiled)
    for pairs in (PAIRS[:2], PAIRS[2:]):
        batch = collate([pack(pair, FOCAL_RPO.readings[0]) for pair in pairs])
        inputs = {name: batch[name] for name in MODEL_INPUTS}
        assert torch.allclose(plain(**inputs), compiled(**inputs), atol=1e-5)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] > 0
