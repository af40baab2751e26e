"""Answers are cut as BigCodeBench's own sanitizer cuts them, which no package here holds."""

import ast

import pytest

from iterpref_assets.core.evaluation.bigcodebench.data import (
    BigCodeBenchProblem,
    BigCodeBenchSplit,
    load_bigcodebench,
)
from iterpref_assets.core.evaluation.bigcodebench.sanitizer import sanitize
from iterpref_assets.core.evaluation.bigcodebench.tasks import BigCodeBenchTask
from iterpref_assets.core.evaluation.tasks import PromptStyle
from iterpref_assets.core.syntax import parse

UNUSED = {"BigCodeBench/800": {"create_test_csv", "setup_csv"}}
"""Functions of references that their entry point does not lead to."""
PRINTING = "def task_func(x):\n    print(x)"


@pytest.mark.parametrize(
    ("text", "program"),
    [
        pytest.param(PRINTING, PRINTING, id="returns nothing"),
        pytest.param(
            "def show(x):\n    print(x)\ndef idle(): pass\ndef task_func(x):\n    show(x)",
            "def show(x):\n    print(x)\ndef task_func(x):\n    show(x)",
            id="helpers that are used",
        ),
        pytest.param(
            f"import os\nLIMIT = 3\n{PRINTING}\nimport sys\nSPARE = 4",
            f"import os\nimport sys\n{PRINTING}",
            id="imports first, names that are not used left out",
        ),
        pytest.param(
            "def task_func(x):\n    print(x)\ndef task_func(x):\n    return x",
            PRINTING,
            id="the first of two definitions",
        ),
        pytest.param(
            f"{PRINTING}\nLIMIT = task_func(3)\ntask_func(4)", PRINTING, id="uses behind it"
        ),
        pytest.param(
            f"def g(x):\n    return x\ntask_func = g\n{PRINTING}",
            "def g(x):\n    return x",
            id="a line at the margin that binds its name",
        ),
        pytest.param(
            "  \n\n  def task_func(x):\n      print(x)\n",
            "def task_func(x):\n      print(x)",
            id="blanks around it",
        ),
        pytest.param(
            "Here it is:\n```python\ndef task_func(x):\n    print(x)\n```\nIt prints.",
            PRINTING,
            id="fenced in prose",
        ),
        pytest.param(
            "import os\ndef task_func(x): print(x)", "import os", id="a function of one line"
        ),
        pytest.param(
            "\ndef task_func(x): print(x)",
            "\ndef task_func(x): print(x)",
            id="a function of one line, and nothing else",
        ),
        pytest.param("x.y()\nz()", "x.y()\nz()", id="nothing that is needed"),
    ],
)
def test_an_answer_is_cut_to_what_its_entry_point_needs(text, program):
    assert sanitize(text, "task_func") == program


def test_a_task_s_program_keeps_a_function_that_returns_nothing():
    problem = BigCodeBenchProblem(
        task_id="BigCodeBench/1",
        complete_prompt="",
        instruct_prompt="",
        canonical_solution="",
        code_prompt="",
        test="",
        entry_point="task_func",
    )
    task = BigCodeBenchTask(problem, BigCodeBenchSplit.INSTRUCT, PromptStyle.CHAT)
    assert task.program(f"Sure:\n```python\n{PRINTING}\n```") == PRINTING


def test_every_reference_still_defines_its_functions(shared_data):
    path = shared_data / "benchmarks" / "BigCodeBench-v0.1.4.jsonl.gz"
    lost = {
        name: functions(problem.reference)
        - functions(sanitize(problem.reference, problem.entry_point))
        for name, problem in load_bigcodebench(path).problems.items()
    }
    assert {name: each for name, each in lost.items() if each} == UNUSED


def functions(code):
    """The names of the functions at the margin."""
    return {node.name for node in parse(code).body if isinstance(node, ast.FunctionDef)}
