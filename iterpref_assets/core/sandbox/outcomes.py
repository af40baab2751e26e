"""What came of running a program, before it is judged."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from iterpref_assets.core.records import CodeTests
from iterpref_assets.core.sandbox.code_tests import PlannedTests, ProxiedTests
from iterpref_assets.core.sandbox.values import Encoded, MalformedValueError, literal
from iterpref_assets.core.sandbox.verdicts import Limits, Verdict

_MAX_SHOWN_BYTES = 1 << 20
_PATH = re.compile(rf"{re.escape(sys.base_prefix)}\S*?(?=[)'\"\s]|$)")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception: its class name, its message, and the program's line it came from.

    `line` counts from 1; 0 is none. `kinds` are the names of all classes it is of; a name of a
    built-in class stands for that class alone.
    """

    error_type: str
    message: str
    line: int
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """One call: it returned `result`, `raised`, or was `refused`.

    A `result` is in the bytes the program sent; `refused` says what the call did that is not taken.
    """

    result: Encoded | None = None
    raised: Raised | None = None
    refused: str = ""

    def value(self) -> Any:
        """The plain value returned, with `Opaque` and `Digest` in place of what is not.

        Raises:
            MalformedValueError: if the program wrote bytes that mean nothing.
        """
        if self.result is None:
            raise MalformedValueError("nothing was returned")
        return self.result.decode()

    def literal(self) -> str:
        """The returned value as short source text, fit for feedback; not read where it is huge."""
        size = 0 if self.result is None else len(self.result.payload)
        if size > _MAX_SHOWN_BYTES:
            return f"<value of {size} bytes>"
        try:
            return literal(self.value())
        except MalformedValueError:
            return "<unreadable value>"


@dataclass(slots=True)
class CallRun:
    """A program and the calls made of it, in order, as far as it got.

    Attributes:
        outcomes: one per call made; fewer than asked for where `ending` or `stopped` says why.
        not_loaded: the exception that loading raised, if it did.
        no_function: whether the program loaded but lacks the entry point.
        ending: the limit the program ran into or how its process died, if it did.
        refusal: what the program did, where that limit was on what it may send.
        stopped: whether the caller stopped the run.
        cpu_seconds: CPU time of all its processes.
    """

    outcomes: list[CallOutcome] = field(default_factory=list[CallOutcome])
    not_loaded: Raised | None = None
    no_function: bool = False
    ending: Verdict | None = None
    refusal: str = ""
    stopped: bool = False
    cpu_seconds: float = 0.0


@dataclass(slots=True)
class ProgramRun:
    """A whole program fed on standard input: what it printed, and how it ended.

    `raised` is the exception that ended it, if one did; `refusal` what it did where it was refused.
    """

    stdout: bytes = b""
    raised: Raised | None = None
    ending: Verdict | None = None
    refusal: str = ""
    cpu_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """What the runner beside the candidate says of the tests, up to the first that failed.

    `kind` is "passed", "failed", "error" or "tampered" (then `message` names what was changed);
    `line` counts from 1 in the test file, 0 where no line of it is to blame.
    """

    kind: str
    test: str
    error_type: str
    message: str
    line: int
    tests_passed: int


@dataclass(slots=True)
class TestRun:
    """A test file run beside the candidate; `outcome` is None unless it came with the nonce.

    `checks` are the file's checks that ran, counted here as they were reported: the name of the
    test that ran each ("" outside them), and its number. `refusal` is what the program did where
    it was refused.
    """

    outcome: TestOutcome | None = None
    checks: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    ending: Verdict | None = None
    refusal: str = ""
    cpu_seconds: float = 0.0


StopAfter = Callable[[int, CallOutcome], bool]
"""Told of each outcome as it comes; returning True ends the run."""


class Runner(Protocol):
    """What judging needs of the sandbox; see `Sandbox` for what the methods do."""

    def run_calls(
        self,
        code: str,
        entry_point: str,
        arguments: Sequence[tuple[Any, ...]] | bytes,
        limits: Limits | None = None,
        *,
        stop: StopAfter | None = None,
        keep: bool = True,
        one_by_one: bool = False,
    ) -> CallRun:
        """The outcomes of calls."""
        ...

    def run_program(self, code: str, stdin: str, limits: Limits | None = None) -> ProgramRun:
        """What a whole program printed."""
        ...

    def run_tests(
        self,
        code: str,
        tests: CodeTests | ProxiedTests,
        plan: PlannedTests,
        limits: Limits | None = None,
    ) -> TestRun:
        """The outcome of a test file."""
        ...


def scrub(text: str) -> str:
    """`text` without this machine's paths and without memory addresses."""
    return _ADDRESS.sub("", _PATH.sub("<python>", text))
