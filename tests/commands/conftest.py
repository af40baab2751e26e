"""Fixtures of the commands' tests."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

CORPUS = ["def f(a):\n    return a", "def f(a):\n    return 2 * a", "def f(a):\n    return a + 1"]


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    """A folder that AutoTokenizer loads."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.train_from_iterator(
        CORPUS,
        trainers.BpeTrainer(
            special_tokens=["<|end|>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    folder = tmp_path / "tokenizer"
    PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|end|>").save_pretrained(folder)
    return folder


@pytest.fixture
def no_model_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails a test where a model is loaded, or a process that would load one is started."""
    from iterpref_assets.core.training import launch, policy

    def fail(*_: object) -> None:
        pytest.fail("a model was about to be loaded")

    monkeypatch.setattr(policy, "load_policy", fail)
    monkeypatch.setattr(launch, "_start", fail)
