"""What a test file holds, found by reading it."""

import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.sandbox.code_tests import PlannedTests, plan_tests


def test_unittest_methods_are_found_in_the_order_they_run() -> None:
    code = """
import unittest
class TestB(unittest.TestCase):
    def test_z(self): pass
    async def test_a(self): pass
    def helper(self): pass
class TestA(unittest.TestCase):
    def test_m(self): pass
"""
    assert plan_tests(code) == PlannedTests(True, ("TestB.test_a", "TestB.test_z", "TestA.test_m"))


def test_inherited_test_methods_are_counted() -> None:
    code = """
from unittest import TestCase
class Base(TestCase):
    def test_one(self): pass
class Derived(Base):
    def test_two(self): pass
"""
    assert plan_tests(code).names == ("Base.test_one", "Derived.test_one", "Derived.test_two")


def test_functions_that_nothing_calls_are_to_be_called() -> None:
    code = "def test_a():\n    assert f()\ndef test_b():\n    assert f()\ntest_b()\n"
    assert plan_tests(code) == PlannedTests(False, ("test_a",))


@pytest.mark.parametrize("code", ["x = 1", "", "class TestNothing: pass", "def f(): return 1"])
def test_file_that_asserts_nothing_is_refused(code: str) -> None:
    with pytest.raises(InputError, match="asserts nothing"):
        plan_tests(code)


def test_file_that_does_not_parse_is_refused() -> None:
    with pytest.raises(InputError, match="does not parse"):
        plan_tests("def (")
