"""Tests that pass in one order, or under one hash seed, and fail in another are found."""

from collections.abc import Iterator

import pytest
from patient_sandbox import UNREACHED, PatientSandbox

from iterpref_assets.core.quality.flakiness import OTHER_HASH_SEED, judge_in_reverse
from iterpref_assets.core.records import (
    Case,
    CodeTests,
    FunctionTests,
    StdioCase,
    StdioTests,
    Tests,
)
from iterpref_assets.core.sandbox.sandbox import Sandbox

pytestmark = pytest.mark.sandbox

COUNTER = "seen = []\ndef f(x):\n    seen.append(x)\n    return len(seen)"
LETTERS = "def f():\n    return ''.join({'a', 'b', 'c', 'd', 'e', 'f'})"
ORDERED = """import unittest
import solution
class T(unittest.TestCase):
    def test_a(self):
        self.assertEqual(solution.f(0), 1)
    def test_b(self):
        self.assertEqual(solution.f(0), 2)
"""


@pytest.fixture(scope="module")
def other() -> Iterator[Sandbox]:
    with PatientSandbox(1, hash_seed=OTHER_HASH_SEED) as opened:
        yield opened


def function_tests(*cases: tuple[str, str]) -> FunctionTests:
    return FunctionTests(
        entry_point="f", cases=tuple(Case(arguments=a, expected=e) for a, e in cases)
    )


@pytest.mark.parametrize(
    ("code", "tests", "steady"),
    [
        ("def f(x):\n    return x", function_tests(("(1,)", "1"), ("(2,)", "2")), True),
        (COUNTER, function_tests(("(1,)", "1"), ("(2,)", "2")), False),
        (COUNTER, CodeTests(code=ORDERED), False),
        ("def f(x):\n    return 1", CodeTests(code=ORDERED.replace(", 2)", ", 1)")), True),
        ("print(input())", StdioTests(cases=(StdioCase(stdin="1", stdout="1"),)), True),
    ],
    ids=["no state", "calls with state", "tests with state", "tests without", "programs"],
)
def test_the_order_of_tests_matters_only_where_state_is_kept(
    sandbox: Sandbox, other: Sandbox, code: str, tests: Tests, steady: bool
) -> None:
    assert sandbox.judge(code, tests).passed
    assert judge_in_reverse(other, code, tests, UNREACHED).passed is steady


def test_another_hash_seed_orders_sets_of_strings_otherwise(
    sandbox: Sandbox, other: Sandbox
) -> None:
    orders = [each.run_calls(LETTERS, "f", [()]).outcomes[0].literal() for each in (sandbox, other)]
    assert orders[0] != orders[1]
    tests = function_tests(("()", orders[0]))
    assert sandbox.judge(LETTERS, tests).passed
    assert not judge_in_reverse(other, LETTERS, tests, UNREACHED).passed
