"""Has the C library give back to the system what training on a CPU frees."""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

TIGHT = 0.25
"""The share of the machine's memory that a trained model takes at least where memory is given back.
It costs time: a fifth more for a model of 22M parameters (docs/MEASURED.md)."""
_TRAINED = 16
"""Bytes a parameter: weight, gradient and two moments in float32."""
LARGE = 1 << 20
"""Bytes from which a block is the system's again once it is freed."""
_MMAP_THRESHOLD = -3
_ARENA_MAX = -8


def is_tight(model: nn.Module) -> bool:
    """Whether `model` and its optimizer take much of the memory of this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    trained = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    return trained * _TRAINED > TIGHT * memory


def return_freed_memory() -> None:
    """Have each block of LARGE bytes or more go back to the system when it is freed.

    After the first large block glibc keeps freed blocks of up to 32 MiB for itself, in one arena a
    thread, and what is allocated between them tears holes that fit nothing: a process then holds
    half as much again as its tensors need, and is ended where a plan said that it fits. Another C
    library than glibc is left as it is.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, LARGE)
        mallopt(_ARENA_MAX, 2)
