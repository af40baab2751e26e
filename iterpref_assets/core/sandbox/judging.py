"""Verdicts from what a program reported, decided here and not by it."""

from __future__ import annotations

from iterpref_assets.core.records import FunctionTests, StdioTests, Tests
from iterpref_assets.core.sandbox.judging_calls import judge_calls
from iterpref_assets.core.sandbox.judging_files import judge_test_file
from iterpref_assets.core.sandbox.judging_stdio import judge_stdio
from iterpref_assets.core.sandbox.runs import Runner
from iterpref_assets.core.sandbox.verdicts import Execution, Limits


def judge(runner: Runner, code: str, tests: Tests, limits: Limits) -> Execution:
    """The verdict on `code` by its tests.

    Raises:
        InputError: if the tests themselves are unusable.
    """
    if isinstance(tests, FunctionTests):
        return judge_calls(runner, code, tests, limits)
    if isinstance(tests, StdioTests):
        return judge_stdio(runner, code, tests, limits)
    return judge_test_file(runner, code, tests, limits)
