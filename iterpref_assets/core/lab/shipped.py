"""The trained copy of the lab's base model: where it lies and how it was made."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from iterpref_assets.core.lab.config import LabConfig
from iterpref_assets.core.lab.pretraining import PretrainConfig
from iterpref_assets.core.records import Record

PROVENANCE_FILE = "provenance.json"


class Provenance(Record):
    """How a lab model was made, and what it can do."""

    commit: str
    """The version of the code it was trained with."""
    date: str
    """Day of the training (UTC)."""
    machine: str
    """CPU threads, processor architecture and torch version."""
    config: PretrainConfig
    parameters: int
    cpu_seconds: float
    """CPU time of corpus, tokenizer and training together."""
    losses: list[float]
    """Mean loss (nats) of the answers' tokens at each step."""
    heldout: LabConfig
    """The held-out problems it was scored on."""
    heldout_pass_at_1: float = Field(ge=0.0, le=1.0)
    """Greedy, over `heldout.heldout_problems` problems."""


def pretrained_dir() -> Path:
    """The folder of the shipped weights, tokenizer and provenance.json."""
    return Path(__file__).parent / "pretrained"
