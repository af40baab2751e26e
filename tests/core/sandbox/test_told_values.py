"""What a failed test of a test file tells: the whole assertion, both values, the program's line."""

import pytest

from iterpref_assets.core.records import CodeTests
from iterpref_assets.core.sandbox.sandbox import Sandbox

WRONG = "def area(w, h):\n    return w + h"


def told(sandbox: Sandbox, code: str, tests: str) -> str:
    return sandbox.judge(code, CodeTests(code=f"from solution import area\n{tests}")).message


def test_a_bare_assertion_tells_both_values(sandbox: Sandbox) -> None:
    assert told(sandbox, WRONG, "assert area(2, 3) == 6") == (
        "assert area(2, 3) == 6 raised AssertionError: 5 == 6"
    )


def test_an_assertion_over_several_lines_is_told_whole(sandbox: Sandbox) -> None:
    tests = "assert area(\n    2,\n    3,\n) == 6"
    assert told(sandbox, WRONG, tests).startswith("assert area( 2, 3, ) == 6 raised")


def test_the_assertions_own_message_is_told_with_the_values(sandbox: Sandbox) -> None:
    assert told(sandbox, WRONG, "assert area(2, 3) == 6, 'no area'").endswith(": no area: 5 == 6")


@pytest.mark.parametrize(
    ("condition", "values"),
    [
        ("4 < area(2, 3) < 2 + 2", "4 < 5 < 4"),
        ("area(1, 1) == 2 and area(2, 3) == 6", "5 == 6"),
        ("area(2, 3) == 6 or area(2, 3) == 7", "5 == 6 or 5 == 7"),
        ("not area(2, 3)", "not 5"),
        ("isinstance(area(2, 3), str)", "isinstance(5, <class 'str'>)"),
        ("area(0, 0)", "0"),
    ],
)
def test_what_a_condition_came_to_is_told(sandbox: Sandbox, condition: str, values: str) -> None:
    assert told(sandbox, WRONG, f"assert {condition}").endswith(f" raised AssertionError: {values}")


def test_a_syntax_error_of_the_program_tells_its_line(sandbox: Sandbox) -> None:
    code = "def area(w, h):\n    return (w"
    assert told(sandbox, code, "assert area(2, 3) == 6").endswith(
        "SyntaxError: '(' was never closed, in line 2: return (w"
    )


def test_an_assertion_of_the_program_tells_its_line(sandbox: Sandbox) -> None:
    code = "def area(w, h):\n    assert w > h, 'flat'\n    return w * h"
    assert told(sandbox, code, "assert area(2, 3) == 6").endswith(
        "raised AssertionError: flat, in line 2: assert w > h, 'flat'"
    )


def test_a_unittest_tells_its_two_values(sandbox: Sandbox) -> None:
    tests = (
        "import unittest\n\n\nclass T(unittest.TestCase):\n    def test_area(self):\n"
        "        self.assertEqual(area(2, 3), 6)"
    )
    assert "self.assertEqual(area(2, 3), 6) raised AssertionError: 5 != 6" in told(
        sandbox, WRONG, tests
    )


def test_an_exception_of_the_program_tells_its_line(sandbox: Sandbox) -> None:
    code = "def area(w, h):\n    side = w\n    return side * x"
    assert told(sandbox, code, "assert area(2, 3) == 6") == (
        "assert area(2, 3) == 6 raised NameError: name 'x' is not defined, "
        "in line 3: return side * x"
    )


@pytest.mark.parametrize("values", ["[7, 8]", "[]"])
def test_values_that_cannot_be_worked_out_again_are_not_told(sandbox: Sandbox, values: str) -> None:
    tests = (
        f"left = {values} + [5]\n\n\ndef take():\n    return left.pop(0) if left else 1 / 0\n\n\n"
    )
    message = told(sandbox, WRONG, f"{tests}assert take() == area(1, 1)")
    expected = "" if values == "[]" else ": 8 == 2"
    assert message.endswith(f"take() == area(1, 1) raised AssertionError{expected}")
