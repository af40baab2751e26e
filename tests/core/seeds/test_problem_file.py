"""Problem files are read whole or refused with the place of the first fault."""

import json
from pathlib import Path
from typing import Any

import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.frames import frame_to_problems, problems_to_frame
from iterpref_assets.core.records import Split
from iterpref_assets.core.seeds.problem_file import read_problem_file

GOOD: dict[str, Any] = {
    "problem_id": "p/1",
    "source": "mine",
    "split": "train",
    "prompt": "Add one.",
    "entry_point": "f",
    "tests": {
        "kind": "function",
        "entry_point": "f",
        "cases": [{"arguments": "(1,)", "expected": "2"}],
    },
}


def write(path: Path, *lines: dict | str) -> Path:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts) + "\n")
    return path


def test_a_good_file_gives_its_problems(tmp_path: Path) -> None:
    problems = read_problem_file(write(tmp_path / "a.jsonl", GOOD), Split.TRAIN)
    assert [problem.problem_id for problem in problems] == ["p/1"]


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ({**GOOD, "colour": "red"}, "colour"),
        ({key: value for key, value in GOOD.items() if key != "prompt"}, "prompt"),
        ({**GOOD, "tests": {"kind": "magic"}}, "tests.kind"),
        (GOOD, "problem_id"),
        ({**GOOD, "problem_id": "p/2", "split": "heldout"}, "split"),
    ],
    ids=["unknown field", "missing field", "unknown tests", "repeated id", "other split"],
)
def test_the_first_fault_is_named_with_file_line_and_field(
    tmp_path: Path, line: dict, field: str
) -> None:
    path = write(tmp_path / "a.jsonl", GOOD, line)
    with pytest.raises(InputError) as caught:
        read_problem_file(path, Split.TRAIN)
    assert (caught.value.file, caught.value.line, caught.value.field) == (path, 2, field)


def test_a_line_that_is_not_json_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", GOOD, "{half")
    with pytest.raises(InputError, match=r"a\.jsonl:2"):
        read_problem_file(path, Split.TRAIN)


def test_problems_survive_their_table(tmp_path: Path) -> None:
    problems = read_problem_file(write(tmp_path / "a.jsonl", GOOD), Split.TRAIN)
    assert frame_to_problems(problems_to_frame(problems)) == problems


def test_a_byte_order_mark_and_unicode_line_ends_within_a_line_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    line = json.dumps({**GOOD, "prompt": "Add\u2028one."}, ensure_ascii=False)
    path.write_text(line + "\r\n", encoding="utf-8-sig", newline="")
    (problem,) = read_problem_file(path, Split.TRAIN)
    assert problem.prompt == "Add\u2028one."


def test_a_line_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", GOOD)
    path.write_bytes(path.read_bytes() + b"\xff\n")
    with pytest.raises(InputError, match=r"a\.jsonl:2: not UTF-8"):
        read_problem_file(path, Split.TRAIN)


def test_the_split_that_was_expected_is_told_by_its_value(tmp_path: Path) -> None:
    path = write(tmp_path / "heldout.jsonl", GOOD)
    with pytest.raises(InputError, match="field 'split': expected 'heldout'"):
        read_problem_file(path, Split.HELDOUT)


@pytest.mark.parametrize(
    ("case", "field", "told"),
    [
        ({"arguments": "x", "expected": "2"}, "tests.cases.1.arguments", "not a Python literal"),
        ({"arguments": "(1,)", "expected": "AA"}, "tests.cases.1.expected", "strings in quotes"),
        ({"arguments": "('a')", "expected": "2"}, "tests.cases.1.arguments", r"as \('a',\)"),
        ({"arguments": "[1]", "expected": "2"}, "tests.cases.1.arguments", r"as \(\[1\],\)"),
        ({"arguments": "7", "raises": "KeyError"}, "tests.cases.1.arguments", r"as \(7,\)"),
    ],
)
def test_a_case_that_cannot_be_called_is_named_where_the_file_is_read(
    tmp_path: Path, case: dict[str, str], field: str, told: str
) -> None:
    tests = {**GOOD["tests"], "cases": [*GOOD["tests"]["cases"], case]}
    path = write(tmp_path / "a.jsonl", {**GOOD, "tests": tests})
    with pytest.raises(InputError, match=told) as caught:
        read_problem_file(path, Split.TRAIN)
    assert (caught.value.file, caught.value.line, caught.value.field) == (path, 1, field)


def test_a_file_that_is_not_there_is_told_what_it_should_be(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such file\. Give a file of problems"):
        read_problem_file(tmp_path / "absent.jsonl", None)


def test_arguments_may_be_a_tuple_without_its_parentheses(tmp_path: Path) -> None:
    tests = {**GOOD["tests"], "cases": [{"arguments": "1, 2", "raises": "KeyError"}]}
    path = write(tmp_path / "a.jsonl", {**GOOD, "tests": tests})
    assert [each.problem_id for each in read_problem_file(path, Split.TRAIN)] == ["p/1"]
