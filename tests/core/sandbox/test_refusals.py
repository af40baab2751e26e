"""A refused program is told what was refused: it ran, so nothing else would be true."""

import pytest

from iterpref_assets.core.records import Case, FunctionTests, StdioCase, StdioTests
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Execution, Verdict

from .conftest import SQUARE, SQUARE_TEST_FILE, SQUARES

NOTHING = FunctionTests(entry_point="f", cases=(Case(arguments="()", expected="[]"),))
ENDLESS_FRAMES = """
import os, stat
for d in range(3, 64):
    try:
        while stat.S_ISFIFO(os.fstat(d).st_mode): os.write(d, b"R\\0\\0\\0\\0" * 1000)
    except OSError: pass
"""


def refused(execution: Execution) -> str:
    """The message to a program that was refused."""
    assert execution.verdict is Verdict.REFUSED
    return execution.message


@pytest.mark.parametrize(
    "code",
    [
        "def f():\n    value = []\n    value.append(value)\n    return value",
        "def f():\n    value = []\n    for _ in range(300): value = [value]\n    return value",
    ],
    ids=["holds itself", "deep"],
)
def test_a_value_nested_too_deep_is_named(sandbox: Sandbox, code: str) -> None:
    message = refused(sandbox.judge(code, NOTHING))
    assert message == "f() returned a value nested more than 200 levels deep"


def test_the_length_that_an_output_may_have_is_named(sandbox: Sandbox) -> None:
    tests = StdioTests(cases=(StdioCase(stdin="7\n", stdout="x"),))
    message = refused(sandbox.judge("print('x' * 2_000_000)", tests))
    assert message == "with input '7' the program printed more than 1,048,576 bytes"


def test_results_without_a_call_are_named(sandbox: Sandbox) -> None:
    code = """
import marshal, os
def square(x):
    for value in (9, 16, 25):
        data = marshal.dumps(value, 2)
        os.write(3, b"V" + len(data).to_bytes(4, "little") + data)
    os._exit(0)
"""
    message = refused(sandbox.judge(code, SQUARES))
    assert message == "the program sent more results than there were calls"


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (b"?\0\0\0\0", "square(3) sent a report that means nothing"),
        (b"V\xff\xff\xff\xff", "the program sent a report longer than any result may be"),
    ],
)
def test_a_forged_report_is_named(sandbox: Sandbox, frame: bytes, message: str) -> None:
    code = f"import os\ndef square(x):\n    os.write(3, {frame!r})\n    os._exit(0)\n"
    assert refused(sandbox.judge(code, SQUARES)) == message


@pytest.mark.parametrize("tests", [SQUARES, SQUARE_TEST_FILE], ids=["calls", "test file"])
def test_reports_that_nobody_asked_for_are_named(sandbox: Sandbox, tests: FunctionTests) -> None:
    execution = sandbox.judge(ENDLESS_FRAMES + SQUARE, tests)
    assert refused(execution) == "the program sent reports that nobody asked for"


def test_a_change_of_the_test_runner_is_named(sandbox: Sandbox) -> None:
    code = "import unittest\nunittest.TestCase.assertEqual = print\n" + SQUARE
    message = refused(sandbox.judge(code, SQUARE_TEST_FILE))
    assert message == "the program changes TestCase.assertEqual"
