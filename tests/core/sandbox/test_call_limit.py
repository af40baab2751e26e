from dataclasses import replace

import pytest
from patient_sandbox import UNREACHED

from iterpref_assets.core.sandbox.verdicts import Verdict

pytestmark = pytest.mark.sandbox

LIMITS = replace(UNREACHED, call_cpu_seconds=1)


def test_an_endless_call_ends_long_before_the_whole_run_would(sandbox):
    code = "def f(n):\n    while n: pass\n    return n"
    run = sandbox.run_calls(code, "f", [(0,), (1,), (0,)], LIMITS)
    assert len(run.outcomes) == 1
    assert run.ending is Verdict.TIMEOUT
    assert run.cpu_seconds < LIMITS.cpu_seconds


def test_the_clock_of_one_call_starts_anew_with_the_next(sandbox):
    code = (
        "import time\ndef f():\n    end = time.process_time() + 0.15\n"
        "    while time.process_time() < end: pass\n"
    )
    run = sandbox.run_calls(code, "f", [()] * 10, LIMITS)
    assert run.ending is None
    assert len(run.outcomes) == 10
    assert run.cpu_seconds > LIMITS.call_cpu_seconds


def test_a_program_that_swallows_every_exception_is_ended_too(sandbox):
    loop = "try:\n            while True: pass\n        except BaseException: pass"
    code = f"def f():\n    while True:\n        {loop}"
    assert sandbox.run_calls(code, "f", [()], LIMITS).ending is Verdict.TIMEOUT


def test_a_call_that_switches_its_clock_off_meets_the_limit_of_the_run(sandbox):
    code = (
        "import signal\ndef f():\n    signal.setitimer(signal.ITIMER_PROF, 0)\n    while True: pass"
    )
    limits = replace(UNREACHED, cpu_seconds=1, call_cpu_seconds=0.3)
    assert sandbox.run_calls(code, "f", [()], limits).ending is Verdict.TIMEOUT


def test_without_such_a_limit_a_call_may_use_the_whole_run(sandbox):
    code = "def f():\n    for i in range(5_000_000): pass\n    return 1"
    assert sandbox.run_calls(code, "f", [()]).ending is None
