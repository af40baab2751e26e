import base64
import gzip
import json
import pickle
import zlib
from datetime import date

import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.livecodebench.data import (
    LiveCodeBenchData,
    load_livecodebench,
    release_files,
)
from iterpref_assets.core.evaluation.livecodebench.prompts import (
    LiveCodeBenchExample,
    LiveCodeBenchExamples,
    load_examples,
    messages,
    program,
)
from iterpref_assets.core.evaluation.livecodebench.suite import LiveCodeBenchSuite
from iterpref_assets.core.evaluation.livecodebench.tasks import LiveCodeBenchTask
from iterpref_assets.core.evaluation.tasks import PromptStyle
from iterpref_assets.core.prompts import Role
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
    suite = LiveCodeBenchSuite(LiveCodeBenchData({}, "", ""), {})
    with suite.open_sandbox(1) as sandbox:
        yield sandbox


@pytest.fixture
def judge(tmp_path, sandbox):
    problems = load_livecodebench(write(tmp_path, ADD, PAIR)).problems
    return lambda code, task="add": LiveCodeBenchTask(problems[task]).judge(code, sandbox).base


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
        ("print(3, flush=True)\nraise type('', (Exception,), {})", Verdict.EXCEPTION, ""),
        (
            "print(3, flush=True)\nraise type('SystemExit', (Exception,), {})",
            Verdict.EXCEPTION,
            "SystemExit",
        ),
        ("print(3, flush=True)\nraise type('Done', (SystemExit,), {})(1)", Verdict.PASSED, ""),
    ],
)
def test_a_program_is_judged_by_what_it_prints(judge, code, verdict, error_type):
    execution = judge(code)
    assert (execution.verdict, execution.error_type) == (verdict, error_type)


@pytest.mark.sandbox
def test_a_right_program_passes_however_much_it_has_to_print(tmp_path, sandbox):
    case = {"input": "250000", "output": "12345678\n" * 250_000, "testtype": "stdin"}
    problem = load_livecodebench(write(tmp_path, ADD | {"public_tests": [case]})).problems["add"]
    code = "for _ in range(int(input())): print(12345678)"
    assert LiveCodeBenchTask(problem).judge(code, sandbox).base.passed


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
        ("def pair(a, b): raise type('', (Exception,), {})", Verdict.EXCEPTION, "", 0),
    ],
)
def test_a_method_is_judged_by_what_it_returns(judge, code, verdict, error_type, failing):
    execution = judge(code, "pair")
    shown = (execution.verdict, execution.error_type, execution.failing_case)
    assert shown == (verdict, error_type, failing)


def test_contests_are_chosen_by_day_both_ends_included(tmp_path):
    data = load_livecodebench(write(tmp_path, ADD, PAIR))
    assert list(data.within(date(2024, 9, 1), None).problems) == ["pair"]
    assert list(data.within(date(2024, 8, 3), date(2024, 8, 31)).problems) == ["add"]


def test_the_window_is_that_of_the_contests_there_are(tmp_path):
    data = load_livecodebench(write(tmp_path, PAIR, ADD))
    assert data.window == "2024-08-03..2024-09-01"
    assert (
        LiveCodeBenchSuite(data, {}).facts.source.benchmark
        == "livecodebench 2024-08-03..2024-09-01"
    )


def test_release_six_has_the_files_of_six_releases():
    assert release_files(1) == ["test.jsonl"]
    assert release_files(6) == ["test.jsonl", *(f"test{n}.jsonl" for n in (2, 3, 4, 5, 6))]


def test_a_chats_answer_may_hold_headings(tmp_path):
    task = LiveCodeBenchTask(load_livecodebench(write(tmp_path, ADD)).problems["add"])
    assert task.program("### Idea\nAdd.\n### Code\n```python\nprint(3)\n```") == "print(3)"


def test_a_window_without_a_contest_is_refused(tmp_path):
    data = load_livecodebench(write(tmp_path, ADD))
    with pytest.raises(InputError, match="no contest from 2025-01-01 to the end"):
        data.within(date(2025, 1, 1), None)


def test_private_tests_are_read_as_the_source_packs_them(tmp_path):
    private = [{"input": "2 2\n", "output": "4\n", "testtype": "stdin"}]
    packed = base64.b64encode(zlib.compress(pickle.dumps(json.dumps(private)))).decode()
    row = {key: value for key, value in ADD.items() if key != "public_tests"}
    row |= {"public_test_cases": json.dumps(ADD["public_tests"]), "private_test_cases": packed}
    (problem,) = load_livecodebench(write(tmp_path, row)).problems.values()
    assert [case.output for case in problem.cases] == ["3\n", "4\n"]


def test_a_pickle_that_could_run_something_is_refused(tmp_path):
    packed = base64.b64encode(zlib.compress(pickle.dumps(print))).decode()
    with pytest.raises(InputError, match=r"contests.jsonl:1: .*builtins.print"):
        load_livecodebench(write(tmp_path, ADD | {"private_test_cases": packed}))


@pytest.mark.parametrize("missing", ["question_id", "contest_date", "starter_code"])
def test_a_problem_without_a_field_is_named(tmp_path, missing):
    row = {key: value for key, value in ADD.items() if key != missing}
    with pytest.raises(InputError, match=rf"contests.jsonl:2: .*{missing}"):
        load_livecodebench(write(tmp_path, ADD, row))


def test_a_packed_file_has_the_checksum_of_what_is_in_it(tmp_path):
    plain = write(tmp_path, ADD)
    packed = tmp_path / "contests.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert load_livecodebench(packed).sha256 == load_livecodebench(plain).sha256


def test_the_answer_is_the_last_fenced_program(tmp_path):
    task = LiveCodeBenchTask(load_livecodebench(write(tmp_path, ADD)).problems["add"])
    text = "First:\n```python\nprint(1)\n```\nBetter:\n```python\nprint(2)\n```\nDone."
    assert task.program(text) == "print(2)"
    assert task.program("I cannot say.") == ""


EXAMPLES = LiveCodeBenchExamples(
    with_starter=LiveCodeBenchExample(question="Q1", answer="A1", sample_code="S1"),
    without_starter=LiveCodeBenchExample(question="Q2", answer="A2"),
)


def test_a_base_model_is_shown_a_solved_example_first(tmp_path):
    problems = load_livecodebench(write(tmp_path, ADD, PAIR)).problems
    (plain,) = messages(problems["add"], PromptStyle.COMPLETION, EXAMPLES)
    assert plain.role is Role.TEXT
    assert plain.content == (
        "### Question\nQ2\n\n### Answer\n\nA2\n\n### Question\nAdd two numbers.\n\n### Answer\n\n"
    )
    (started,) = messages(problems["pair"], PromptStyle.COMPLETION, EXAMPLES)
    assert started.content.startswith(
        "### Question\nQ1\n\n### Starter Code\nS1\n\n### Answer\n\nA1"
    )
    assert started.content.endswith("### Answer\n\n")
    assert PAIR["starter_code"] in started.content


def test_a_base_models_answer_ends_where_the_next_question_would_begin(tmp_path):
    problem = load_livecodebench(write(tmp_path, ADD)).problems["add"]
    assert program(problem, PromptStyle.COMPLETION, " print(1)\n\n### Question\nNext") == "print(1)"


@pytest.mark.parametrize(
    ("style", "stops"), [(PromptStyle.COMPLETION, ("###",)), (PromptStyle.CHAT, ())]
)
def test_only_a_base_models_answer_ends_at_a_heading(tmp_path, style, stops):
    problem = load_livecodebench(write(tmp_path, ADD)).problems["add"]
    assert LiveCodeBenchTask(problem, style).stops == stops


def test_the_first_example_of_each_official_file_is_shown(tmp_path):
    for name in ("func", "stdin"):
        rows = [{"question": f"{name} {i}", "answer": "a", "sample_code": "s"} for i in (0, 1)]
        (tmp_path / f"{name}.json").write_text(json.dumps(rows))
    examples = load_examples(tmp_path)
    assert examples.with_starter.question == "func 0"
    assert examples.without_starter.question == "stdin 0"


@pytest.mark.parametrize("content", ["[]", "{}", "[{}]", "no JSON"])
def test_a_file_without_a_solved_example_is_named(tmp_path, content):
    (tmp_path / "func.json").write_text(content)
    with pytest.raises(InputError, match=r"func\.json: holds no solved example"):
        load_examples(tmp_path)


def test_base_models_cannot_be_asked_without_examples(tmp_path):
    suite = LiveCodeBenchSuite(load_livecodebench(write(tmp_path, ADD)), {})
    with pytest.raises(InputError, match=r"benchmarks\.livecodebench\.examples"):
        suite.tasks(PromptStyle.COMPLETION, None, tmp_path, 1)


def test_a_damaged_gzip_is_named(damaged_gzip):
    with pytest.raises(InputError, match=r"damaged\.jsonl\.gz"):
        load_livecodebench(damaged_gzip)
