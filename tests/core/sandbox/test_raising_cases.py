"""Calls that must raise are judged by the exception's class name, outside the program."""

import pytest

from iterpref_assets.core.records import Case, FunctionTests, RaisingCase
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Verdict

pytestmark = pytest.mark.sandbox
TESTS = FunctionTests(
    entry_point="f",
    cases=(
        Case(arguments="(1,)", expected="1"),
        RaisingCase(arguments="(-1,)", raises="ValueError"),
    ),
)


@pytest.mark.parametrize(
    ("ending", "verdict", "message"),
    [
        ("raise ValueError('no')", Verdict.PASSED, ""),
        ("return 0", Verdict.WRONG_ANSWER, "f(-1) returned 0 instead of raising ValueError"),
        ("return None", Verdict.WRONG_ANSWER, "f(-1) returned None instead of raising ValueError"),
        (
            "raise KeyError(x)",
            Verdict.EXCEPTION,
            "f(-1) raised KeyError, and not ValueError: -1, in line 4: raise KeyError(x)",
        ),
    ],
)
def test_only_the_exception_that_is_asked_for_passes(
    sandbox: Sandbox, ending: str, verdict: Verdict, message: str
) -> None:
    code = f"def f(x):\n    if x >= 0:\n        return x\n    {ending}"
    execution = sandbox.judge(code, TESTS)
    assert (execution.verdict, execution.message) == (verdict, message)
    assert execution.failing_case == (None if verdict is Verdict.PASSED else 1)


def test_raising_where_a_value_is_expected_fails(sandbox: Sandbox) -> None:
    execution = sandbox.judge("def f(x):\n    raise ValueError('always')", TESTS)
    assert (execution.verdict, execution.failing_case) == (Verdict.EXCEPTION, 0)
