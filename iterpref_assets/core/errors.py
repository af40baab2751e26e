"""The error that bad input raises, those of the sandbox itself, and what Ctrl-C ends with."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Self

from pydantic import ValidationError

INTERRUPTED = 130
"""The exit status of what Ctrl-C ended, as shells have it."""


class InputError(ValueError):
    """Bad input, found before expensive work starts.

    Attributes:
        problem: what is wrong, in one clause.
        remedy: what the user should do about it.
        file, line, field: where it lies, each where known (lines count from 1).
    """

    def __init__(
        self,
        problem: str,
        *,
        remedy: str,
        file: Path | str | None = None,
        line: int | None = None,
        field: str | None = None,
    ) -> None:
        self.problem, self.remedy = problem, remedy
        self.file, self.line, self.field = file, line, field
        place = ":".join(str(part) for part in (file, line) if part is not None)
        if field is not None:
            place = f"{place}: field {field!r}" if place else f"field {field!r}"
        super().__init__(": ".join(part for part in (place, problem) if part) + f". {remedy}")

    def __reduce__(self) -> tuple[partial[Self], tuple[()]]:
        """How another process hands it on."""
        place = {"file": self.file, "line": self.line, "field": self.field}
        return partial(type(self), self.problem, remedy=self.remedy, **place), ()

    @classmethod
    def of_record(
        cls,
        error: ValidationError,
        *,
        remedy: str,
        file: Path | str | None = None,
        line: int | None = None,
    ) -> Self:
        """The first thing that a record's validation found wrong."""
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or None
        return cls(first["msg"], remedy=remedy, file=file, line=line, field=field)


class SandboxUnavailableError(InputError):
    """Isolation cannot be had on this machine, so nothing is run."""


class SandboxError(RuntimeError):
    """The sandbox broke, whatever the program in it did."""
