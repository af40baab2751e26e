"""What a test file holds, found by reading it."""

import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.sandbox.code_tests import PlannedTests, plan_tests, usable_tests


def test_unittest_methods_are_found_in_the_order_they_run() -> None:
    code = """
import unittest
class TestB(unittest.TestCase):
    def test_z(self): pass
    async def test_a(self): pass
    def helper(self): pass
class TestA(unittest.TestCase):
    def test_m(self): self.assertTrue(f())
"""
    names = ("TestB.test_a", "TestB.test_z", "TestA.test_m")
    assert plan_tests(code) == PlannedTests(True, names, checks=1)


def test_inherited_test_methods_are_counted() -> None:
    code = """
from unittest import TestCase
class Base(TestCase):
    def test_one(self): pass
class Derived(Base):
    def test_two(self): assert f()
"""
    assert plan_tests(code).names == ("Base.test_one", "Derived.test_one", "Derived.test_two")


def test_of_one_class_its_own_and_inherited_tests_are_planned_and_no_others() -> None:
    code = """
from unittest import TestCase
class Base(TestCase):
    def test_one(self): pass
class Derived(Base):
    def test_two(self): assert f()
"""
    assert plan_tests(code, "Derived").names == ("Derived.test_one", "Derived.test_two")


def test_a_file_without_the_class_to_run_is_refused() -> None:
    code = "from unittest import TestCase\nclass A(TestCase):\n    def test_a(self): assert f()\n"
    with pytest.raises(InputError, match="no tests in a class TestCases"):
        plan_tests(code, "TestCases")


def test_functions_that_nothing_calls_are_to_be_called() -> None:
    code = "def test_a():\n    assert f()\ndef test_b():\n    assert f()\ntest_b()\n"
    assert plan_tests(code) == PlannedTests(False, ("test_a",), checks=2)


@pytest.mark.parametrize("code", ["x = 1", "", "class TestNothing: pass", "def f(): return 1"])
def test_file_that_asserts_nothing_is_refused(code: str) -> None:
    with pytest.raises(InputError, match="asserts nothing"):
        plan_tests(code)


def test_file_that_does_not_parse_is_refused() -> None:
    with pytest.raises(InputError, match="does not parse"):
        plan_tests("def (")


def test_a_class_that_no_unittest_collects_is_called_as_pytest_would() -> None:
    code = "class TestAdd:\n    def test_b(self): assert f()\n    def test_a(self): assert f()\n"
    assert plan_tests(code).names == ("TestAdd.test_b", "TestAdd.test_a")


def test_a_function_whose_parameters_all_have_defaults_is_called() -> None:
    assert plan_tests("def test_a(x=1, *, y=2):\n    assert f(x, y)\n").names == ("test_a",)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("def test_a(case):\n    assert f(case)\n", "nothing gives test_a its parameter 'case'"),
        ("def test_a(*, case):\n    assert f(case)\n", "test_a its parameter 'case'"),
        ("class TestA:\n    def test_b(self, x): assert x\n", "TestA.test_b its parameter 'x'"),
        (
            "class TestA:\n    def setup_method(self): pass\n    def test_b(self): assert f()\n",
            "TestA is no unittest.TestCase, and nothing calls its setup_method",
        ),
    ],
)
def test_a_test_that_nothing_can_call_is_refused_by_name(code: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        plan_tests(code)


CAUGHT = "def test_a():\n    try:\n        assert f()\n    except {}:\n        {}\n"


@pytest.mark.parametrize("caught", ["AssertionError", "Exception", "(KeyError, AssertionError)"])
def test_a_test_that_catches_its_own_failure_is_refused_by_name(caught: str) -> None:
    with pytest.raises(InputError, match="test_a cannot fail"):
        plan_tests(CAUGHT.format(caught, "print('failed')"))


def test_a_test_that_suppresses_its_own_failure_is_refused_by_name() -> None:
    code = "def test_a():\n    with contextlib.suppress(Exception):\n        assert f()\n"
    with pytest.raises(InputError, match="test_a cannot fail"):
        plan_tests(code)


@pytest.mark.parametrize(
    "code",
    [
        CAUGHT.format("AssertionError", "raise"),
        CAUGHT.format("AssertionError as e", "self.fail(str(e))"),
        CAUGHT.format("KeyError", "pass"),
        "def test_a():\n    try:\n        f()\n    except Exception:\n        assert False\n",
        "def test_a():\n    try:\n        f()\n    except ValueError:\n        return\n"
        "    raise AssertionError\n" + "if not f(): raise ValueError\n",
    ],
)
def test_a_test_whose_failure_gets_out_is_taken(code: str) -> None:
    assert usable_tests(code).idle == ()


def test_one_test_of_several_that_cannot_fail_is_named_and_refused_where_each_must() -> None:
    code = CAUGHT.format("Exception", "pass") + "def test_b():\n    assert f()\n"
    assert plan_tests(code).idle == ("test_a",)
    with pytest.raises(InputError, match="test_a cannot fail"):
        usable_tests(code)


def test_a_test_called_only_where_its_failure_is_caught_is_called_by_itself() -> None:
    code = "def test_a():\n    assert f()\ntry:\n    test_a()\nexcept AssertionError:\n    pass\n"
    assert plan_tests(code).names == ("test_a",)


@pytest.mark.parametrize("code", ["assert True", "assert (f(), 'told')", "self.assertTrue(True)"])
def test_a_check_that_always_holds_is_none(code: str) -> None:
    with pytest.raises(InputError, match="asserts nothing"):
        plan_tests(code)


def test_a_mock_that_is_asked_for_constants_checks_something() -> None:
    assert plan_tests("f()\nread.assert_called_with('a.txt')\n").checks == 1
