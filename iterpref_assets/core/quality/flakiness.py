"""Tests whose outcome depends on what they should not: the order they run in, or string hashes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from iterpref_assets.core.records import CodeTests, Tests
from iterpref_assets.core.sandbox.code_tests import PlannedTests, ProxiedTests
from iterpref_assets.core.sandbox.judging import judge
from iterpref_assets.core.sandbox.outcomes import CallRun, ProgramRun, Runner, StopAfter, TestRun
from iterpref_assets.core.sandbox.verdicts import Execution, Limits

OTHER_HASH_SEED = 1
"""What a sandbox is to be started with, to run in another order; by default it is 0."""


def judge_in_reverse(runner: Runner, code: str, tests: Tests, limits: Limits) -> Execution:
    """The verdict on `code` by its tests in the opposite order.

    Cases that are calls or inputs are reversed, and so are the tests of a test file; a script of
    plain assertions has but one order.

    Raises:
        InputError: if the tests themselves are unusable.
    """
    if isinstance(tests, CodeTests):
        return judge(_Reversed(runner), code, tests, limits)
    reverse = tests.model_copy(update={"cases": tests.cases[::-1]})
    return judge(runner, code, reverse, limits)


class _Reversed:
    """A runner that runs the tests of a file from the last to the first."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

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
        """As the runner does."""
        return self._runner.run_calls(
            code, entry_point, arguments, limits, stop=stop, keep=keep, one_by_one=one_by_one
        )

    def run_program(self, code: str, stdin: str, limits: Limits | None = None) -> ProgramRun:
        """As the runner does."""
        return self._runner.run_program(code, stdin, limits)

    def run_tests(
        self,
        code: str,
        tests: CodeTests | ProxiedTests,
        plan: PlannedTests,
        limits: Limits | None = None,
    ) -> TestRun:
        """The outcome of the test file, its tests in reverse."""
        reverse = replace(plan, names=plan.names[::-1])
        return self._runner.run_tests(code, tests, reverse, limits)
