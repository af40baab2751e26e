"""What programs for HumanEval+ and MBPP+ may import besides the standard library."""

from __future__ import annotations

from importlib.metadata import version

SANDBOX_PACKAGES = ("numpy", "pandas", "python-dateutil", "six")
"""The libraries for data that evalplus's own requirements bring, with what those need."""


def library_versions() -> dict[str, str]:
    """Their versions, by name."""
    return {name: version(name) for name in SANDBOX_PACKAGES}
