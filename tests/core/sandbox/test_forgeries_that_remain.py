"""What a test file beside the candidate cannot prevent: each forgery listed in docs/SANDBOX.md.

These tests show that the forgeries work. One that fails has become impossible: strike it from the
list. Calls judged outside (FunctionTests, StdioTests) refuse every one of them.
"""

import pytest

from iterpref_assets.core.records import CodeTests
from iterpref_assets.core.sandbox.verdicts import Verdict

from .conftest import SQUARE_TEST_FILE, SQUARES, Attack

FORGERIES = {
    "an object that equals everything": """
class Any:
    def __eq__(self, other): return True
def square(x): return Any()
""",
    "the expected values read from the test file's constants": """
import sys
def square(x):
    frame = sys._getframe(1)
    numbers = [each for each in frame.f_code.co_consts if isinstance(each, int)]
    return numbers[-1]
""",
    "an assertion patched in one call and put back in the next": """
import unittest
real = unittest.TestCase.assertEqual
calls = 0
def square(x):
    global calls
    calls += 1
    unittest.TestCase.assertEqual = real if calls == 2 else lambda *a, **k: None
    return x * x if calls == 1 else 0
""",
    "the test case changed through the calling frame": """
import sys
def square(x):
    case = sys._getframe(1).f_locals["self"]
    case._getAssertEqualityFunc = lambda first, second: lambda *a, **k: None
    return 0
""",
    "the nonce read from its pipe": """
import marshal, os, select, stat
pipes = []
for descriptor in range(4, 64):
    try:
        if stat.S_ISFIFO(os.fstat(descriptor).st_mode): pipes.append(descriptor)
    except OSError: pass
readable = select.select(pipes, [], [], 0)[0][0]
pipes.remove(readable)
data = marshal.dumps((os.read(readable, 32), "passed", "", "", "", 0, 2), 2)
os.write(pipes[0], b"T" + len(data).to_bytes(4, "little") + data)
os._exit(0)
""",
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forgery_passes_a_test_file(attack: Attack, name: str) -> None:
    execution = attack(FORGERIES[name], SQUARE_TEST_FILE)
    assert execution.verdict is Verdict.PASSED
    assert execution.in_process


def test_changed_defaults_of_an_assertion_pass_a_test_file(attack: Attack) -> None:
    tests = CodeTests(
        code=(
            "import unittest\n"
            "from solution import half\n"
            "class TestHalf(unittest.TestCase):\n"
            "    def test_half_of_three(self):\n"
            "        self.assertAlmostEqual(half(3), 1.5)\n"
        )
    )
    code = (
        "import unittest\n"
        "unittest.TestCase.assertAlmostEqual.__defaults__ = (None, None, float('inf'))\n"
        "def half(x):\n"
        "    return 0\n"
    )
    assert attack(code, tests).verdict is Verdict.PASSED


@pytest.mark.parametrize("name", FORGERIES)
def test_forgery_fails_where_calls_are_judged_outside(attack: Attack, name: str) -> None:
    execution = attack(FORGERIES[name], SQUARES)
    assert execution.verdict is not Verdict.PASSED
    assert not execution.in_process


def test_swallowing_the_failed_assertion_of_a_script_passes(attack: Attack) -> None:
    code = """
import sys
def square(x):
    frame = sys._getframe(1)
    frame.f_globals["check"] = lambda *a: None
    return 0
"""
    tests = CodeTests(
        code=(
            "from solution import square\n"
            "def check(value, expected):\n    assert value == expected\n"
            "first = square(3)\ncheck(first, 9)\ncheck(square(4), 16)\n"
        )
    )
    assert attack(code, tests).verdict is Verdict.PASSED
