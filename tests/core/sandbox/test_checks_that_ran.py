"""Test files that run none of their checks, and what is counted of those that do."""

import pytest
from shared_cases import cases

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.records import CodeTests
from iterpref_assets.core.sandbox.code_tests import plan_tests
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Verdict

RIGHT, WRONG = "def add(a, b):\n    return a + b", "def add(a, b):\n    return a - b"
FROM_ADD = "from solution import add\n"

EMPTY_LOOP = """
import unittest
class TestAdd(unittest.TestCase):
    def test(self):
        for a in []:
            self.assertEqual(add(a, 1), a + 1)
"""
FLOOD = """
import os
for place in range(3, 64):
    try:
        os.write(place, b"C" + (8).to_bytes(4, "little") + bytes(8))
    except OSError:
        pass
"""


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(workers=1) as opened:
        yield opened


def _ran(sandbox: Sandbox, code: str, test: str) -> set[int]:
    tests = CodeTests(code=FROM_ADD + test)
    run = sandbox.run_tests(code, tests, plan_tests(tests.code))
    return {number for _, number in run.checks}


@pytest.mark.sandbox
@pytest.mark.parametrize("case", cases("tests_that_run_nothing.jsonl"))
def test_a_wrong_program_never_passes_tests_that_run_nothing(sandbox, case) -> None:
    tests = CodeTests(module="add", code=case["test"])
    if "wrong_answer" in case["right"]:
        assert sandbox.judge(case["solution"], tests).verdict is Verdict.WRONG_ANSWER
        return
    with pytest.raises(InputError, match="test_add"):
        sandbox.judge(case["solution"], tests)


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("test", "checks"),
    [
        ("for a, b in []:\n    assert add(a, b) == a + b\n", 1),
        ("def check():\n    assert add(1, 2) == 3\ndef run():\n    check()\n", 1),
        ("if add(1, 2) > 99:\n    assert add(1, 2) == 3\n    assert add(1, 1) == 2\n", 2),
        (EMPTY_LOOP, 1),
    ],
)
def test_a_file_of_which_no_check_ran_is_refused_with_their_number(sandbox, test, checks) -> None:
    execution = sandbox.judge(RIGHT, CodeTests(code=FROM_ADD + test))
    assert execution.verdict is Verdict.REFUSED
    assert execution.message == f"none of the test file's {checks} checks ran"


@pytest.mark.sandbox
def test_each_check_that_ran_is_counted_once(sandbox) -> None:
    test = (
        "for n in range(3):\n    assert add(n, 1) == n + 1\nif False:\n    assert add(1, 1) == 2\n"
    )
    assert _ran(sandbox, RIGHT, test) == {0}


@pytest.mark.sandbox
def test_a_check_that_failed_is_not_counted(sandbox) -> None:
    test = "assert add(0, 0) == 0\nassert add(1, 2) == 3\nassert add(2, 2) == 4\n"
    assert _ran(sandbox, WRONG, test) == {0}


@pytest.mark.sandbox
@pytest.mark.parametrize(
    "check",
    [
        "assert add(1, 2) == 3",
        "if add(1, 2) != 3:\n    raise ValueError('wrong')",
        "try:\n    add(1, None)\nexcept TypeError:\n    pass\nelse:\n    raise AssertionError",
        "import unittest\nwith unittest.TestCase().assertRaises(TypeError):\n    add(1, None)",
        "import unittest\nunittest.TestCase().assertEqual(add(1, 2), 3)",
        "def holds():\n    assert add(1, 2) == 3\n    return True\nholds()",
    ],
)
def test_every_way_to_check_is_one(sandbox, check: str) -> None:
    assert _ran(sandbox, RIGHT, check + "\n")
    assert sandbox.judge(RIGHT, CodeTests(code=FROM_ADD + check + "\n")).verdict is Verdict.PASSED


@pytest.mark.sandbox
def test_what_a_program_reports_of_checks_is_bounded(sandbox) -> None:
    flood = FLOOD
    test = "assert add(1, 2) == 3\n"
    assert _ran(sandbox, flood + RIGHT, test) <= {0}


@pytest.mark.sandbox
def test_the_line_that_failed_is_still_that_of_the_file(sandbox) -> None:
    test = "assert add(0, 0) == 0\n\nassert add(1, 2) == 3\n"
    execution = sandbox.judge(WRONG, CodeTests(code=FROM_ADD + test))
    assert "assert add(1, 2) == 3" in execution.message
