"""What of a program no test of one of its functions reaches."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iterpref_assets.core import unreachable
from iterpref_assets.core.records import Case, CodeTests, FunctionTests, StdioCase, StdioTests
from iterpref_assets.core.unreachable import names_asked_for, reachable_part, unreachable_lines

ADD = "def add(a, b):\n    return a + b"
REGISTRY = """
RULES = {}

def rule(function):
    RULES[function.__name__] = function
    return function

@rule
def plus(a, b):
    return a + b

def add(a, b):
    return RULES["plus"](a, b)
"""


def _kept(code: str, *asked: str) -> str:
    return reachable_part(dedent(code).strip("\n"), frozenset(asked or ("add",)))


@pytest.mark.parametrize(
    "behind",
    [
        "print(add(1, 2))",
        "# Example usage\nnumbers = [1, 2]\nresult = add(*numbers)\nprint(result)  # 3",
        "assert add(1, 2) == 3",
        "if __name__ == '__main__':\n    import sys\n    sys.exit(add(1, 2))",
        "if '__main__' == __name__:\n    main()",
        "for a in range(3):\n    print(a, add(a, a))",
        "try:\n    print(add(1, None))\nexcept TypeError as error:\n    print(error)",
        "def test_add():\n    assert add(1, 2) == 3\n\ntest_add()",
        "def main():\n    print(add(1, 2))\n\n\nif __name__ == '__main__':\n    main()",
        "class TestAdd(unittest.TestCase):\n    def test(self):\n        assert add(1, 2) == 3",
        "'''Add(1, 2) gives 3.'''",
        "add(1, 2)",
        "a, b = 1, 2\na += 1\nprint(add(a, b))",
        "items = [1]\nitems.append(2)\nprint(add(*items))",
    ],
)
def test_what_only_shows_the_function_is_unreachable(behind: str):
    assert _kept(f"{ADD}\n\n{behind}\n# the end") == ADD


@pytest.mark.parametrize(
    "code",
    [
        ADD,
        "import math\n\n\ndef add(a, b):\n    return math.fsum((a, b))",
        "import math\nadd = math.hypot",
        "ZERO = 0\n\ndef add(a, b):\n    return a + b + ZERO",
        "def plus(a, b):\n    return a + b\n\ndef add(a, b):\n    return plus(a, b)",
        "import functools\n\n@functools.cache\ndef add(a, b):\n    return a + b",
        "def logged(f):\n    return f\n\n@logged\ndef add(a, b):\n    return a + b",
        "import sys\nsys.setrecursionlimit(10_000)\n\ndef add(a, b):\n    return a + b",
        "try:\n    import numpy as np\nexcept ImportError:\n    np = None\n" + ADD,
        "TABLE = []\nfor i in range(9):\n    TABLE.append(i)\n\ndef add(a):\n    return TABLE[a]",
        "TABLE = []\ndef fill():\n    TABLE.extend([1])\nfill()\ndef add(a):\n    return TABLE[a]",
        "N = 0\ndef step():\n    global N\n    N += 1\nstep()\ndef add(a):\n    return a + N",
        REGISTRY,
        "def plus(a, b):\n    return a + b\n\ndef add(a, b):\n    return globals()['plus'](a, b)",
        "def add(a, b):\n    return a + b\n\nadd.zero = 0",
        "'''Adding.'''\n\n" + ADD,
        "n = int(input())\n" + ADD,
        "def add(a, b):",
        "I cannot help with that.",
        "class Base:\n    pass\n\nclass add(Base):\n    pass",
        "def add(a, b: 'Number'):\n    return a + b",
    ],
)
def test_what_the_function_depends_on_stays(code: str):
    assert _kept(code) == code.strip("\n")


def test_a_variable_that_only_bears_a_parameters_name_is_unreachable():
    code = "def add(a, b):\n    a += b\n    return a\n\na = 1\nprint(add(a, 2))"
    assert _kept(code) == "def add(a, b):\n    a += b\n    return a"


def test_a_table_that_functions_only_read_is_no_state_that_printing_could_change():
    code = "ONES = {'I': 1}\n\ndef add(a, b):\n    return ONES[a] + ONES.get(b, 0)"
    assert _kept(f"{code}\n\nprint(add('I', 'I'))") == code


def test_a_comment_goes_with_the_statement_behind_it():
    code = "import math\n# shown\nprint(math.pi)\n# adds\ndef add(a, b):\n    return a + b"
    assert _kept(code) == "import math\n# adds\ndef add(a, b):\n    return a + b"


def test_statements_on_one_line_stay_together():
    code = "def add(a, b): return a + b\nZERO = 0; print(ZERO)\ndef sub(a): return a - ZERO"
    assert _kept(code, "sub") == "ZERO = 0; print(ZERO)\ndef sub(a): return a - ZERO"


def test_lines_are_counted_from_zero_at_newlines():
    assert unreachable_lines(f"{ADD}\nprint(add(1, 2))\n", frozenset({"add"})) == [2, 3]


def test_a_program_without_what_is_asked_for_is_left_as_it_is():
    code = "def sub(a, b):\n    return a - b\n\nprint(sub(1, 2))"
    assert _kept(code) == code


def test_a_program_of_fifty_megabytes_is_not_even_read(monkeypatch):
    monkeypatch.setattr(unreachable, "parse", pytest.fail)
    code = "def add(a, b):\n    return a + b\n" + "print(1)\n" * (50_000_000 // 9)
    assert reachable_part(code, frozenset({"add"})) is code


@pytest.mark.parametrize("terms", [1500, 3000])
def test_a_program_that_nests_too_deep_to_be_followed_is_left_as_it_is(terms: int) -> None:
    code = f"{ADD}\n\nprint({'+'.join(['add(1, 2)'] * terms)})"
    assert _kept(code) == code


def test_a_test_file_that_nests_too_deep_asks_for_all_of_the_program() -> None:
    assert names_asked_for(CodeTests(code=f"x = {'+'.join(['add(1, 2)'] * 3000)}")) is None


def test_of_a_program_that_runs_whole_everything_is_reached():
    code = "if __name__ == '__main__':\n    print(input())"
    assert reachable_part(code, None) == code


@given(st.text(alphabet="abdef()=:+ \n#'\"print", max_size=60))
def test_what_is_left_still_parses_and_loses_nothing_more(code: str):
    left = reachable_part(code, frozenset({"a"}))
    try:
        ast.parse(code)
    except (SyntaxError, ValueError):
        assert left == code
    else:
        ast.parse(left)
        assert reachable_part(left, frozenset({"a"})) == left


def test_calls_ask_for_one_function():
    tests = FunctionTests(entry_point="f", cases=(Case(arguments="()", expected="1"),))
    assert names_asked_for(tests) == {"f"}


def test_programs_fed_on_stdin_are_asked_for_whole():
    assert names_asked_for(StdioTests(cases=(StdioCase(stdin="", stdout=""),))) is None


def test_a_test_file_asks_for_what_it_names_and_does_not_define():
    code = """
    from solution import *
    import solution
    numbers = [1]
    def check(candidate):
        result = candidate(numbers)
        assert result == ZERO + solution.other()
    check(add)
    """
    asked = names_asked_for(CodeTests(code=dedent(code)))
    assert asked is not None
    assert {"add", "ZERO", "other"} <= asked
    assert not {"numbers", "result", "check", "candidate"} & asked


def test_a_test_file_asks_for_what_it_patches_by_name():
    code = "from unittest.mock import patch\nwith patch('solution.read'):\n    assert add()\n"
    asked = names_asked_for(CodeTests(code=code))
    assert asked is not None
    assert "read" in asked


def test_a_test_file_that_runs_the_program_as_a_script_asks_for_all_of_it():
    code = "import runpy\nassert runpy.run_module('solution', run_name='__main__')\n"
    assert names_asked_for(CodeTests(code=code)) is None


def test_each_statement_of_a_program_that_repeats_itself_is_looked_into_once(monkeypatch) -> None:
    looked_into = []
    real = unreachable._declared_global
    monkeypatch.setattr(
        unreachable, "_declared_global", lambda unit: looked_into.append(unit) or real(unit)
    )
    program = "def f(x):\n    return x\n" + "a = f(1)\n" * 50
    assert unreachable.unreachable_lines(program, frozenset({"f"})) == list(range(2, 53))
    assert len(looked_into) == 51
