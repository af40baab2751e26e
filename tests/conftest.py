"""Fixtures shared by every test."""

import gzip
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from scripted_server import ScriptedServer

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# Threads of several processes on few cores wait for one another, and spend the cores on it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# What tests start heeds an interruption, which a shell's background job would have ignored.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A caller's settings, such as make's own, are no part of what is tested.
for variable in [each for each in os.environ if each.startswith("ITERPREF_")]:
    del os.environ[variable]

SHARED_DATA = Path(
    os.environ.get("PUBLISHED_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data"
)
LONGEST = (
    "test_benchmarks.py",
    "test_chain.py",
    "test_references.py",
    "test_optimizer.py",
    "test_side_by_side.py",
    "test_distributed.py",
    "test_launch.py",
    "test_gpu.py",
    "test_shipped.py",
)
"""Files that take minutes: begun last, one of them would run on after all others."""
CORPUS = [
    "def total(values):\n    return sum(values)\n",
    "Write a function that returns the largest of two numbers.",
    "The program fails:\nassert total([1, 2]) == 3  # got 0\n\nFix it.",
    "```python\ndef larger(a, b):\n    return a if a > b else b\n```",
]
CHAT_TEMPLATE = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first, in the order of LONGEST."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of published benchmark data, samples and trajectories beside the project."""
    if not SHARED_DATA.is_dir():
        pytest.skip("needs the published data sets, which are not here: make data")
    return SHARED_DATA


@pytest.fixture
def server() -> Iterator["ScriptedServer"]:
    """A server on this machine that answers from a script."""
    from scripted_server import ScriptedServer

    server = ScriptedServer()
    yield server
    server.close()


@pytest.fixture
def damaged_gzip(tmp_path: Path) -> Path:
    """A packed file whose header is whole and whose content is not."""
    content = bytearray(gzip.compress(b"{}\n"))
    content[10] = 0b111  # a kind of block that there is not
    path = tmp_path / "damaged.jsonl.gz"
    path.write_bytes(content)
    return path


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random two-layer checkpoint with a byte-level tokenizer, saved as users' models are."""
    torch = pytest.importorskip("torch")
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    folder = tmp_path_factory.mktemp("tiny")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        CORPUS,
        trainers.BpeTrainer(
            vocab_size=320,
            special_tokens=["<|end|>", "<|user|>", "<|assistant|>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|end|>",
        pad_token="<|end|>",
        chat_template=CHAT_TEMPLATE,
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=256,
        tie_word_embeddings=True,
        eos_token_id=0,
        bos_token_id=None,
    )
    Qwen2ForCausalLM(config).save_pretrained(folder)
    return folder
