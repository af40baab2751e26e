"""Programs are compared by what they do with names and layout taken away."""

import pytest

from iterpref_assets.core.decontamination.programs import (
    called_function,
    first_function,
    normalised_digest,
    parameters_of,
)

CODE = """def total(values):
    result = 0
    for v in values:
        result += v
    return result"""
SAME = [
    CODE.replace("total", "add_up").replace("values", "xs").replace("result", "r"),
    CODE.replace("(values):", "(values: list[int]) -> int:"),
    CODE.replace("    result = 0", "    result: int = 0  # so far"),
    CODE.replace("    result = 0", '    """Add up."""\n    result = 0'),
    f"from typing import List\n\n\n{CODE}\n",
    CODE.replace("result += v", "result  +=  (v)"),
]
OTHER = [
    CODE.replace("+=", "-="),
    CODE.replace("= 0", "= 1"),
    CODE.replace("in values", "in sorted(values)"),
    CODE.replace("return result", "return values"),
]


@pytest.mark.parametrize("code", SAME)
def test_names_layout_annotations_docstrings_and_imports_do_not_count(code: str) -> None:
    assert normalised_digest(code) == normalised_digest(CODE)


@pytest.mark.parametrize("code", OTHER)
def test_anything_else_counts(code: str) -> None:
    assert normalised_digest(code) != normalised_digest(CODE)


def test_names_that_the_program_does_not_bind_are_kept() -> None:
    assert normalised_digest("def f(x): return min(x)") != normalised_digest(
        "def f(x): return max(x)"
    )


@pytest.mark.parametrize("code", ["def f(:", "import os", "", "(" * 5000])
def test_what_is_no_program_has_no_digest(code: str) -> None:
    assert normalised_digest(code) is None


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("def f(a, b: int = 1, *, c) -> str:", ("a", "b", "c")),
        ("class S:\n    def f(self, n: int) -> int: pass", ("n",)),
        ("def f(): pass", ()),
        ("def g(a): pass", None),
        ("f", None),
        ("def f(", None),
    ],
)
def test_parameters_are_read_from_code_or_from_a_first_line(code: str, expected) -> None:
    assert parameters_of(code, "f") == expected


def test_the_function_that_tests_call_is_found() -> None:
    code = "def helper(x): return x\ndef f(x): return helper(x)"
    assert called_function(code, ["assert set(f(helper(1))) == {1}"]) == "f"
    assert called_function(code, ["assert g(1)", "assert ("]) == ""


def test_the_first_function_is_found() -> None:
    assert first_function("class Solution:\n    def go(self): pass\n    def on(self): pass") == "go"
    assert first_function("x = 1") == ""
