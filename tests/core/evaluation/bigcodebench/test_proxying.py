"""Which tasks' tests are kept apart from the program, told from the test file alone."""

import pytest

from iterpref_assets.core.evaluation.bigcodebench.data import BigCodeBenchProblem, load_bigcodebench
from iterpref_assets.core.evaluation.bigcodebench.proxying import (
    UNLIKE,
    imports_of_tests,
    why_in_process,
)

HEAD = "import unittest\nclass TestCases(unittest.TestCase):\n    def test_a(self):\n        "


def problem(statement: str, head: str = "") -> BigCodeBenchProblem:
    return BigCodeBenchProblem(
        task_id="BigCodeBench/900001",
        complete_prompt="",
        instruct_prompt="",
        canonical_solution="",
        code_prompt="def task_func(x):",
        test=head + HEAD + statement,
        entry_point="task_func",
    )


@pytest.mark.parametrize(
    "statement",
    [
        "self.assertEqual(task_func(1), 2)",
        "self.assertRaises(ValueError, task_func, -1)",
        "self.assertRaisesRegex(ValueError, 'x', task_func, -1)",
        "self.assertTrue(re.compile('x').match(task_func(1)))",
        "self.assertEqual(json.load(open(task_func('a.json'))), {})",
    ],
)
def test_tests_that_only_call_the_function_are_kept_apart(statement: str) -> None:
    assert why_in_process(problem(statement)) == ""


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("self.assertEqual(task_func.__name__, 'x')", "uses its function otherwise"),
        ("f = task_func; self.assertEqual(f(1), 2)", "uses its function otherwise"),
        ("self.assertEqual(sorted([2], key=task_func), [2])", "uses its function otherwise"),
        ("self.assertEqual(1, 1)", "uses its function otherwise"),
        ("with patch('os.listdir'): self.assertEqual(task_func(1), 2)", "patches what"),
        ("self.assertIsInstance(task_func(1), plt.Axes)", "uses objects that do not cross: Axes"),
        ("sys.stdout = task_func(1); self.assertTrue(1)", "looks at its own process: stdout"),
        ("self.assertEqual(eval(task_func(1)), 2)", "runs code or loads objects: eval"),
        ("self.assertEqual(pickle.loads(task_func(1)), 2)", "runs code or loads objects: pickle"),
        ("self.assertEqual(nltk.word_tokenize(task_func(1)), ['a'])", "runs code or loads objects"),
        ("self.assertTrue(np.load(task_func(1), allow_pickle=True))", "runs code or loads objects"),
    ],
)
def test_tests_that_need_the_program_s_process_say_why(statement: str, reason: str) -> None:
    assert why_in_process(problem(statement)).startswith(reason)


@pytest.mark.parametrize(
    "head",
    ["from unittest.mock import MagicMock as M\n", "import matplotlib.pyplot as p\n"],
)
def test_a_module_imported_by_another_name_is_found(head: str) -> None:
    assert why_in_process(problem("self.assertEqual(task_func(1), 2)", head))


def test_the_imports_of_the_tests_are_told_and_nothing_else_of_them() -> None:
    head = "import os.path as path, re\nfrom json import loads\nSECRET = 31337\n"
    assert imports_of_tests(problem("self.assertEqual(task_func(1), 2)", head)) == (
        "import os.path as path, re\nfrom json import loads\nimport unittest\n"
    )


def test_a_listed_task_is_judged_in_one_process(shared_data) -> None:
    path = shared_data / "benchmarks" / "BigCodeBench-v0.1.4.jsonl.gz"
    problems = load_bigcodebench(path).problems
    assert {name: why_in_process(problems[name]) for name in UNLIKE} == UNLIKE
