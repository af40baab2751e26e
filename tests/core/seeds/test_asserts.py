"""Assert statements become typed tests, or are refused; nothing of them is executed."""

import ast

import pytest

from iterpref_assets.core.records import Case
from iterpref_assets.core.seeds.asserts import NotALiteralError, read_asserts


@pytest.mark.parametrize(
    "statement",
    [
        "assert f(1, (2, 'x')) == [3]",
        "assert (f(1, (2, 'x'))) == [3]",
        "assert [3] == f(1, (2, 'x'))",
        "  assert f( 1,(2,'x') )==[ 3 ], 'message'  ",
    ],
)
def test_every_way_to_write_the_same_call_is_the_same_case(statement: str) -> None:
    tests = read_asserts([statement])
    assert tests.entry_point == "f"
    assert tests.cases == (Case(arguments="(1, (2, 'x'))", expected="[3]"),)


def test_a_set_keeps_the_order_in_which_it_is_written() -> None:
    letters = [chr(number) for number in range(ord("z"), ord("a"), -1)]
    written = "{" + ", ".join(map(repr, letters)) + "}"
    (case,) = read_asserts([f"assert f({written}) == {written}"]).cases
    assert case == Case(arguments=f"({written},)", expected=written)


@pytest.mark.parametrize("written", ["1e999", "[-1e999, 0.5]", "...", "1 - 2j", "set()"])
def test_a_value_is_the_same_when_it_is_read_again(written: str) -> None:
    (case,) = read_asserts([f"assert f({written}) == {written}"]).cases
    value = ast.literal_eval(written)
    assert ast.literal_eval(case.expected) == value
    assert ast.literal_eval(case.arguments) == (value,)


@pytest.mark.parametrize(
    "statement",
    [
        "assert f(1)",
        "assert not f(1)",
        "assert f(g(1)) == 2",
        "assert f(x=1) == 2",
        "assert f(1) < 2",
        "assert 1 == 1",
        "assert m.f(1) == 2",
        "assert set(f(1)) == {1}; import os",
        "print(f(1))",
        "assert f(1 == 2",
        "assert f(" + "(" * 500 + ") == 1",
        f"assert f(0x1{'0' * 5000}) == 1",
    ],
)
def test_anything_but_a_call_with_plain_values_is_refused(statement: str) -> None:
    with pytest.raises(NotALiteralError):
        read_asserts([statement])


def test_reading_an_assertion_runs_none_of_it(tmp_path) -> None:
    target = tmp_path / "touched"
    with pytest.raises(NotALiteralError):
        read_asserts([f"assert f(open({str(target)!r}, 'w')) == 1"])
    assert not target.exists()


def test_calls_of_two_functions_are_refused() -> None:
    with pytest.raises(NotALiteralError, match="several functions"):
        read_asserts(["assert f(1) == 1", "assert g(1) == 1"])


def test_no_assertion_at_all_is_refused() -> None:
    with pytest.raises(NotALiteralError):
        read_asserts([])
