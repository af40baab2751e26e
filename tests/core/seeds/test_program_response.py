"""A program with its tests, and a task, are each read in one form; every other form has a name."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared_cases import cases

from iterpref_assets.core.seeds.nameless import imported_packages
from iterpref_assets.core.seeds.program_response import (
    Fault,
    MalformedError,
    read_program,
    read_task,
)
from iterpref_assets.core.seeds.synthesis import refused_packages

CODE = "def add(x, y):\n    # Nothing special.\n    return x + y"
TESTS = "from add import add\n\nassert add(3, 5) == 8"


def file(name: str, code: str) -> str:
    return f"<file>{name}</file>\n```python\n{code}\n```\n"


def trailer(*names: str, packages: tuple[str, ...] = ()) -> str:
    files = names or ("add.py", "test_add.py")
    return f"<json>{json.dumps({'file_names': files, 'packages': packages})}</json>"


SOLUTION, TEST_FILE = file("add.py", CODE), file("test_add.py", TESTS)
OF_ITS_OWN = "def add(x, y): return x + y\nassert add(1, 1) == 2"
GOOD = f"{SOLUTION}{TEST_FILE}{trailer()}"


def test_a_response_in_the_papers_form_is_read() -> None:
    program = read_program(GOOD, "add")
    assert (program.module, program.code, program.tests) == ("add", CODE, TESTS)
    assert program.packages == ()


# What some call an end of a line is a character like any other, inside a comment as in a string.
CHARACTERS = st.characters(exclude_categories=["C"]) | st.sampled_from("\u2028\u2029\x85\x0b\x1c")
LINES = st.lists(st.text(CHARACTERS, max_size=40))


@given(LINES, LINES)
def test_what_is_written_in_the_papers_form_is_read_back_to_the_letter(
    comments: list[str], prose: list[str]
) -> None:
    code = "\n".join([CODE, *(f"# {line}" for line in comments)])
    words = "\n".join(re.sub(r"[`<>]", "", line) for line in prose)
    program = read_program(f"{words}\n{file('add.py', code)}{TEST_FILE}{words}\n{trailer()}", "add")
    assert (program.code, program.tests) == (code, TESTS)


def test_carriage_returns_at_the_ends_of_lines_are_no_part_of_the_code() -> None:
    assert read_program(GOOD.replace("\n", "\r\n"), "add") == read_program(GOOD, "add")


def test_prose_around_files_and_other_blocks_are_passed_over() -> None:
    prose = (
        f"Sure! Here is `add`:\n\n{SOLUTION}\nAnd:\n\n{TEST_FILE}\n```bash\npip\n```\n{trailer()}"
    )
    assert read_program(prose, "add") == read_program(GOOD, "add")


def test_a_block_behind_both_files_shows_their_use() -> None:
    usage = "For example:\n```python\nprint(add(1, 2))\n```\n"
    assert read_program(f"{SOLUTION}{TEST_FILE}{usage}", "add").code == CODE


@pytest.mark.parametrize("name", ["`add.py`", "./add.py", "`./add.py`"])
def test_a_name_may_be_quoted_or_begin_at_the_folder(name: str) -> None:
    response = f"{file(name, CODE)}{TEST_FILE}{trailer(name, 'test_add.py')}"
    assert read_program(response, "add").module == "add"


@pytest.mark.parametrize("name", ["test.py", "tests.py", "add_test.py", "test_all.py"])
def test_the_test_file_is_known_by_its_name(name: str) -> None:
    response = f"{SOLUTION}{file(name, TESTS)}{trailer('add.py', name)}"
    assert read_program(response, "add").tests == TESTS


@pytest.mark.parametrize("names", [("test_add.py", "add.py"), ("add.py", "test_add.py")])
def test_the_order_of_the_files_does_not_matter(names: tuple[str, str]) -> None:
    assert read_program(f"{TEST_FILE}{SOLUTION}{trailer(*names)}", "add").code == CODE


def test_what_imports_the_other_file_is_the_test_whatever_their_names() -> None:
    tests = file("b.py", "from test_kit import add\nassert add(1, 2) == 3")
    response = f"{file('test_kit.py', CODE)}{tests}{trailer('test_kit.py', 'b.py')}"
    program = read_program(response, "add")
    assert (program.module, program.code) == ("test_kit", CODE)


def test_files_may_lie_in_folders_and_are_imported_by_their_own_names() -> None:
    response = f"{file('src/add.py', CODE)}{file('tests/unit/test_add.py', TESTS)}"
    names = ("src/add.py", "tests/unit/test_add.py")
    assert read_program(f"{response}{trailer(*names)}", "add").module == "add"


@pytest.mark.parametrize(
    "name", ["../add.py", "/add.py", "a/../../add.py", "a//add.py", "add.txt", "a b.py", "C:\\a.py"]
)
def test_a_path_that_leaves_the_folder_or_is_no_module_is_refused(name: str) -> None:
    with pytest.raises(MalformedError) as caught:
        read_program(f"{file(name, CODE)}{TEST_FILE}{trailer(name, 'test_add.py')}", "add")
    assert caught.value.fault is Fault.BAD_FILE_NAME


@pytest.mark.parametrize(
    "fence", ["```Python", "```py", "```python3", "``` python ", "```", "````python"]
)
def test_a_block_may_be_opened_in_the_ordinary_ways(fence: str) -> None:
    marks = fence[: len(fence) - len(fence.lstrip("`"))]
    solution = f"<file>add.py</file>\n{fence}\n{CODE}\n{marks}\n"
    assert read_program(f"{solution}{TEST_FILE}{trailer()}", "add").code == CODE


def test_a_block_inside_a_list_loses_the_indentation_of_its_fence() -> None:
    block = "\n".join(f"   {line}" for line in ["```python", *CODE.split("\n"), "```"])
    response = f"1. <file>add.py</file>\n{block}\n{TEST_FILE}{trailer()}"
    assert read_program(response, "add").code == CODE


@pytest.mark.parametrize(
    "end",
    [
        f"```json\n{trailer()}\n```",
        f"```json\n{trailer().removeprefix('<json>').removesuffix('</json>')}\n```",
        trailer().replace("<json>", "<json>\n```json\n").replace("</json>", "\n```\n</json>"),
    ],
)
def test_the_trailer_may_stand_in_a_fence(end: str) -> None:
    assert read_program(f"{SOLUTION}{TEST_FILE}{end}", "add") == read_program(GOOD, "add")


@pytest.mark.parametrize("case", cases("synthesis_answers.jsonl"))
def test_a_recorded_answer_is_read_or_refused(case: dict[str, Any]) -> None:
    if case["right"] == "refused":
        with pytest.raises(MalformedError):
            read_program(case["answer"], "add")
    else:
        program = read_program(case["answer"], "add")
        assert (program.module, program.code) == (
            "add",
            CODE.replace("    # Nothing special.\n", ""),
        )
        assert program.tests == TESTS


def test_packages_are_those_of_the_trailer() -> None:
    response = f"{SOLUTION}{TEST_FILE}{trailer(packages=('numpy', 'Scikit_Learn'))}"
    assert read_program(response, "add").packages == ("numpy", "Scikit_Learn")


MALFORMED = {
    Fault.EMPTY: "  \n",
    Fault.NO_FILES: f"I cannot help.\n{trailer()}",
    Fault.FILE_WITHOUT_CODE: f"<file>add.py</file>\n{TEST_FILE}{trailer()}",
    Fault.CODE_WITHOUT_FILE: f"```python\nx = 1\n```\n{GOOD}",
    Fault.UNCLOSED_CODE: f"{SOLUTION}<file>test_add.py</file>\n```python\n{TESTS}\n",
    Fault.BAD_FILE_NAME: f"{file('../add.py', CODE)}{TEST_FILE}{trailer()}",
    Fault.REPEATED_FILE: f"{SOLUTION}{SOLUTION}{TEST_FILE}{trailer()}",
    Fault.REPEATED_TRAILER: f"{GOOD}{trailer()}",
    Fault.TRAILER_NOT_JSON: f"{SOLUTION}{TEST_FILE}<json>{{'file_names': []}}</json>",
    Fault.TRAILER_FIELDS: f'{SOLUTION}{TEST_FILE}<json>{{"file_names": ["add.py"]}}</json>',
    Fault.OTHER_FILE_NAMES: f"{SOLUTION}{TEST_FILE}{trailer('add.py')}",
    Fault.NO_TEST_FILE: f"{SOLUTION}{file('b.py', 'assert 1')}{trailer('add.py', 'b.py')}",
    Fault.SEVERAL_TEST_FILES: (
        f"{GOOD.removesuffix(trailer())}{file('test_b.py', TESTS)}"
        f"{trailer('add.py', 'test_add.py', 'test_b.py')}"
    ),
    Fault.NO_SOLUTION_FILE: f"{TEST_FILE}{trailer('test_add.py')}",
    Fault.SEVERAL_SOLUTION_FILES: (
        f"{GOOD.removesuffix(trailer())}{file('b.py', CODE)}"
        f"{trailer('add.py', 'test_add.py', 'b.py')}"
    ),
    Fault.NO_PYTHON: f"{file('add.py', 'def add(:')}{TEST_FILE}{trailer()}",
    Fault.NO_FUNCTION: f"{file('add.py', 'def plus(x, y): return x')}{TEST_FILE}{trailer()}",
    Fault.NO_ASSERTIONS: f"{SOLUTION}{file('test_add.py', 'from add import add')}{trailer()}",
    Fault.NOT_IMPORTED: f"{SOLUTION}{file('test_add.py', OF_ITS_OWN)}{trailer()}",
}
OF_TASKS = {
    Fault.UNANSWERED,
    Fault.TRUNCATED,
    Fault.MISSING_SECTION,
    Fault.REPEATED_SECTION,
    Fault.BAD_SIGNATURE,
}


@pytest.mark.parametrize(("fault", "response"), MALFORMED.items())
def test_each_way_of_being_malformed_has_its_name(fault: Fault, response: str) -> None:
    with pytest.raises(MalformedError) as caught:
        read_program(response, "add")
    assert caught.value.fault is fault


@pytest.mark.parametrize(
    "fields",
    [
        '{"file_names": "add.py", "packages": []}',
        '["add.py"]',
        '{"file_names": [1], "packages": []}',
        '{"file_names": ["add.py", "test_add.py"], "packages": [], "notes": ""}',
    ],
)
def test_a_trailer_with_other_fields_is_malformed(fields: str) -> None:
    with pytest.raises(MalformedError) as caught:
        read_program(f"{SOLUTION}{TEST_FILE}<json>{fields}</json>", "add")
    assert caught.value.fault is Fault.TRAILER_FIELDS


def test_every_fault_has_its_example() -> None:
    assert set(MALFORMED) | OF_TASKS == set(Fault)


def test_imports_are_read_from_anywhere_in_the_program() -> None:
    code = "import os.path as p, numpy\ndef f():\n    from a.b import c\n    from . import d"
    assert imported_packages(code) == {"os", "numpy", "a"}


@pytest.mark.parametrize(
    ("declared", "imported", "allowed", "refused"),
    [
        ([], ["os", "typing"], [], []),
        (["unittest"], [], [], []),
        (["numpy"], ["numpy"], [], ["numpy"]),
        (["numpy"], ["numpy"], ["NumPy"], []),
        ([], ["numpy"], ["numpy"], []),
        (["pyyaml"], ["yaml"], ["PyYAML"], []),
        (["pyyaml"], ["yaml"], ["numpy"], ["pyyaml", "yaml"]),
        ([], ["no_such_module"], ["numpy"], ["no_such_module"]),
    ],
)
def test_only_the_standard_library_and_allowed_packages_may_be_used(
    declared: list[str], imported: list[str], allowed: list[str], refused: list[str]
) -> None:
    assert refused_packages(declared, imported, allowed) == refused


PARTS = {
    "task": "Add two numbers.", "signature": "def add(x: int, y: int) -> int:",
    "examples": "add(1, 2) == 3", "tags": "sums, numbers,",
}  # fmt: skip


def task_response(**changes: str) -> str:
    return "\n".join(f"<{name}>\n{text}\n</{name}>" for name, text in {**PARTS, **changes}.items())


def test_a_task_in_the_form_that_is_asked_for_is_read() -> None:
    task = read_task(task_response())
    assert (task.statement, task.entry_point) == ("Add two numbers.", "add")
    assert task.signature == "def add(x: int, y: int) -> int:"
    assert (task.examples, task.tags) == ("add(1, 2) == 3", ("sums", "numbers"))


@pytest.mark.parametrize(
    "signature",
    [
        "def add(x: int, y: int) -> int",
        "def add(x: int, y: int) -> int: ...",
        "def add(x: int, y: int) -> int:\n    pass",
        'def add(x: int, y: int) -> int:\n    """Add."""',
        "```python\ndef add(x: int, y: int) -> int:\n```",
        "`def add(x: int, y: int) -> int:`",
    ],
)
def test_a_signature_is_the_line_alone_however_it_is_written(signature: str) -> None:
    task = read_task(task_response(signature=signature))
    assert (task.signature, task.entry_point) == (PARTS["signature"], "add")


def test_a_signature_keeps_the_imports_that_it_needs() -> None:
    signature = "from typing import List\n\ndef add(x: List[int]) -> int:"
    task = read_task(task_response(signature=signature))
    assert (task.signature, task.entry_point) == (signature, "add")


def test_sections_that_were_only_thought_of_do_not_count() -> None:
    thought = "<think>\nFirst <task>something</task>, perhaps.\n</think>\n"
    assert read_task(thought + task_response()) == read_task(task_response())


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", Fault.EMPTY),
        (task_response(examples=" "), Fault.MISSING_SECTION),
        (task_response().replace("</tags>", ""), Fault.MISSING_SECTION),
        (task_response() + "<task>Another.</task>", Fault.REPEATED_SECTION),
        (task_response(signature="add(x, y)"), Fault.BAD_SIGNATURE),
        (task_response(signature="def add(x, y): return x + y"), Fault.BAD_SIGNATURE),
        (task_response(signature="x = 1\ndef add(x, y):"), Fault.BAD_SIGNATURE),
        (task_response(signature="class Add:"), Fault.BAD_SIGNATURE),
        (task_response(signature="def add(x):\n    return 1\ndef b(): "), Fault.BAD_SIGNATURE),
    ],
)
def test_each_way_in_which_a_task_is_malformed_has_its_name(text: str, fault: Fault) -> None:
    with pytest.raises(MalformedError) as caught:
        read_task(text)
    assert caught.value.fault is fault
