import base64
import gzip
import json
import pickle
import zlib
from datetime import date

import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.contests.data import load_contests
from iterpref_assets.core.evaluation.contests.tasks import contest_tasks
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Verdict

ADD = {
    "question_id": "add",
    "question_content": "Add two numbers.",
    "starter_code": "",
    "contest_date": "2024-08-03T00:00:00",
    "difficulty": "easy",
    "public_tests": [{"input": "1 2\n", "output": "3\n", "testtype": "stdin"}],
}
PAIR = ADD | {
    "question_id": "pair",
    "contest_date": "2024-09-01T00:00:00",
    "starter_code": "class Solution:\n    def pair(self, a: int, b: str) -> List[int]:\n",
    "public_tests": [
        {"input": '1\n"x"', "output": '[1, "x"]', "testtype": "functional"},
        {"input": '2\n"y"', "output": '[2, "y"]', "testtype": "functional"},
    ],
}


def write(folder, *rows):
    path = folder / "contests.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def sandbox():
    with Sandbox(1) as sandbox:
        yield sandbox


@pytest.fixture
def judge(tmp_path, sandbox):
    tasks = {t.task_id: t for t in contest_tasks(load_contests(write(tmp_path, ADD, PAIR)))}
    return lambda code, task="add": tasks[task].judge(code, sandbox).base


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("code", "verdict", "error_type"),
    [
        ("a, b = map(int, input().split())\nprint(a + b)", Verdict.PASSED, ""),
        ("print(' 3 ')\nprint()", Verdict.PASSED, ""),
        ("print('3.0')", Verdict.PASSED, ""),
        ("print(3)\nexit(1)", Verdict.PASSED, ""),
        ("print(ceil(2.5))", Verdict.PASSED, ""),
        ("print('3 0')", Verdict.WRONG_ANSWER, ""),
        ("print('3\\n3')", Verdict.WRONG_ANSWER, ""),
        ("print('three')", Verdict.WRONG_ANSWER, ""),
        ("print(3)\n1 / 0", Verdict.EXCEPTION, "ZeroDivisionError"),
        ("print(3", Verdict.EXCEPTION, "SyntaxError"),
    ],
)
def test_a_program_is_judged_by_what_it_prints(judge, code, verdict, error_type):
    execution = judge(code)
    assert (execution.verdict, execution.error_type) == (verdict, error_type)


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("code", "verdict", "error_type", "failing"),
    [
        ("class Solution:\n def pair(self, a, b): return [a, b]", Verdict.PASSED, "", None),
        ("class Solution:\n def pair(self, a, b): return (a, b)", Verdict.PASSED, "", None),
        ("def pair(a, b): return [a, b]", Verdict.PASSED, "", None),
        ("class Solution:\n def pair(self, a, b): return [1, 'x']", Verdict.WRONG_ANSWER, "", 1),
        ("class Solution:\n def other(self): pass", Verdict.EXCEPTION, "AttributeError", 0),
        ("class Solution:\n def pair(self, a, b): return b[1]", Verdict.EXCEPTION, "IndexError", 0),
    ],
)
def test_a_method_is_judged_by_what_it_returns(judge, code, verdict, error_type, failing):
    execution = judge(code, "pair")
    shown = (execution.verdict, execution.error_type, execution.failing_case)
    assert shown == (verdict, error_type, failing)


def test_contests_are_chosen_by_day_both_ends_included(tmp_path):
    data = load_contests(write(tmp_path, ADD, PAIR))
    assert list(data.within(date(2024, 9, 1), None).problems) == ["pair"]
    assert list(data.within(date(2024, 8, 3), date(2024, 8, 31)).problems) == ["add"]


def test_a_window_without_a_contest_is_refused(tmp_path):
    data = load_contests(write(tmp_path, ADD))
    with pytest.raises(InputError, match="no contest from 2025-01-01 to the end"):
        data.within(date(2025, 1, 1), None)


def test_private_tests_are_read_as_the_source_packs_them(tmp_path):
    private = [{"input": "2 2\n", "output": "4\n", "testtype": "stdin"}]
    packed = base64.b64encode(zlib.compress(pickle.dumps(json.dumps(private)))).decode()
    row = {key: value for key, value in ADD.items() if key != "public_tests"}
    row |= {"public_test_cases": json.dumps(ADD["public_tests"]), "private_test_cases": packed}
    (problem,) = load_contests(write(tmp_path, row)).problems.values()
    assert [case.output for case in problem.cases] == ["3\n", "4\n"]


def test_a_pickle_that_could_run_something_is_refused(tmp_path):
    packed = base64.b64encode(zlib.compress(pickle.dumps(print))).decode()
    with pytest.raises(InputError, match=r"contests.jsonl:1: .*builtins.print"):
        load_contests(write(tmp_path, ADD | {"private_test_cases": packed}))


@pytest.mark.parametrize("missing", ["question_id", "contest_date", "starter_code"])
def test_a_problem_without_a_field_is_named(tmp_path, missing):
    row = {key: value for key, value in ADD.items() if key != missing}
    with pytest.raises(InputError, match=rf"contests.jsonl:2: .*{missing}"):
        load_contests(write(tmp_path, ADD, row))


def test_a_packed_file_has_the_checksum_of_what_is_in_it(tmp_path):
    plain = write(tmp_path, ADD)
    packed = tmp_path / "contests.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert load_contests(packed).sha256 == load_contests(plain).sha256


def test_the_answer_is_the_last_fenced_block(tmp_path):
    (task,) = contest_tasks(load_contests(write(tmp_path, ADD)))
    text = "First:\n```python\nprint(1)\n```\nBetter:\n```python\nprint(2)\n```\nDone."
    assert task.program(text) == "print(2)"
    assert task.program("print(1)") == ""
