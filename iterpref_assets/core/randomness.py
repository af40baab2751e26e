"""Seeds that depend on what is drawn and on nothing else: no order, no process, no hash salt."""

from __future__ import annotations

import hashlib
import random


def derive_seed(*parts: str | int) -> int:
    """A 31-bit seed for the item that `parts` name, e.g. (problem_id, round, sample)."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


def derive_rng(*parts: str | int) -> random.Random:
    """A private random generator for the item that `parts` name."""
    return random.Random(derive_seed(*parts))
