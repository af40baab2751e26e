"""Where the trained copy of the lab's base model lies."""

from __future__ import annotations

from pathlib import Path


def pretrained_dir() -> Path:
    """The folder of the shipped weights, tokenizer and provenance.json."""
    return Path(__file__).parent / "pretrained"
