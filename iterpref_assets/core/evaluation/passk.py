"""The unbiased estimator of pass@k."""

from __future__ import annotations

from collections.abc import Iterable
from math import comb, fsum


def pass_at_k(samples: int, passed: int, k: int) -> float:
    """The chance that one of `k` samples, drawn without replacement, passes.

    1 - C(n - c, k) / C(n, k), equation 1 of Chen et al., "Evaluating Large Language Models Trained
    on Code" (2021), for n samples of one task of which c passed.

    Raises:
        ValueError: unless 0 <= passed <= samples and 1 <= k <= samples.
    """
    if not 0 <= passed <= samples:
        raise ValueError(f"{passed} of {samples} samples cannot have passed")
    if not 1 <= k <= samples:
        raise ValueError(f"pass@{k} cannot be estimated from {samples} samples a task")
    return 1.0 - comb(samples - passed, k) / comb(samples, k)


def mean_pass_at_k(counts: Iterable[tuple[int, int]], k: int) -> float:
    """pass@k averaged over tasks; `counts` holds (samples, passed) per task."""
    values = [pass_at_k(samples, passed, k) for samples, passed in counts]
    return fsum(values) / len(values)
