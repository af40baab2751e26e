from pathlib import Path

import pytest

from iterpref_assets.core.pairs.executions import ExecutionLog
from iterpref_assets.core.records import Case, FunctionTests, Tests
from iterpref_assets.core.sandbox.verdicts import Execution, Limits, Verdict

ADD = FunctionTests(entry_point="add", cases=(Case(arguments="(1, 2)", expected="3"),))
OTHER = FunctionTests(entry_point="add", cases=(Case(arguments="(1, 2)", expected="4"),))
FAILED = Execution(Verdict.EXCEPTION, "KeyError", "add(1, 2) raised KeyError")


class Judge:
    """Gives everything one verdict, and counts."""

    def __init__(self, execution: Execution = FAILED) -> None:
        self.asked: list[str] = []
        self.execution = execution

    def __call__(self, code: str, tests: Tests) -> Execution:
        self.asked.append(code)
        return self.execution


def _log(folder: Path, judge: Judge, limits: Limits | None = None, packages=()) -> ExecutionLog:
    return ExecutionLog(
        folder / "executions.jsonl", judge, limits=limits or Limits(), packages=packages
    )


def test_a_program_runs_once_against_the_same_tests(tmp_path):
    judge = Judge()
    with _log(tmp_path, judge) as log:
        assert log("x = 1", ADD) == log("x = 1", ADD) == FAILED
        assert log.executed == 1
    assert judge.asked == ["x = 1"]


def test_what_ran_before_is_known_when_the_log_is_opened_again(tmp_path):
    with _log(tmp_path, Judge()) as log:
        log("x = 1", ADD)
    judge = Judge()
    with _log(tmp_path, judge) as log:
        assert log("x = 1", ADD) == FAILED
        assert log.executed == 0
    assert judge.asked == []


def test_another_program_or_other_tests_run(tmp_path):
    with _log(tmp_path, Judge()) as log:
        log("x = 1", ADD)
        log("x = 2", ADD)
        log("x = 1", OTHER)
        assert log.executed == 3


@pytest.mark.parametrize(
    "change", [{"limits": Limits(cpu_seconds=3.0)}, {"packages": ("numpy",)}], ids=str
)
def test_other_circumstances_run_the_program_again(tmp_path, change):
    with _log(tmp_path, Judge()) as log:
        log("x = 1", ADD)
    with _log(tmp_path, Judge(), **change) as log:
        log("x = 1", ADD)
        assert log.executed == 1


def test_what_was_appended_before_a_kill_is_known(tmp_path):
    log = _log(tmp_path, Judge())
    log("x = 1", ADD)
    log._journal._lock.close()  # what a kill leaves: no goodbye, and no lock
    with _log(tmp_path, Judge()) as again:
        again("x = 1", ADD)
        assert again.executed == 0


@pytest.mark.parametrize(("cpu_seconds", "runs"), [(2.0, 0), (1.5, 1)], ids=["cpu", "clock"])
def test_only_a_time_out_that_the_clock_decided_is_run_again(tmp_path, cpu_seconds, runs):
    timed_out = Execution(Verdict.TIMEOUT, message="ran out of time", cpu_seconds=cpu_seconds)
    with _log(tmp_path, Judge(timed_out), Limits(cpu_seconds=2.0)) as log:
        log("x = 1", ADD)
        log("x = 1", ADD)
        assert log.executed == 1
    with _log(tmp_path, Judge(), Limits(cpu_seconds=2.0)) as log:
        log("x = 1", ADD)
        assert log.executed == runs
