"""Programs that take their time but come to an end are no sleepers."""

import time

import pytest

from iterpref_assets.core.sandbox import worker
from iterpref_assets.core.sandbox.outcomes import CallOutcome
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Limits, Verdict


def test_a_program_that_computes_a_little_now_and_then_is_not_ended(sandbox: Sandbox) -> None:
    code = """
import time
def f():
    for _ in range(60):
        end = time.process_time() + 0.005
        while time.process_time() < end: pass
        time.sleep(0.05)
    return 1
"""
    limits = Limits(cpu_seconds=10, wall_seconds=300, idle_seconds=2)
    (outcome,) = sandbox.run_calls(code, "f", [()], limits).outcomes
    assert outcome.value() == 1


def test_a_program_whose_children_compute_is_not_ended(sandbox: Sandbox) -> None:
    code = """
import os, time
def f():
    for _ in range(4):
        if os.fork() == 0:
            end = time.process_time() + 0.3
            while time.process_time() < end: pass
            os._exit(0)
        os.wait()
    return 1
"""
    limits = Limits(cpu_seconds=10, wall_seconds=300, idle_seconds=0.5)
    (outcome,) = sandbox.run_calls(code, "f", [()], limits).outcomes
    assert outcome.value() == 1


def test_a_program_that_waits_for_its_slow_reader_is_not_ended(sandbox: Sandbox) -> None:
    def read_slowly(number: int, _outcome: CallOutcome) -> bool:
        if number == 0:
            time.sleep(2)
        return False

    code = "def f(): return 'x' * 4_000_000"
    limits = Limits(cpu_seconds=10, wall_seconds=300, idle_seconds=0.5)
    run = sandbox.run_calls(code, "f", [()] * 3, limits, stop=read_slowly)
    assert (len(run.outcomes), run.ending) == (3, None)


def test_time_in_which_a_slow_reader_is_behind_counts_for_nobody(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without grace, the reader gives the server up as soon as the wall-clock limit is over.
    monkeypatch.setattr(worker, "_GRACE_SECONDS", 0.0)

    def read_slowly(number: int, _outcome: CallOutcome) -> bool:
        if number == 0:
            time.sleep(3)
        return False

    code = "import time\ndef f():\n    time.sleep(0.2)\n    return 'x' * 4_000_000"
    limits = Limits(cpu_seconds=10, wall_seconds=1.5)
    run = sandbox.run_calls(code, "f", [()] * 4, limits, stop=read_slowly)
    assert (len(run.outcomes), run.ending) == (4, None)


def test_time_in_which_a_program_sleeps_counts_beside_its_reports(sandbox: Sandbox) -> None:
    code = "import time\ndef f():\n    time.sleep(0.3)\n    return 'x' * 4_000_000"
    run = sandbox.run_calls(code, "f", [()] * 20, Limits(cpu_seconds=10, wall_seconds=1))
    assert run.ending is Verdict.TIMEOUT
    assert len(run.outcomes) < 8
