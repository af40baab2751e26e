"""What is said of a test file that fails."""

from typing import Any

import pytest

from iterpref_assets.core.records import CodeTests
from iterpref_assets.core.sandbox import outcomes
from iterpref_assets.core.sandbox.judging import judge_test_file
from iterpref_assets.core.sandbox.verdicts import Limits


class FailsAt:
    """Says that the tests failed at a line of their file."""

    def __init__(self, line: int) -> None:
        self.outcome = outcomes.TestOutcome("failed", "test_one", "AssertionError", "", line, 0)

    def run_tests(self, *_: object) -> outcomes.TestRun:
        return outcomes.TestRun(self.outcome)

    run_calls: Any = None
    run_program: Any = None


@pytest.mark.parametrize("separator", ["\f", "\v", "\x1c", "\x85", "\u2028"])
def test_the_line_that_failed_is_counted_as_python_counts_it(separator: str) -> None:
    code = f'def test_one():\n    sign = "{separator}"\n    assert f(sign) == 2\n'
    execution = judge_test_file(FailsAt(3), "", CodeTests(code=code), Limits())
    assert execution.message == "test_one: assert f(sign) == 2 raised AssertionError"
