"""What can go wrong with the sandbox itself, as opposed to with a program in it."""

from __future__ import annotations

from iterpref_assets.core.errors import InputError


class SandboxUnavailableError(InputError):
    """Isolation cannot be had on this machine, so nothing is run."""


class SandboxError(RuntimeError):
    """The sandbox broke, whatever the program in it did."""
