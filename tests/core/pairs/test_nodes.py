"""The smallest syntax-tree nodes in which two programs differ."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iterpref_assets.core.pairs.nodes import node_difference


def texts(chosen: str, rejected: str) -> tuple[list[str], list[str]]:
    """What is marked of each program."""
    found = node_difference(chosen, rejected)
    assert found is not None
    return (
        [chosen[start:end] for start, end in found.chosen],
        [rejected[start:end] for start, end in found.rejected],
    )


@pytest.mark.parametrize(
    ("chosen", "rejected", "marked"),
    [
        ("y = x + 1", "y = x + 2", (["1"], ["2"])),
        ("y = x + 1", "y = x * 1", (["x + 1"], ["x * 1"])),
        ("if a % 2 == 0:\n    b()", "if a % 2 != 0:\n    b()", (["a % 2 == 0"], ["a % 2 != 0"])),
        ("for i in range(3):\n    f(i)", "for i in range(2, 3):\n    f(i)", ([], ["2"])),
        ("def f(x=1):\n    g(x)", "def f(x):\n    g(x)", (["1"], [])),
        ("a()\nb()\nc()", "a()\nc()", (["b()"], [])),
        ("a(1)\nb(2)\nc(3)", "a(1)\nb(4)\nc(5)", (["2", "3"], ["4", "5"])),
        ("y = x", "return_value(x)", (["y = x"], ["return_value(x)"])),
        ("x = f'{a}b'", "x = f'{a}c'", (["f'{a}b'"], ["f'{a}c'"])),
        ("é = 'é' + f(a)", "é = 'é' + f(b)", (["a"], ["b"])),
        ("g(k=1)", "g(k=2)", (["1"], ["2"])),
        ("g(k=1)", "g(j=1)", (["k=1"], ["j=1"])),
    ],
)
def test_only_what_differs_is_marked(chosen, rejected, marked):
    assert texts(chosen, rejected) == marked


def test_layout_and_comments_are_no_difference():
    assert texts("x = 1  # one\n\ny = (2)", "x = 1\ny = 2") == ([], [])


@pytest.mark.parametrize(("chosen", "rejected"), [("x = 1", "x = ("), ("def", "x = 1")])
def test_what_is_no_python_has_no_nodes(chosen, rejected):
    assert node_difference(chosen, rejected) is None


@pytest.mark.parametrize(
    ("chosen", "rejected"),
    [
        ("x = 1\ry = 2", "x = 1\ry = 3"),
        ("x = 1\ny = 2", "x = 1\ry = 3"),
        ("x = 1\r\r\ny = 2", "x = 1\ny = 3"),
        ("x = 1\ny = 3", "x = '''\r''' + 1"),
    ],
)
def test_programs_with_lines_that_are_none_of_ours_have_no_nodes(chosen, rejected):
    # A lone carriage return ends a line for Python, but not for our lines.
    assert node_difference(chosen, rejected) is None


def test_lines_may_end_as_on_windows():
    assert texts("x = 1\r\ny = 'é' + f(2)", "x = 1\r\ny = 'é' + f(3)") == (["2"], ["3"])


ENDS = st.sampled_from(["\r", "\n", "\r\n", "\f\n", "  # \v\x1c\u2028\n", "; "])


@given(st.lists(st.tuples(st.sampled_from(["a = 1", "b('é', 2)"]), ENDS), min_size=1, max_size=4))
def test_nodes_are_found_whatever_ends_a_line(statements):
    program = "".join(statement + end for statement, end in statements) + "c(3)"
    found = node_difference(program, program.replace("c(3)", "c(4)"))
    if "\r" in program.replace("\r\n", ""):
        assert found is None
    else:
        assert found is not None
        assert [program[slice(*span)] for span in found.chosen] == ["3"]


STATEMENTS = st.sampled_from(
    ["a = 1", "a = 2", "b(a)", "b(a, 1)", "if a:\n    b()", "if a:\n    c()", "return_(a + b)"]
)
PROGRAMS = st.lists(STATEMENTS, max_size=5).map("\n".join)


@given(PROGRAMS, PROGRAMS)
def test_programs_have_no_difference_where_their_trees_are_equal_and_only_there(first, second):
    found = node_difference(first, second)
    equal = ast.dump(ast.parse(first)) == ast.dump(ast.parse(second))
    assert found is not None
    assert (not found.chosen and not found.rejected) == equal


@given(PROGRAMS, PROGRAMS)
def test_the_difference_of_the_two_sides_does_not_depend_on_their_order(first, second):
    one, other = node_difference(first, second), node_difference(second, first)
    assert one is not None
    assert other is not None
    assert bool(one.chosen) == bool(other.rejected)


@given(PROGRAMS, PROGRAMS)
def test_spans_are_sorted_and_apart(first, second):
    found = node_difference(first, second)
    assert found is not None
    for spans, program in ((found.chosen, first), (found.rejected, second)):
        places = [place for span in spans for place in span]
        assert places == sorted(set(places))
        assert all(0 <= place <= len(program) for place in places)
