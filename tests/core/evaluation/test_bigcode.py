import json

import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.bigcode.data import (
    BigCodeProblem,
    Split,
    Subset,
    load_bigcode,
)
from iterpref_assets.core.evaluation.bigcode.libraries import (
    distributions,
    imported_modules,
    missing_modules,
)
from iterpref_assets.core.evaluation.bigcode.references import (
    open_bigcode_sandbox,
    sandbox_packages,
    tasks_not_run,
)
from iterpref_assets.core.evaluation.bigcode.tasks import BigCodeTask, bigcode_tasks
from iterpref_assets.core.evaluation.plus.prompts import PromptStyle
from iterpref_assets.core.sandbox.verdicts import Verdict

TEST = """import unittest
class TestCases(unittest.TestCase):
    def test_mean(self):
        self.assertEqual(task_func([1, 3]), 2)
    def test_other(self):
        self.assertEqual(task_func([4]), 4)
"""
MEAN = {
    "task_id": "BigCodeBench/0",
    "complete_prompt": 'import numpy as np\ndef task_func(xs):\n    """Mean."""',
    "instruct_prompt": "Give the mean. Start with:\n```\nimport numpy as np\n```",
    "canonical_solution": "    return np.mean(xs)",
    "code_prompt": "import numpy as np\ndef task_func(xs):",
    "test": TEST,
    "entry_point": "task_func",
    "libs": "['numpy']",
}
ABSENT = MEAN | {
    "task_id": "BigCodeBench/1",
    "complete_prompt": "import no_such_library\ndef task_func(xs):",
}
ONLINE = MEAN | {
    "task_id": "BigCodeBench/2",
    "canonical_solution": "    import socket\n    socket.create_connection(('192.0.2.1', 80), 1)",
}


def write(folder, *rows):
    path = folder / "bigcode.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return load_bigcode(write(tmp_path_factory.mktemp("data"), MEAN, ABSENT, ONLINE), Subset.FULL)


@pytest.fixture(scope="module")
def sandbox(data):
    with open_bigcode_sandbox(data, 1) as sandbox:
        yield sandbox


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("import numpy as np\ndef task_func(xs):\n    return np.mean(xs)", Verdict.PASSED),
        ("def task_func(xs):\n    return np.mean(xs)", Verdict.PASSED),
        ("def task_func(xs):\n    return 2", Verdict.WRONG_ANSWER),
        ("def task_func(xs):\n    return xs['a']", Verdict.EXCEPTION),
        ("def other(xs):\n    return 2", Verdict.WRONG_ANSWER),
    ],
)
def test_a_program_is_judged_by_the_test_class(data, sandbox, code, verdict):
    judgement = bigcode_tasks(data, Split.COMPLETE)[0].judge(code, sandbox)
    assert judgement.base.verdict is verdict
    assert judgement.plus is None


@pytest.mark.sandbox
def test_verdicts_of_tests_beside_the_candidate_say_so(data, sandbox):
    code = "def task_func(xs):\n    return np.mean(xs)"
    assert bigcode_tasks(data, Split.COMPLETE)[0].judge(code, sandbox).base.in_process


@pytest.mark.sandbox
def test_tasks_that_cannot_run_here_are_named_with_the_reason(data, sandbox, tmp_path):
    reasons = tasks_not_run(data, sandbox, tmp_path, 1)
    assert list(reasons) == ["BigCodeBench/1", "BigCodeBench/2"]
    assert reasons["BigCodeBench/1"] == "not installed: no_such_library"
    assert "its reference solution does not pass here" in reasons["BigCodeBench/2"]


@pytest.mark.sandbox
def test_references_are_run_once_for_the_same_data_and_libraries(data, sandbox, tmp_path):
    class Unused:
        def judge(self, *arguments):
            raise AssertionError

    first = tasks_not_run(data, sandbox, tmp_path, 1)
    assert tasks_not_run(data, Unused(), tmp_path, 1) == first


def test_granted_packages_bring_what_they_require():
    names = distributions(["pandas"])
    assert {"pandas", "numpy", "python-dateutil", "six"} <= set(names)


def test_only_what_tasks_import_is_granted(data):
    granted = sandbox_packages(data)
    assert "numpy" in granted
    assert "polars" not in granted


def test_imports_inside_functions_and_tests_count(data):
    problem = data.problems["BigCodeBench/0"].model_copy(
        update={"test": "def f():\n    from sklearn.svm import SVC\nimport os.path"}
    )
    assert imported_modules(problem) == {"numpy", "sklearn"}
    assert missing_modules(["numpy", "no_such_library"]) == ["no_such_library"]


@pytest.mark.parametrize(
    ("split", "style", "user", "assistant"),
    [
        (Split.COMPLETE, PromptStyle.PREFILLED, "block:\n```\nimport numpy", "```python\n"),
        (Split.INSTRUCT, PromptStyle.CHAT, "block:\nGive the mean.", None),
        (Split.COMPLETE, PromptStyle.COMPLETION, MEAN["complete_prompt"], None),
    ],
)
def test_a_task_is_asked_as_the_benchmark_asks_it(split, style, user, assistant):
    messages = BigCodeTask(BigCodeProblem.model_validate(MEAN), split, style).messages
    assert user in messages[0].content
    assert messages[1].content.endswith(assistant) if assistant else len(messages) == 1


def test_hard_tasks_are_those_that_the_list_beside_the_file_names(tmp_path):
    path = write(tmp_path, MEAN, ABSENT)
    (tmp_path / "bigcodebench_hard_ids.json").write_text('["BigCodeBench/1"]')
    assert list(load_bigcode(path, Subset.HARD).problems) == ["BigCodeBench/1"]


def test_without_that_list_it_is_asked_for(tmp_path):
    with pytest.raises(InputError, match=r"bigcodebench_hard_ids.json: no such file"):
        load_bigcode(write(tmp_path, MEAN), Subset.HARD)


def test_a_task_without_a_field_is_named(tmp_path):
    row = {name: value for name, value in MEAN.items() if name != "test"}
    with pytest.raises(InputError, match=r"bigcode.jsonl:2: field 'test'"):
        load_bigcode(write(tmp_path, MEAN, row), Subset.FULL)


@pytest.mark.parametrize(("subset", "tasks"), [(Subset.FULL, 1140), (Subset.HARD, 148)])
def test_the_published_file_holds_all_tasks(shared_data, subset, tasks):
    path = shared_data / "benchmarks" / "BigCodeBench-v0.1.4.jsonl.gz"
    assert len(load_bigcode(path, subset).problems) == tasks
