"""Tokenizers of three families, trained here on a little code."""

from collections.abc import Callable

import pytest
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from tokenizers.processors import ByteLevel as ByteLevelOffsets
from transformers import PreTrainedTokenizerFast

CORPUS = [
    "def double(values):\n    # twice each\n    return [2 * value for value in values]\n",
    "def total(values):\n    r = 0\n\n    for value in values:\n        r += value\n    return r\n",
    "```python\nif a == b:\n\treturn 'no' + str(a)\n\n\nelse:\n    x = {1: (2, 3)}\n```",
    "while True:\n    try:\n        break\n    except ValueError as error:\n        raise\n",
]
QWEN_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
END = "<|end|>"


def _wrap(tokenizer: Tokenizer) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END)


def qwen_like() -> PreTrainedTokenizerFast:
    """Byte-level BPE that never crosses a line end but for blank lines."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN_SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(CORPUS, _bpe_trainer())
    return _wrap(tokenizer)


def gpt2_like() -> PreTrainedTokenizerFast:
    """Byte-level BPE whose offsets leave out the space around a token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = ByteLevelOffsets(trim_offsets=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(CORPUS, _bpe_trainer())
    return _wrap(tokenizer)


def greedy_bytes() -> PreTrainedTokenizerFast:
    """Byte-level BPE without any split before it: tokens cross line ends freely."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(CORPUS * 4, _bpe_trainer())
    return _wrap(tokenizer)


def unigram() -> PreTrainedTokenizerFast:
    """SentencePiece-like: a dummy prefix, spaces turned into a visible character."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=300,
        special_tokens=["<unk>", END],
        unk_token="<unk>",
        initial_alphabet=[chr(code) for code in range(32, 127)],
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return _wrap(tokenizer)


def wordpiece() -> PreTrainedTokenizerFast:
    """BERT-like: blank space is lost."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=300, special_tokens=["<unk>", END], show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return _wrap(tokenizer)


def _bpe_trainer() -> trainers.BpeTrainer:
    return trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )


FAMILIES: dict[str, Callable[[], PreTrainedTokenizerFast]] = {
    "qwen_like": qwen_like,
    "gpt2_like": gpt2_like,
    "greedy_bytes": greedy_bytes,
    "unigram": unigram,
    "wordpiece": wordpiece,
}


@pytest.fixture(scope="session")
def tokenizers() -> dict[str, PreTrainedTokenizerFast]:
    """One tokenizer of each family."""
    return {name: make() for name, make in FAMILIES.items()}


@pytest.fixture(scope="session")
def tokenizer(tokenizers: dict[str, PreTrainedTokenizerFast]) -> PreTrainedTokenizerFast:
    """A tokenizer that splits like Qwen's."""
    return tokenizers["qwen_like"]
