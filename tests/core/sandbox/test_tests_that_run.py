"""Each test of a file must run: which do not is told by reading the file, or by what ran of it."""

import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.records import CodeTests
from iterpref_assets.core.sandbox.code_tests import plan_tests, usable_tests
from iterpref_assets.core.sandbox.verdicts import Verdict

from .conftest import Attack

RIGHT, WRONG = "def add(a, b):\n    return a + b", "def add(a, b):\n    return a - b"
ZERO = "def test_zero():\n    assert add(0, 0) == 0\n"
CASE = (
    "import unittest\nclass TestAdd(unittest.TestCase):\n"
    "    def test_zero(self):\n        self.assertEqual(add(0, 0), 0)\n"
)
SMALL = "def test_small():\n    assert add(1, 2) == 3\n"
METHOD = "    def test_small(self):\n        assert add(1, 2) == 3\n"

NEVER_RUN = {
    "a function beside a unittest class": (CASE + SMALL, "nothing runs test_small"),
    "a class that no runner collects": (
        ZERO + "class AddTests:\n" + METHOD,
        "nothing runs AddTests.test_small",
    ),
    "a coroutine": (ZERO + "async " + SMALL, "nothing runs test_small"),
    "a generator": (ZERO + SMALL + "    yield\n", "test_small is a coroutine or a generator"),
    "a coroutine of a plain test case": (
        CASE + METHOD.replace("def", "async def"),
        "TestAdd.test_small is a coroutine or a generator",
    ),
    "a function that another replaces": (
        SMALL + ZERO.replace("zero", "small"),
        "nothing runs test_small: a later definition takes its place",
    ),
    "a class that another replaces": (
        "import unittest\nclass TestAdd(unittest.TestCase):\n" + METHOD + CASE,
        "nothing runs TestAdd.test_small: a later definition takes its place",
    ),
    "a helper that nothing calls": (
        "def check(c):\n    assert c(1, 2) == 3\nassert callable(add)\n",
        "nothing runs check",
    ),
    "a helper of a test case": (
        CASE + METHOD.replace("test_small", "check_small"),
        "nothing runs TestAdd.check_small",
    ),
    "a helper in a test": (
        ZERO + "    def check():\n        assert add(1, 2) == 3\n",
        "nothing runs test_zero.check",
    ),
    "a block of __main__ beside a unittest class": (
        CASE + "if __name__ == '__main__':\n    assert add(1, 2) == 3\n",
        "nothing runs the block of __main__",
    ),
    "a function that only a block of __main__ calls beside a unittest class": (
        CASE + SMALL + "if __name__ == '__main__':\n    test_small()\n",
        "nothing runs test_small",
    ),
}
CHECKED_IN_A_LOOP = (
    "def check(a):\n    assert add(a, 1) == a + 1\n"
    "def test_some():\n    check(-1) if add(0, 0) else check(0)\n"
    "def test_none():\n    for a in []:\n        check(a)\n"
)
NOT_COME_BY = {
    "a loop over nothing": (
        ZERO + "def test_none():\n    for a in []:\n        assert add(a, 1) == a + 1\n",
        "test_none",
    ),
    "a call in a branch that is not taken": (
        SMALL + ZERO + "if add(0, 0) == 99:\n    test_small()\n",
        "test_small",
    ),
    "a coroutine that nothing awaits": (ZERO + "async " + SMALL + "test_small()\n", "test_small"),
    "a loop over nothing outside the tests": (
        ZERO + "for a in []:\n    assert add(a, 1) == a + 1\n",
        "the file outside its tests",
    ),
    "a helper called in a loop over nothing": (
        CHECKED_IN_A_LOOP,
        "test_none",
    ),
    "tests looked up by names of another kind": (
        ZERO + "class AddTests:\n" + METHOD + "for name in dir(AddTests):\n"
        "    if name.startswith('check'):\n        getattr(AddTests(), name)()\n",
        "AddTests.test_small",
    ),
    "a check that holds beside one that does not run": (
        ZERO + "def test_none():\n    r = add(1, 2)\n    assert r == r\n"
        "    for a in []:\n        assert add(a, 1) == a + 1\n",
        "test_none",
    ),
}
LEGITIMATE = {
    "branches of which one is taken": (
        "def test_sign():\n    if add(1, 2) > 0:\n        assert add(1, 2) == 3\n"
        "    else:\n        assert add(1, 2) == 4\n"
    ),
    "an exception that is not raised": (
        "def test_raises():\n    try:\n        add(1, None)\n    except TypeError:\n        pass\n"
        "    else:\n        assert False\n"
    ),
    "a helper that some tests call": (
        "def check(a, b, c):\n    assert add(a, b) == c\n"
        "def test_small():\n    check(1, 2, 3)\n" + ZERO
    ),
    "a helper in a branch that is not taken": (
        "def check_odd(c):\n    assert c % 2 == 1\n"
        "def test_small():\n    c = add(1, 1)\n    assert c == 2\n    if c == 1: check_odd(c)\n"
    ),
    "a test that has no check, but may raise": ZERO + "def test_smoke():\n    add(1, 2)\n",
    "parts of a test": (
        CASE + "        for a in range(3):\n            with self.subTest(a=a):\n"
        "                self.assertEqual(add(a, 1), a + 1)\n"
    ),
    "a test that must fail": (
        CASE + "    @unittest.expectedFailure\n    def test_small(self):\n"
        "        self.assertEqual(add(1, 2), 4)\n"
    ),
    "tests that the file calls itself": SMALL + ZERO + "test_small()\ntest_zero()\n",
    "tests run from a list": SMALL + ZERO + "for test in (test_small, test_zero):\n    test()\n",
    "tests that the file looks up": (
        "class AddTests:\n" + METHOD + "for name in dir(AddTests):\n"
        "    if name.startswith('test'):\n        getattr(AddTests(), name)()\n"
    ),
    "tests in a block of __main__": SMALL + "if __name__ == '__main__':\n    test_small()\n",
    "a coroutine that is awaited": (
        "import asyncio\nasync " + SMALL + "asyncio.run(test_small())\n"
    ),
    "coroutines of a case that awaits them": (
        "import unittest\nclass TestAdd(unittest.IsolatedAsyncioTestCase):\n"
        + METHOD.replace("def", "async def")
    ),
    "inherited tests": (
        "import unittest\nclass Small:\n" + METHOD + "class TestAdd(Small, unittest.TestCase):\n"
        "    def test_zero(self):\n        self.assertEqual(add(0, 0), 0)\n"
    ),
    "checks before each test": (
        CASE + "    def setUp(self):\n        self.assertEqual(add(1, 1), 2)\n"
    ),
    "a stand-in that may raise errors": (
        ZERO + "class Box:\n    def read(self, n):\n"
        "        if n < 0: raise ValueError(n)\n        return n\n"
        "def test_box():\n    assert add(Box().read(1), 2) == 3\n"
    ),
    "a stand-in that checks what it is given": (
        ZERO + "class Number(int):\n    def __add__(self, other):\n"
        "        assert other == 2\n        return 3\n"
        "def test_number():\n    assert add(Number(1), 2) == 3\n"
    ),
    "a property with a setter": (
        "class Box:\n    @property\n    def n(self): return 1\n"
        "    @n.setter\n    def n(self, n):\n        assert n == 3\n"
        "def test_box():\n    box = Box()\n    box.n = add(1, 2)\n    assert box.n == 1\n"
    ),
}


def of_add(test: str) -> CodeTests:
    return CodeTests(code="from solution import add\n" + test)


@pytest.mark.parametrize("name", NEVER_RUN)
def test_a_test_that_nothing_runs_is_refused_by_name(name: str) -> None:
    test, told = NEVER_RUN[name]
    with pytest.raises(InputError, match=told):
        usable_tests(test)


@pytest.mark.sandbox
@pytest.mark.parametrize("name", NEVER_RUN)
def test_a_wrong_program_never_passes_a_test_that_nothing_runs(attack: Attack, name: str) -> None:
    execution = attack(WRONG, of_add(NEVER_RUN[name][0]))
    assert execution.verdict is Verdict.REFUSED
    assert "checks ran" in execution.message


@pytest.mark.sandbox
@pytest.mark.parametrize("name", NOT_COME_BY)
def test_a_test_of_which_no_check_ran_is_named(attack: Attack, name: str) -> None:
    test, unrun = NOT_COME_BY[name]
    execution = attack(RIGHT, of_add(test))
    assert execution.verdict is Verdict.REFUSED
    assert execution.message == f"{unrun}: none of its 1 checks ran"


@pytest.mark.parametrize("name", LEGITIMATE)
def test_a_file_whose_tests_all_run_is_usable(name: str) -> None:
    assert usable_tests(LEGITIMATE[name]).checks


@pytest.mark.sandbox
@pytest.mark.parametrize("name", LEGITIMATE)
def test_a_right_program_passes_a_file_whose_tests_all_run(attack: Attack, name: str) -> None:
    execution = attack(RIGHT, of_add(LEGITIMATE[name]))
    assert (execution.verdict, execution.message) == (Verdict.PASSED, "")


def test_a_test_that_only_an_unused_function_calls_is_called_by_itself() -> None:
    code = ZERO + SMALL + "def run():\n    test_small()\n"
    assert plan_tests(code).names == ("test_zero", "test_small")


@pytest.mark.sandbox
def test_a_benchmarks_file_is_judged_as_its_own_harness_does(attack: Attack) -> None:
    loop = "    def test_none(self):\n        for a in []: self.assertTrue(a)\n"
    tests = CodeTests(code=CASE + loop, shared_namespace=True)
    assert attack(RIGHT, tests).verdict is Verdict.PASSED
