import pytest

from iterpref_assets.core.pairs.config import Difference, Filter, PairConfig
from iterpref_assets.core.pairs.difference import line_difference
from iterpref_assets.core.pairs.filters import defines, first_filter, is_program, only_comments

CONFIG = PairConfig(max_diff_lines=2)


def _dropped_by(chosen: str, rejected: str, entry_point: str | None = None) -> Filter | None:
    difference = line_difference(chosen, rejected, Difference.LCS)
    return first_filter(chosen, rejected, difference, CONFIG, entry_point)


def test_a_real_fix_is_kept():
    assert _dropped_by("def f(a):\n    return a + 1", "def f(a):\n    return a") is None


def test_equal_texts_have_equal_trees_even_where_they_do_not_parse():
    assert _dropped_by("def f(", "def f(") is Filter.EQUAL_AST


def test_a_pair_that_only_adds_lines_has_no_focus():
    assert _dropped_by("x = 1\ny = 2", "x = 1") is Filter.EMPTY_FOCUS


def test_a_difference_of_comments_alone_is_dropped():
    assert _dropped_by("x = 1\ny = 2", "x = 1\n# so far\n\n") is Filter.ONLY_COMMENTS


def test_as_many_lines_as_allowed_are_kept():
    assert _dropped_by("x = 1", "x = 2\ny = 3") is None


def test_one_line_more_than_allowed_is_dropped():
    assert _dropped_by("x = 1", "x = 2\ny = 3\nz = 4") is Filter.LONG_DIFFERENCE


def test_equal_trees_are_dropped():
    assert _dropped_by("x = 'a'", 'x = "a"') is Filter.EQUAL_AST


def test_a_renaming_is_dropped_as_formatting():
    assert _dropped_by("def f(a):\n    return a", "def f(b):\n    return b") is (
        Filter.FORMATTING_ONLY
    )


def test_a_hash_inside_a_string_is_no_comment():
    code = 's = """\n# heading\n"""'
    assert not only_comments(code, [1])


def test_a_comment_behind_code_does_not_make_its_line_a_comment():
    assert not only_comments("x = 1  # one", [0])


def test_comments_are_known_by_their_first_character_where_code_cannot_be_split():
    assert only_comments("x = (\n# open", [1])


FIX = "def f(a):\n    return a + 1"


@pytest.mark.parametrize(
    "answer",
    ["I cannot help with that.", "Sorry", "", "# I will not.", "'No.'", "From the start, no."],
)
def test_a_refusal_is_no_program(answer: str):
    assert _dropped_by(FIX, answer + "\n", "f") is Filter.NO_PROGRAM


@pytest.mark.parametrize(
    "code",
    [
        "def f(a):\n    return a +",
        "def f(a):",
        "class f:\n    def x(self: return 1",
        "import math\nf = math.",
    ],
)
def test_a_program_that_does_not_parse_is_a_program(code: str):
    assert is_program(code)
    assert defines(code, "f")


@pytest.mark.parametrize(
    "code",
    [
        "def g(a):\n    return a",
        "def g():\n    def f(a):\n        return a",
        "class G:\n    def f(self, a):\n        return a",
        "f(1)",
        "def g(a:",
    ],
)
def test_a_program_of_another_function_is_dropped(code: str):
    assert _dropped_by(FIX, code, "f") is Filter.NO_ENTRY_POINT


@pytest.mark.parametrize(
    "code",
    [
        "f = lambda a: a",
        "from math import sin as f",
        "from math import *",
        "if True:\n    def f(a):\n        return a",
        "async def f(a):\n    return a",
        "class f:\n    pass",
    ],
)
def test_a_function_may_be_bound_in_any_way(code: str):
    assert defines(code, "f")


def test_a_function_is_found_in_a_program_that_nests_too_deep_to_be_read():
    deep = f"x = {'+'.join(['1'] * 3000)}"
    assert defines(f"def f(x):\n    return x\n\n\n{deep}", "f")
    assert not defines(deep, "f")


def test_where_tests_ask_for_no_function_none_is_missing():
    assert _dropped_by("print(2)", "print(1)", "") is None
