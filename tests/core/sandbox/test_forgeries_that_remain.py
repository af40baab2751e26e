"""What a test file beside the candidate cannot prevent: each forgery listed in docs/SANDBOX.md.

These tests show that the forgeries work. One that fails has become impossible: strike it from the
list. The same programs fail where calls are judged outside, and where the same tests run apart from
the program, which is shown for each of them too.
"""

from dataclasses import dataclass

import pytest

from iterpref_assets.core.records import Case, CodeTests, FunctionTests
from iterpref_assets.core.sandbox.code_tests import ProxiedTests
from iterpref_assets.core.sandbox.verdicts import Verdict

from .conftest import SQUARE_TEST_FILE, SQUARES, Attack


@dataclass(frozen=True)
class Forgery:
    """A wrong program that passes `tests`, and what it comes to by the calls of `outside`."""

    program: str
    tests: CodeTests
    outside: FunctionTests
    verdict: Verdict = Verdict.WRONG_ANSWER


def of_square(
    program: str, verdict: Verdict = Verdict.WRONG_ANSWER, tests: CodeTests = SQUARE_TEST_FILE
) -> Forgery:
    """A program that would have to square numbers."""
    return Forgery(program, tests, SQUARES, verdict)


def of_a_benchmark(tests: CodeTests) -> CodeTests:
    """The tests as a file that goes on in the program's module."""
    code = tests.code.replace("from solution import square\n", "")
    return CodeTests(code=code, shared_namespace=True)


def of_half(program: str, assertion: str, imported: str = "unittest") -> Forgery:
    """A program that would have to halve numbers, tested by one line."""
    test_file = (
        f"import unittest, {imported}\n"
        "from solution import half\n"
        "class TestHalf(unittest.TestCase):\n"
        "    def test_half(self):\n"
        f"        {assertion}\n"
    )
    case = Case(arguments="(3,)", expected="1.5")
    outside = FunctionTests(entry_point="half", cases=(case,))
    return Forgery(program, CodeTests(code=test_file), outside)


FORGERIES = {
    "an object that equals everything": of_square("""
class Any:
    def __eq__(self, other): return True
def square(x): return Any()
"""),
    "the expected values read from the test file's constants": of_square("""
import sys
def square(x):
    frame = sys._getframe(1)
    numbers = [each for each in frame.f_code.co_consts if isinstance(each, int)]
    return max(numbers)
"""),
    "an assertion patched in one call and put back in the next": of_square("""
import unittest
real = unittest.TestCase.assertEqual
calls = 0
def square(x):
    global calls
    calls += 1
    unittest.TestCase.assertEqual = real if calls == 2 else lambda *a, **k: None
    return x * x if calls == 1 else 0
"""),
    "the test case changed through the calling frame": of_square(
        """
import sys
def square(x):
    case = sys._getframe(1).f_locals["self"]
    case._getAssertEqualityFunc = lambda first, second: lambda *a, **k: None
    return 0
""",
        Verdict.EXCEPTION,
    ),
    "the test case's outcome changed through the calling frame, in a benchmark's file": of_square(
        """
import sys
def square(x):
    if x != 3: sys._getframe(1).f_locals["self"]._outcome.expecting_failure = True
    return 9
""",
        Verdict.EXCEPTION,
        of_a_benchmark(SQUARE_TEST_FILE),
    ),
    "the nonce read from its pipe": of_square(
        """
import marshal, os, select, stat
pipes = []
for descriptor in range(4, 64):
    try:
        if stat.S_ISFIFO(os.fstat(descriptor).st_mode): pipes.append(descriptor)
    except OSError: pass
readable = select.select(pipes, [], [], 0)[0][0]
pipes.remove(readable)
data = marshal.dumps((os.read(readable, 32), "passed", "", "", "", 0, 2), 2)
def check(test, number):
    told = test.to_bytes(4, "little") + number.to_bytes(4, "little")
    return b"C" + len(told).to_bytes(4, "little") + told
checks = check(0, 1) + check(1, 0)
os.write(pipes[0], checks + b"T" + len(data).to_bytes(4, "little") + data)
os._exit(0)
""",
        Verdict.EXCEPTION,
    ),
    "a helper of the test script replaced": Forgery(
        """
import sys
def square(x):
    if x == 4: sys._getframe(1).f_globals["check"] = lambda *a: None
    return 9
""",
        CodeTests(
            code=(
                "from solution import square\n"
                "def check(value, expected):\n    assert value == expected\n"
                "first = square(3)\ncheck(first, 9)\nsecond = square(4)\ncheck(second, 16)\n"
            )
        ),
        SQUARES,
    ),
    "a builtin's name bound in a namespace that the tests share": Forgery(
        "def square(x): return 0\ndef len(value): return 2\n",
        CodeTests(
            code=(
                "import unittest\n"
                "class TestSquare(unittest.TestCase):\n"
                "    def test_three(self):\n"
                "        self.assertEqual(len(str(square(4))), 2)\n"
            ),
            shared_namespace=True,
        ),
        SQUARES,
    ),
    "a library's comparison replaced": of_half(
        "import math\nmath.isclose = lambda *a, **k: True\ndef half(x): return 0\n",
        "self.assertTrue(math.isclose(half(3), 1.5))",
        "math",
    ),
    "a library's assertion replaced": of_half(
        "import numpy.testing\nnumpy.testing.assert_array_equal = print\ndef half(x): return 0\n",
        "numpy.testing.assert_array_equal(half(3), 1.5)",
        "numpy.testing",
    ),
    "a library's look at what was done replaced": Forgery(
        "import os\nos.path.exists = lambda path: True\ndef save(name): return ''\n",
        CodeTests(
            code=(
                "import os, unittest\n"
                "from solution import save\n"
                "class TestSave(unittest.TestCase):\n"
                "    def test_that_the_file_is_there(self):\n"
                "        self.assertTrue(os.path.exists(save('x')))\n"
            )
        ),
        FunctionTests(entry_point="save", cases=(Case(arguments="('x',)", expected="'x'"),)),
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forgery_passes_a_test_file(attack: Attack, name: str) -> None:
    execution = attack(FORGERIES[name].program, FORGERIES[name].tests)
    assert execution.verdict is Verdict.PASSED
    assert execution.in_process


@pytest.mark.parametrize("name", FORGERIES)
def test_forgery_fails_where_calls_are_judged_outside(attack: Attack, name: str) -> None:
    execution = attack(FORGERIES[name].program, FORGERIES[name].outside)
    assert execution.verdict is FORGERIES[name].verdict
    assert not execution.in_process


@pytest.mark.parametrize("name", FORGERIES)
def test_forgery_fails_where_the_same_tests_run_apart(attack: Attack, name: str) -> None:
    forgery, function = FORGERIES[name], FORGERIES[name].outside.entry_point
    prelude = f"def {function}(*arguments):\n    pass\n"
    execution = attack(forgery.program, ProxiedTests(forgery.tests.code, prelude, function))
    assert not execution.passed
    assert not execution.in_process
