"""Mutants differ from their program in one place, and are the same ones each time."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iterpref_assets.core.quality.mutation import mutants

CODE = '''def f(xs: list[int] | None, y=3) -> "int":
    """Doc."""
    total = 0
    for x in xs:
        if x % 2 == 0 and x > y:
            continue
        total += x
        print(x)
    return total
'''


def changes(code: str) -> set[str]:
    return {each.change for each in mutants(code, 1000)}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("a < b", {"line 1: a < b to a <= b"}),
        ("a in b", {"line 1: a in b to a not in b"}),
        ("a + b", {"line 1: a + b to a - b"}),
        ("a and b", {"line 1: a and b to a or b"}),
        ("x = True", {"line 1: True to False"}),
        ("x = 'a'", {"line 1: 'a' to 'ax'"}),
        ("f(a)", {"line 1: f(a) to pass"}),
        ("x += y", {"line 1: x += y to x -= y"}),
        ("def f():\n    return x", {"line 2: return x to return None"}),
        ("def f():\n    return None", set()),
        ("if a:\n    b", {"line 1: a to not a"}),
        ("for a in b:\n    break", {"line 2: break to pass"}),
        ("x: int | None = y", set()),
        ('"""Doc."""', set()),
        ("a < b < c", set()),
    ],
)
def test_each_kind_of_place_is_changed_in_its_way(code: str, expected: set[str]) -> None:
    assert changes(code) == expected


def test_every_mutant_parses_and_differs_from_the_program_and_from_the_others() -> None:
    found = mutants(CODE, 1000)
    texts = {ast.unparse(ast.parse(each.code)) for each in found}
    assert len(texts) == len(found) == 13
    assert ast.unparse(ast.parse(CODE)) not in texts


def test_annotations_and_docstrings_stay() -> None:
    for each in mutants(CODE, 1000):
        assert "list[int] | None" in each.code
        assert '"""Doc."""' in each.code
        assert "-> 'int'" in each.code


@given(st.integers(0, 20), st.integers())
def test_a_sample_has_the_size_that_is_asked_for_and_depends_on_its_seed(
    count: int, seed: int
) -> None:
    found = mutants(CODE, count, seed)
    assert len(found) == min(count, 13)
    assert found == mutants(CODE, count, seed)


def test_what_is_no_program_has_no_mutants() -> None:
    assert mutants("def f(:", 5) == []
