"""Choosing an arm's learning rate on the validation problems."""

from __future__ import annotations

from collections.abc import Mapping


def best_rate(validation: Mapping[float, float]) -> float:
    """The rate with the highest pass rate on the validation problems; the lowest where some tie.

    Args:
        validation: pass rate by learning rate, of models of one arm that differ in it alone.

    Raises:
        ValueError: where there is none.
    """
    if not validation:
        raise ValueError("no rate was tried")
    return max(sorted(validation), key=validation.__getitem__)
