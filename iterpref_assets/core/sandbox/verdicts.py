"""What running a program can come to, as plain data that any process may hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated

from pydantic import Field


class Verdict(StrEnum):
    """The outcome of one program against its tests, decided outside the process that ran it.

    REFUSED is a program that ran and then sent what is not taken (too much, nested too deep, not
    asked for) or changed the test runner beside it; `Execution.message` says what.
    """

    PASSED = "passed"
    WRONG_ANSWER = "wrong_answer"
    EXCEPTION = "exception"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    CRASHED = "crashed"
    REFUSED = "refused"


NOT_FAILING = (Verdict.PASSED, Verdict.REFUSED)
"""What is no failure: of a program that was refused no answer was judged, so that it neither passes
nor fails."""


WALL_FACTOR = 20
"""Wall-clock seconds to a CPU second: so many that hardly any load of the machine uses them up."""

_OUTPUT_SLACK = 64 << 10
"""What a program may print beyond what is expected, so that a wrong answer can be shown."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one program may use. CPU time decides; wall time is a backstop against sleeping.

    Time in which a pipe that it reports through is full is no wall time. `call_cpu_seconds` is kept
    inside the program, which `cpu_seconds` alone holds against its will. A longer output than
    `output_bytes` may be printed where one is expected: see `for_output`.
    """

    cpu_seconds: Annotated[float, Field(description="CPU time of a program, seconds")] = 2.0
    wall_seconds: Annotated[
        float, Field(description="Time by the clock, seconds: a backstop against sleeping")
    ] = WALL_FACTOR * 2.0
    idle_seconds: Annotated[
        float,
        Field(
            description="A program whose processes all wait for so long, and not for what they "
            "report to be read, is ended, if it uses less than a twentieth of a CPU between; being "
            "kept from a CPU by other work is not waiting"
        ),
    ] = 60.0
    memory_bytes: Annotated[int, Field(description="Memory, bytes")] = 1 << 30
    processes: Annotated[int, Field(description="Processes and threads at once")] = 16
    file_bytes: Annotated[int, Field(description="Size of one file, bytes")] = 16 << 20
    open_files: Annotated[int, Field(description="Open files of one process")] = 64
    output_bytes: Annotated[int, Field(description="What a program may print, bytes")] = 1 << 20
    result_bytes: Annotated[
        int,
        Field(description="A longer result of a call, bytes, is reported by its digest"),
    ] = 16 << 20
    call_cpu_seconds: Annotated[
        float | None,
        Field(
            description="CPU time of one call, seconds, so that an endless loop need not use up "
            "`cpu_seconds`; unset is no limit"
        ),
    ] = None

    def for_output(self, expected: str) -> Limits:
        """These limits with room to print `expected` twice over, however long it is."""
        room = 2 * len(expected.encode("utf-8", "surrogatepass")) + _OUTPUT_SLACK
        return replace(self, output_bytes=max(self.output_bytes, room))


@dataclass(frozen=True, slots=True)
class Failure:
    """The first case that failed, as short text: what was asked, wanted and given.

    `call` is the call, or the standard input of a program; `actual` is empty where nothing came.
    """

    call: str = ""
    expected: str = ""
    actual: str = ""


@dataclass(frozen=True, slots=True)
class Execution:
    """One program's run against its tests.

    `error_type` is the exception's class name where the verdict is EXCEPTION; `message` is
    deterministic, trimmed text fit for feedback (no addresses, no timings, no paths of this
    machine); `failing_case` is the index of the first failing case; `in_process` marks verdicts of
    test code that ran beside the candidate. `cpu_seconds` is a measurement and never reaches a
    content-hashed table. `failure` shows the failing case where a benchmark's judge tells of it.
    """

    verdict: Verdict
    error_type: str = ""
    message: str = ""
    failing_case: int | None = None
    in_process: bool = False
    cpu_seconds: float = 0.0
    failure: Failure | None = None

    @property
    def passed(self) -> bool:
        """Whether every test passed."""
        return self.verdict is Verdict.PASSED
