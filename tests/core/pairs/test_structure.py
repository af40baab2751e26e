import pytest

from iterpref_assets.core.pairs.structure import Likeness, likeness

PROGRAM = "def f(a, b):\n    total = a + b\n    return total\n"


def test_comments_blank_space_and_parentheses_leave_trees_equal():
    other = "def f(a, b):  # adds\n\n    total = (a + b)\n    return total\n"
    assert likeness(PROGRAM, other) is Likeness.EQUAL


def test_a_docstring_is_formatting():
    other = 'def f(a, b):\n    """Add."""\n    total = a + b\n    return total\n'
    assert likeness(PROGRAM, other) is Likeness.FORMATTING


def test_a_consistent_renaming_of_locals_is_formatting():
    other = "def f(x, y):\n    s = x + y\n    return s\n"
    assert likeness(PROGRAM, other) is Likeness.FORMATTING


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(PROGRAM, PROGRAM.replace("+", "-"), id="another operator"),
        pytest.param(PROGRAM, PROGRAM.replace("def f", "def g"), id="another entry point"),
        pytest.param(
            PROGRAM,
            "def f(a, b):\n    total = a + a\n    return total\n",
            id="two names become one",
        ),
        pytest.param(
            "def f(a, b):\n    return a - b", "def f(a, b):\n    return b - a", id="names swapped"
        ),
        pytest.param("def f(a):\n    return min(a)", "def f(a):\n    return max(a)", id="builtins"),
        pytest.param("def f(a):\n    return a.x", "def f(a):\n    return a.y", id="attributes"),
        pytest.param(
            "def f(a):\n    return a\nf(a=1)", "def f(b):\n    return b\nf(a=1)", id="keyword"
        ),
        pytest.param("x = 1\nprint(x)", "y = 1\nprint(y)", id="module names"),
        pytest.param(
            "def f():\n    global n\n    n = 1", "def f():\n    global n\n    m = 1", id="globals"
        ),
        pytest.param(
            "def f():\n    class A:\n        x = 1\n    return A",
            "def f():\n    class A:\n        y = 1\n    return A",
            id="class attributes",
        ),
        pytest.param("def f(:", "def f(:", id="no program"),
        pytest.param("x = 1", "x = True", id="equal values of two types"),
    ],
)
def test_another_program_is_different(first, second):
    assert likeness(first, second) is Likeness.DIFFERENT
    assert likeness(second, first) is Likeness.DIFFERENT


def test_a_tree_too_deep_to_walk_counts_as_different():
    deep = "x = " + "-" * 3000 + "1"
    assert likeness(deep, deep + "0") is Likeness.DIFFERENT


def test_an_invalid_escape_gives_no_warning(recwarn):
    likeness("x = '\\d'", "x = '\\e'")
    assert not recwarn.list
