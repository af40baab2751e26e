"""What came of running a program, before it is judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from iterpref_assets.core.sandbox.values import Encoded, MalformedValueError, literal
from iterpref_assets.core.sandbox.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """One call: it returned `result`, or raised (`error_type`, `message`), or returned something
    nested too deep to carry (`refused`). A `result` is in the bytes the program sent."""

    result: Encoded | None = None
    error_type: str = ""
    message: str = ""
    refused: bool = False

    def value(self) -> Any:
        """The plain value returned, with `Opaque` and `Digest` in place of what is not.

        Raises:
            MalformedValueError: if the program wrote bytes that mean nothing.
        """
        if self.result is None:
            raise MalformedValueError("nothing was returned")
        return self.result.decode()

    def literal(self) -> str:
        """The returned value as short source text, fit for feedback."""
        try:
            return literal(self.value())
        except MalformedValueError:
            return "<unreadable value>"


@dataclass(slots=True)
class CallRun:
    """A program and the calls made of it, in order, as far as it got.

    Attributes:
        outcomes: one per call made; fewer than asked for where `ending` or `stopped` says why.
        not_loaded: class name and message of the exception that loading raised, if it did.
        no_function: whether the program loaded but lacks the entry point.
        ending: the limit the program ran into or how its process died, if it did.
        stopped: whether the caller stopped the run.
        cpu_seconds: CPU time of all its processes.
    """

    outcomes: list[CallOutcome] = field(default_factory=list[CallOutcome])
    not_loaded: tuple[str, str] | None = None
    no_function: bool = False
    ending: Verdict | None = None
    stopped: bool = False
    cpu_seconds: float = 0.0


@dataclass(slots=True)
class ProgramRun:
    """A whole program fed on standard input: what it printed, and how it ended.

    `raised` is the class name and message of the exception that ended it, if one did.
    """

    stdout: bytes = b""
    raised: tuple[str, str] | None = None
    ending: Verdict | None = None
    cpu_seconds: float = 0.0
