"""Blocks without file names: a solution and its tests are told apart by what they do."""

import pytest

from iterpref_assets.core.seeds.nameless import files_of
from iterpref_assets.core.seeds.program_response import Fault, MalformedError, read_program

CODE = "def add(x, y):\n    return x + y"
TESTS = "from sums import add\n\nassert add(3, 5) == 8"


def block(code: str) -> str:
    return f"```python\n{code}\n```\n"


@pytest.mark.parametrize("blocks", [(CODE, TESTS), (TESTS, CODE)])
def test_of_two_blocks_the_one_that_imports_the_function_is_the_test(blocks: tuple[str, str]):
    assert files_of(blocks, "add") == {"sums.py": CODE, "test_sums.py": TESTS}


def test_tests_that_lack_the_import_alone_get_it():
    files = files_of((CODE, "assert add(3, 5) == 8"), "add")
    assert files["test_solution.py"] == "from solution import add\n\nassert add(3, 5) == 8"


def test_the_import_that_is_missing_comes_after_those_of_the_future():
    files = files_of((CODE, "from __future__ import annotations\nassert add(3, 5) == 8"), "add")
    lines = files["test_solution.py"].split("\n")
    assert lines[:2] == ["from __future__ import annotations", "from solution import add"]


@pytest.mark.parametrize(
    "tests",
    ["import sums\nassert sums.add(3, 5) == 8", "from sums import *\nassert add(3, 5) == 8"],
)
def test_a_module_is_known_by_each_form_of_its_import(tests: str):
    assert files_of((CODE, tests), "add") == {"sums.py": CODE, "test_sums.py": tests}


def test_a_method_of_the_functions_name_is_no_import():
    tests = "seen = set()\nseen.add(1)\nassert add(3, 5) == 8"
    assert files_of((CODE, tests), "add")["test_solution.py"].startswith(
        "from solution import add\n"
    )


def test_tests_of_one_block_may_use_a_constant_of_the_solution():
    whole = "MOD = 7\ndef add(x, y):\n    return (x + y) % MOD\nassert add(3, 5) == 8 % MOD"
    assert files_of((whole,), "add")["test_solution.py"].startswith(
        "from solution import MOD, add\n"
    )


def test_two_blocks_that_both_define_the_function_are_left_open():
    assert files_of((CODE, f"{CODE}\nassert add(1, 2) == 3"), "add") == {}


def test_three_blocks_are_left_open():
    assert files_of((CODE, TESTS, TESTS), "add") == {}


def test_the_tests_of_one_block_are_what_the_function_does_not_reach():
    whole = (
        "import math\n\nOFFSET = 1\n\ndef half(x):\n    return math.floor(x / 2)\n\n"
        "def add(x, y):\n    return half(x) + y + OFFSET\n\n"
        "# Tests\ndef test_add():\n    assert add(2, 1) == 3\n\ntest_add()"
    )
    files = files_of((whole,), "add")
    assert files["solution.py"] == whole.partition("\n\n# Tests")[0]
    assert files["test_solution.py"].split("\n") == [
        "import math", "from solution import OFFSET, add, half", "",
        "# Tests", "def test_add():", "    assert add(2, 1) == 3", "", "test_add()",
    ]  # fmt: skip


def test_a_block_without_the_function_is_left_open():
    assert files_of(("from solution import add\nassert add(1, 2) == 3",), "add") == {}


def test_a_response_of_one_block_is_read():
    program = read_program(f"Here:\n{block(f'{CODE}{chr(10) * 2}assert add(3, 5) == 8')}", "add")
    assert (program.module, program.code, program.packages) == ("solution", CODE, ())
    assert program.tests == "from solution import add\n\nassert add(3, 5) == 8"


def test_a_block_of_which_no_line_tests_is_refused_by_name():
    with pytest.raises(MalformedError) as caught:
        read_program(block(CODE), "add")
    assert caught.value.fault is Fault.NO_ASSERTIONS


def test_a_nameless_block_beside_a_named_file_is_refused():
    with pytest.raises(MalformedError) as caught:
        read_program(f"<file>add.py</file>\n{block(CODE)}{block(TESTS)}", "add")
    assert caught.value.fault is Fault.CODE_WITHOUT_FILE


def test_files_without_a_trailer_need_no_packages():
    named = f"<file>sums.py</file>\n{block(CODE)}<file>test_sums.py</file>\n{block(TESTS)}"
    assert read_program(named, "add").packages == ()


def test_a_trailer_need_not_fit_names_that_were_not_given():
    trailer = '<json>{"file_names": ["add.py", "test_add.py"], "packages": ["numpy"]}</json>'
    program = read_program(f"{block(CODE)}{block('assert add(3, 5) == 8')}{trailer}", "add")
    assert program.packages == ("numpy",)


def test_a_block_of_json_that_names_no_files_is_no_trailer():
    example = '```json\n{"a": 1}\n```\n'
    named = f"<file>sums.py</file>\n{block(CODE)}<file>test_sums.py</file>\n{block(TESTS)}"
    assert read_program(f"{example}{named}{example}", "add").packages == ()
