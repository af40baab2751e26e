"""A tiny random model, and what a training of it by one process comes to."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from training_examples import VOCABULARY

if TYPE_CHECKING:
    from iterpref_assets.core.training.trainer import TrainOutcome


@pytest.fixture(scope="session")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random two-layer Qwen2 model of 50 tokens, saved as any model is."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        initializer_range=0.3,
    )
    folder = tmp_path_factory.mktemp("models") / "tiny"
    Qwen2ForCausalLM(config).save_pretrained(folder)
    (folder / "tokenizer.json").write_text("{}")
    return folder


@pytest.fixture(scope="module")
def one(model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple["TrainOutcome", Path]:
    """What one process makes, and the folder of its inputs and output."""
    from two_processes import train_one

    folder = tmp_path_factory.mktemp("one")
    return train_one(model_dir, folder), folder
