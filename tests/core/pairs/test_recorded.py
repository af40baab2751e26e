"""Trajectories in this project's own form, and records that cannot be used."""

import json
from pathlib import Path
from typing import Any

import pytest
from shared_cases import SHARED_CASES

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.pairs.config import PairConfig
from iterpref_assets.core.pairs.formats import read_target_dpo
from iterpref_assets.core.pairs.recorded import Recorded, execute, read_trajectories
from iterpref_assets.core.records import CodeTests, FunctionTests
from iterpref_assets.core.sandbox.verdicts import Execution, Verdict

ADD = {
    "kind": "function",
    "entry_point": "add",
    "cases": [{"arguments": "(1, 2)", "expected": "3"}],
}
LINE: dict[str, Any] = {
    "problem_id": "mine/1",
    "source": "our-homework",
    "prompt": "Add two numbers.",
    "tests": ADD,
    "versions": ["def add(a, b):\n    return a - b", "def add(a, b):\n    return a + b"],
}
BAD_RECORDS = SHARED_CASES / "bad_records"


def _write(folder: Path, *lines: dict[str, Any], name: str = "mine.jsonl") -> Path:
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


def _read(name: str) -> Recorded:
    file = BAD_RECORDS / name
    if not file.is_file():
        pytest.skip(f"needs ../shared/cases/bad_records/{name}, which is not here")
    return read_trajectories([file])


def test_a_line_becomes_a_problem_of_its_own_source(tmp_path):
    (problem,) = read_trajectories([_write(tmp_path, LINE)]).problems
    assert (problem.problem_id, problem.source) == ("mine/1", "our-homework")
    assert problem.prompt == "Add two numbers."
    assert problem.entry_point == "add"
    assert isinstance(problem.tests, FunctionTests)


def test_versions_are_numbered_by_round_and_named_by_task_and_file(tmp_path):
    versions = read_trajectories([_write(tmp_path, LINE)]).versions
    assert versions.drop("code").rows() == [
        ("mine/1#mine", "mine/1", 0, 0),
        ("mine/1#mine", "mine/1", 0, 1),
    ]
    assert versions["code"].to_list() == LINE["versions"]


def test_a_task_may_have_several_trajectories_in_a_file(tmp_path):
    other = LINE | {"versions": ["def add(a, b):\n    return 3"]}
    versions = read_trajectories([_write(tmp_path, LINE, other)]).versions
    assert versions.select("trajectory_id", "sample").unique(maintain_order=True).rows() == [
        ("mine/1#mine", 0),
        ("mine/1#mine.1", 1),
    ]


def test_what_tests_do_not_reach_does_not_count(tmp_path):
    code = LINE["versions"][1]
    line = LINE | {"versions": [f"{code}\n\nprint(add(1, 2))"]}
    recorded = read_trajectories([_write(tmp_path, line)])
    versions = execute(recorded, lambda _code, _tests: Execution(Verdict.PASSED))
    assert versions["code"].to_list() == [code]


def test_only_what_is_recorded_of_the_last_version_is_a_claim(tmp_path):
    solved = LINE | {"problem_id": "mine/2", "solved": True}
    assert read_trajectories([_write(tmp_path, LINE, solved)]).claims.rows() == [
        ("mine/2#mine", True)
    ]


def test_no_trajectory_is_named_as_one_of_another_file_is(tmp_path):
    files = [_write(tmp_path, LINE, LINE, name="a.jsonl"), _write(tmp_path, LINE, name="a.1.jsonl")]
    for order in (files, files[::-1]):
        versions = read_trajectories(order).versions
        assert versions["trajectory_id"].unique_counts().to_list() == [2, 2, 2]


PARTS = {"prompt": "Subtract.", "source": "theirs", "entry_point": "f", "signature": "def f():"}


@pytest.mark.parametrize("part", ["tests", *PARTS])
def test_two_files_that_give_one_task_different_ones_are_refused(tmp_path, part):
    other = {**ADD, "cases": [{"arguments": "(1, 2)", "expected": "4"}]}
    changed = {"tests": other, **PARTS}[part]
    files = [
        _write(tmp_path, LINE),
        _write(tmp_path, LINE | {part: changed}, name="theirs.jsonl"),
    ]
    told = rf"theirs\.jsonl:1: field '{part}': task 'mine/1' has other {part} than in mine\.jsonl:1"
    with pytest.raises(InputError, match=told):
        read_trajectories(files)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"problem_id": 1}, r"mine\.jsonl:1: field 'problem_id'"),
        ({"versions": []}, r"mine\.jsonl:1: field 'versions'"),
        ({"source": ""}, r"mine\.jsonl:1: field 'source'"),
        ({"extra": 1}, r"mine\.jsonl:1: field 'extra'"),
        ({"tests": {"kind": "poem"}}, r"mine\.jsonl:1: field 'tests'"),
    ],
)
def test_a_line_of_another_form_is_named_with_its_field(tmp_path, change, told):
    with pytest.raises(InputError, match=told):
        read_trajectories([_write(tmp_path, LINE | change)])


@pytest.mark.parametrize(
    "change",
    [
        {"versions": [None]},
        {"tests": {**ADD, "cases": []}},
        {"tests": {"kind": "poem"}},
        {"extra": 1},
    ],
)
def test_a_line_of_another_form_is_named_with_its_task(tmp_path, change):
    with pytest.raises(InputError, match=r"mine\.jsonl:1: .*task 'mine/1': "):
        read_trajectories([_write(tmp_path, LINE | change)])


@pytest.mark.parametrize("line", ["{}", "[1]", '"text"', "{", "nothing"])
def test_a_line_that_is_no_trajectory_is_named(tmp_path, line):
    file = _write(tmp_path, LINE)
    file.write_text(f"{file.read_text()}\n{line}\n")
    with pytest.raises(InputError, match=r"mine\.jsonl:3: .*docs/PAIRS\.md"):
        read_trajectories([file])


TEST_FILE = "from solution import add\nassert add(1, 2) == 3\n"
UNUSABLE = {
    "a name": ({"problem_id": "mine 1"}, "Name it in letters"),
    "no check": ({"tests": {"kind": "code", "code": "add(1, 2)\n"}}, "asserts nothing"),
    "a test that nothing runs": (
        {
            "tests": {
                "kind": "code",
                "code": f"{TEST_FILE}async def test_a():\n    assert add(1, 1)",
            }
        },
        "nothing runs test_a",
    ),
    "a program of its own": (
        {"tests": {"kind": "code", "code": "def add(a, b): return 3\nassert add(1, 2) == 3"}},
        "uses nothing of the module 'solution'",
    ),
    "no Python": ({"tests": {"kind": "code", "code": "def ("}}, "does not parse"),
    "no literal": (
        {"tests": {**ADD, "cases": [{"arguments": "(x,)", "expected": "1"}]}},
        "not a Python literal",
    ),
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_task_that_cannot_be_used_is_left_out_and_named(tmp_path, kind):
    change, told = UNUSABLE[kind]
    bad = {"problem_id": "mine/2", **change}
    recorded = read_trajectories([_write(tmp_path, LINE, LINE | bad)])
    assert [problem.problem_id for problem in recorded.problems] == ["mine/1"]
    (error,) = recorded.unusable
    assert str(error).startswith(f"{tmp_path / 'mine.jsonl'}:2: ")
    assert f"task {bad['problem_id']!r}" in str(error)
    assert told in str(error)
    assert "\n" not in str(error)


@pytest.mark.parametrize("name", ["byte_order_mark.jsonl", "utf16.jsonl", "blank_line.jsonl"])
def test_marks_encodings_and_blank_lines_are_read_over(name):
    recorded = _read(name)
    assert recorded.problems[0].problem_id == "t/1"
    assert recorded.versions["code"][:2].to_list() == LINE["versions"]
    assert recorded.unusable == []


def test_a_file_without_a_record_is_named():
    with pytest.raises(InputError, match=r"empty\.jsonl: no trajectory in it"):
        _read("empty.jsonl")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("task_id_with_a_space.jsonl", "task 'task 1'"),
        ("test_without_assert.jsonl", "task 't/1': the test file asserts nothing"),
    ],
)
def test_a_file_without_a_usable_task_is_refused_with_file_line_and_task(name, told):
    with pytest.raises(InputError) as caught:
        _read(name)
    assert str(caught.value).startswith(f"{BAD_RECORDS / name}:1: ")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_test_that_does_not_parse_leaves_its_own_task_out_alone():
    recorded = _read("test_that_does_not_parse.jsonl")
    assert [problem.problem_id for problem in recorded.problems] == ["t/2"]
    (error,) = recorded.unusable
    assert "test_that_does_not_parse.jsonl:1: " in str(error)
    assert "task 't/1': the test file does not parse" in str(error)
    assert "\n" not in str(error)


def test_a_refusal_is_read_as_the_version_that_it_stands_for():
    assert _read("refusal_as_a_version.jsonl").versions["code"][0] == "I cannot help with that."


def _release(name: str) -> Path:
    file = BAD_RECORDS / name
    if not file.is_file():
        pytest.skip(f"needs ../shared/cases/bad_records/{name}, which is not here")
    return file


def test_a_fence_inside_a_released_program_does_not_end_it():
    pairs = read_target_dpo(_release("fence_inside_a_program.json"), PairConfig())
    assert pairs["chosen"].item() == "def doc():\n    return '''\n```\nx\n```\n''' + 'a'"
    assert pairs["rejected_diff_lines"].to_list() == [[5]]


def test_a_pointer_of_git_lfs_is_refused_with_what_to_do():
    with pytest.raises(InputError, match=r"git_lfs_pointer\.json: .*git lfs pull"):
        read_target_dpo(_release("git_lfs_pointer.json"), PairConfig())


def test_every_bad_record_has_a_test():
    if not BAD_RECORDS.is_dir():
        pytest.skip("needs ../shared/cases/bad_records, which is not here")
    here = Path(__file__).read_text()
    assert [each.name for each in BAD_RECORDS.iterdir() if each.name not in here] == []


def test_llmdebuggers_lines_are_of_its_own_source(tmp_path):
    line = {
        "task_id": "HumanEval/0", "prompt": "def f(a):\n", "entry_point": "f",
        "test": "def check(c):\n    assert c(1) == 2\n", "implementations": ["x = 1"],
        "is_solved": False,
    }  # fmt: skip
    (problem,) = read_trajectories([_write(tmp_path, line)]).problems
    assert problem.source == "llmdebugger"
    assert isinstance(problem.tests, CodeTests)
