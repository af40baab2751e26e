"""Failures of late calls are told of the call that failed, however the program ends."""

from dataclasses import replace
from typing import Any

import pytest
from patient_sandbox import UNREACHED

from iterpref_assets.core.records import Case, FunctionTests
from iterpref_assets.core.sandbox.judging import judge_calls
from iterpref_assets.core.sandbox.outcomes import CallOutcome, CallRun, StopAfter
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.values import encode_value
from iterpref_assets.core.sandbox.verdicts import Execution, Limits, Verdict

pytestmark = pytest.mark.sandbox

FORTY = FunctionTests(
    entry_point="f",
    cases=tuple(Case(arguments=f"({n},)", expected=str(n)) for n in range(40)),
)
FORK_UNTIL_MEMORY_IS_GONE = """
import os, time
def f(x):
    if x == 35:
        held = bytearray(b'x' * (90 << 20))
        for _ in range(3):
            if os.fork() == 0:
                held[::4096] = bytes(len(held[::4096]))
                time.sleep(3600)
        time.sleep(3600)
    return x
"""


def told(execution: Execution) -> tuple[Verdict, int | None, str]:
    return execution.verdict, execution.failing_case, execution.message


@pytest.mark.parametrize(
    ("code", "verdict", "what"),
    [
        (
            "import os\ndef f(x):\n    if x == 35: os.abort()\n    return x",
            Verdict.CRASHED,
            "f(35) ended its process",
        ),
        (
            "import os\ndef f(x):\n    if x == 35: os._exit(0)\n    return x",
            Verdict.CRASHED,
            "f(35) ended its process",
        ),
        (
            "def f(x):\n    while x == 35: pass\n    return x",
            Verdict.TIMEOUT,
            "f(35) ran out of time",
        ),
        (FORK_UNTIL_MEMORY_IS_GONE, Verdict.MEMORY, "f(35) ran out of memory"),
    ],
    ids=["abort", "exit", "endless", "memory"],
)
def test_the_call_in_which_a_program_is_killed_is_named(
    sandbox: Sandbox, code: str, verdict: Verdict, what: str
) -> None:
    cpu = 1 if verdict is Verdict.TIMEOUT else UNREACHED.cpu_seconds
    limits = replace(UNREACHED, cpu_seconds=cpu, memory_bytes=256 << 20)
    assert told(sandbox.judge(code, FORTY, limits)) == (verdict, 35, what)


def test_a_wrong_answer_before_the_call_that_kills_is_the_failure(sandbox: Sandbox) -> None:
    code = "import os\ndef f(x):\n    if x == 35: os.abort()\n    return 0 if x == 20 else x"
    assert told(sandbox.judge(code, FORTY)) == (
        Verdict.WRONG_ANSWER,
        20,
        "assert f(20) == 20  # got 0",
    )


def test_state_of_earlier_calls_is_there_when_the_call_is_looked_for(sandbox: Sandbox) -> None:
    code = (
        "import os\nseen = []\ndef f(x):\n    seen.append(x)\n"
        "    if len(seen) == 36: os.abort()\n    return x"
    )
    assert told(sandbox.judge(code, FORTY))[:2] == (Verdict.CRASHED, 35)


class KilledOnce:
    """A runner whose first run is killed after 16 right calls and whose second comes to its end."""

    def __init__(self) -> None:
        self.runs = 0

    def run_calls(self, *_arguments: Any, stop: StopAfter, **_options: Any) -> CallRun:
        self.runs += 1
        for number in range(16 if self.runs == 1 else 40):
            stop(number, CallOutcome(result=encode_value(number, 1 << 20)))
        return CallRun(ending=Verdict.TIMEOUT if self.runs == 1 else None, cpu_seconds=1.0)


def test_a_second_run_that_passes_does_not_undo_the_first() -> None:
    runner: Any = KilledOnce()
    execution = judge_calls(runner, "", FORTY, Limits())
    assert (execution.verdict, execution.cpu_seconds) == (Verdict.TIMEOUT, 2.0)
