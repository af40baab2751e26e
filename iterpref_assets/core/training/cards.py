"""Cards by name: their memory, and at what rate a run may be expected to compute on them.

Rates are operations a second, counted as 2 for each weight and token of a forward pass and 4 of a
backward pass, without what checkpointing repeats.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.training.config import Attention, TrainConfig

GIB = 2**30
TERA = 1e12


@dataclass(frozen=True, slots=True)
class Card:
    """What one process trains on.

    Attributes:
        name: for people.
        memory: bytes that a process can use.
        gpu: whether it is one; else attention is dense, and nothing is compiled.
        count: how many of them this host has; None where it is not this host's.
        rate: dense bfloat16 operations a second by its data sheet; 0 where it is not known.
        measured: whether the SPEEDS below were measured on it.
    """

    name: str
    memory: int
    rate: float = 0.0
    measured: bool = False
    gpu: bool = True
    count: int | None = None

    def attention(self, config: TrainConfig) -> Attention:
        """What `config` asks for, or what suits the card."""
        return config.attention or (Attention.BLOCKS if self.gpu else Attention.DENSE)


CARDS = {
    "h100": Card("NVIDIA H100 80GB", 79 * GIB, 989 * TERA, measured=True),
    "h200": Card("NVIDIA H200", 139 * GIB, 989 * TERA),
    "b200": Card("NVIDIA B200", 178 * GIB, 2250 * TERA),
    "a100": Card("NVIDIA A100 80GB", 79 * GIB, 312 * TERA),
    "l40s": Card("NVIDIA L40S", 44 * GIB, 362 * TERA),
    "rtx4090": Card("NVIDIA RTX 4090", 23 * GIB, 165 * TERA),
}
"""Memory as the driver counts it, in whole GiB; rates of the data sheets, without sparsity."""


@dataclass(frozen=True, slots=True)
class Speed:
    """What a run on an H100 computed: operations a pair times pairs a second."""

    parameters: float
    checkpointed: bool
    compiled: bool
    rate: float

    @property
    def name(self) -> str:
        """For people."""
        how = [f"{self.parameters / 1e9:.1f}B parameters"]
        how += ["checkpointed"] if self.checkpointed else []
        how += ["compiled"] if self.compiled else ["not compiled"]
        return ", ".join(how)


SPEEDS = (
    Speed(7.6e9, checkpointed=False, compiled=True, rate=397 * TERA),
    Speed(7.6e9, checkpointed=False, compiled=False, rate=356 * TERA),
    Speed(7.6e9, checkpointed=True, compiled=True, rate=358 * TERA),
    Speed(0.5e9, checkpointed=True, compiled=True, rate=132 * TERA),
)
"""measurements/results/gpu-h100.json: 4.155, 3.726, 3.741 and 21.33 pairs/s of `focal_rpo`; of the
bfloat16 matrix rate that was measured in the same session 53%, 44%, 48% and 18%."""


def speed_like(parameters: int, *, checkpointed: bool, compiled: bool) -> Speed:
    """The measured run that is most like one of such a model."""
    return min(
        SPEEDS,
        key=lambda speed: (
            abs(math.log(parameters / speed.parameters)),
            speed.checkpointed != checkpointed,
            speed.compiled != compiled,
        ),
    )


def rate_on(card: Card, speed: Speed) -> float:
    """Operations a second to expect of one of CARDS.

    Where it was measured, what it reached; elsewhere its specified rate times the share of its own
    specified rate that the H100 reached.
    """
    return speed.rate if card.measured else card.rate * share_of_spec(speed)


def share_of_spec(speed: Speed) -> float:
    """What the H100 reached of the rate on its data sheet."""
    return speed.rate / CARDS["h100"].rate


def card_named(name: str) -> Card:
    """The card called `name`.

    Raises:
        InputError: where there is no such card.
    """
    if name not in CARDS:
        raise InputError(
            f"unknown card {name!r}",
            field="card",
            remedy=f"Choose one of: {', '.join(CARDS)}; or leave it out for this machine's own",
        )
    return CARDS[name]


def card_here(processes: int) -> Card:
    """The card of this machine; without one its memory, shared by `processes`."""
    import torch

    if not torch.cuda.is_available():
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return Card("this machine, without a GPU", memory // processes, gpu=False)
    found = torch.cuda.get_device_name()
    memory = torch.cuda.get_device_properties(0).total_memory
    return Card(found, memory, count=torch.cuda.device_count())
