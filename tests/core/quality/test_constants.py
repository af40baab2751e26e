"""Tests that one constant passes are told from those that it fails."""

import pytest
from pydantic import TypeAdapter

from iterpref_assets.core.quality.constants import expects_one_result
from iterpref_assets.core.records import Tests

RETURNS_1, RETURNS_2 = [{"arguments": f"({n},)", "expected": f"{n}"} for n in (1, 2)]
ALSO_RETURNS_1 = {"arguments": "(7,)", "expected": "1"}
RAISES = {"arguments": "(0,)", "raises": "ValueError"}
ALSO_RAISES = {"arguments": "(-1,)", "raises": "ValueError"}
RETURNS_THE_NAME = {"arguments": "(3,)", "expected": "ValueError"}
OF_NOTHING = {"arguments": "()", "expected": "1"}


@pytest.mark.parametrize(
    ("cases", "is_one"),
    [
        ([RETURNS_1, ALSO_RETURNS_1], True),
        ([RETURNS_1], True),
        ([RAISES, ALSO_RAISES], True),
        ([RETURNS_1, RETURNS_2], False),
        ([RETURNS_1, RAISES], False),
        ([RAISES, RETURNS_THE_NAME], False),
        ([OF_NOTHING], False),
    ],
    ids=["same", "single", "raising", "different", "mixed", "a class's name", "no arguments"],
)
def test_calls_that_demand_one_result_are_passed_by_a_constant(cases, is_one) -> None:
    tests = {"kind": "function", "entry_point": "f", "cases": cases}
    assert expects_one_result(TypeAdapter(Tests).validate_python(tests)) is is_one


@pytest.mark.parametrize(
    ("runs", "is_one"),
    [
        ([("1", "a"), ("2", "a")], True),
        ([("1", "a"), ("2", "b")], False),
        ([("", "a")], False),
    ],
    ids=["same", "different", "nothing read"],
)
def test_programs_that_print_one_thing_are_passed_by_a_constant(runs, is_one) -> None:
    cases = [{"stdin": stdin, "stdout": stdout} for stdin, stdout in runs]
    tests = {"kind": "stdio", "cases": cases}
    assert expects_one_result(TypeAdapter(Tests).validate_python(tests)) is is_one


def test_what_a_test_file_demands_is_not_known() -> None:
    tests = {"kind": "code", "code": "def test_it():\n    assert 1 == 1\n"}
    assert expects_one_result(TypeAdapter(Tests).validate_python(tests)) is None
