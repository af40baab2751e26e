"""Calls that must raise are judged by the names of the exception's classes, outside the program."""

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


@pytest.mark.parametrize(
    "code",
    [
        "class Empty(ValueError): pass\ndef f(x):\n    if x < 0: raise Empty('no')\n    return x",
        "def f(x):\n    return x if x > 0 else b'\\xff'.decode()",
    ],
    ids=["a class of its own", "a built-in class"],
)
def test_an_exception_of_a_class_derived_from_the_wanted_passes(
    sandbox: Sandbox, code: str
) -> None:
    assert sandbox.judge(code, TESTS).passed


def test_a_class_that_only_bears_a_built_in_classes_name_fails(sandbox: Sandbox) -> None:
    code = (
        "class ValueError(Exception):\n    pass\n"
        "def f(x):\n    if x < 0: raise ValueError('no')\n    return x"
    )
    execution = sandbox.judge(code, TESTS)
    assert (execution.verdict, execution.error_type) == (Verdict.EXCEPTION, "ValueError")
    assert execution.message.startswith("f(-1) raised ValueError, and not the built-in ValueError")


def test_a_class_of_the_program_can_be_asked_for_by_its_name(sandbox: Sandbox) -> None:
    case = RaisingCase(arguments="(-1,)", raises="Empty")
    code = "class Empty(Exception):\n    pass\ndef f(x):\n    raise Empty"
    assert sandbox.judge(code, FunctionTests(entry_point="f", cases=(case,))).passed
