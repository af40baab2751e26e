"""What programs and tests find in their module, and which tests run, is as BigCodeBench's harness
has it."""

import pytest

from iterpref_assets.core.evaluation.bigcodebench.data import BigCodeBenchProblem, BigCodeBenchSplit
from iterpref_assets.core.evaluation.bigcodebench.proxying import why_in_process
from iterpref_assets.core.evaluation.bigcodebench.tasks import BigCodeBenchTask
from iterpref_assets.core.evaluation.tasks import PromptStyle
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Verdict

pytestmark = pytest.mark.sandbox

APART, BESIDE = "", "mock = None\n"
"""The second has its tests run beside the program."""
TEST = """import unittest
class TestCases(unittest.TestCase):
    def test_one(self):
        self.assertEqual(task_func(1), 2)
"""


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(1) as sandbox:
        yield sandbox


@pytest.fixture(params=[APART, BESIDE], ids=["apart", "beside"])
def judged(request, sandbox):
    """Judges a program by a test file, apart from it or beside it."""

    def judge(code, test=TEST):
        problem = BigCodeBenchProblem(
            task_id="BigCodeBench/900001",
            complete_prompt="",
            instruct_prompt="",
            canonical_solution="",
            code_prompt="import math\ndef task_func(x):\n",
            test=test + request.param,
            entry_point="task_func",
        )
        assert bool(why_in_process(problem)) is (request.param == BESIDE)
        task = BigCodeBenchTask(problem, BigCodeBenchSplit.COMPLETE, PromptStyle.CHAT)
        return task.judge(code, sandbox).base

    return judge


@pytest.mark.parametrize(
    "condition",
    [
        "os.path.isdir(os.getcwd())",
        "sys.version_info > (3,)",
        "environ is os.environ",
        "__file__ == '__test__.py'",
    ],
)
def test_a_program_finds_names_that_it_does_not_import(judged, condition):
    assert judged(f"def task_func(x):\n    return 2 if {condition} else 0").passed


@pytest.mark.parametrize("name", ["os.curdir", "sys.maxsize", "__file__"])
def test_so_do_the_tests(judged, name):
    test = TEST.replace("task_func(1), 2", f"task_func(1), 2 if {name} else 0")
    assert judged("def task_func(x):\n    return 2", test).passed


def test_a_program_s_lines_keep_their_numbers(judged):
    # The prompt's two lines, an empty one and `pass` stand before the program.
    message = judged("def task_func(x):\n    return x['a']").message
    assert message.endswith("in line 6: return x['a']")


def test_tests_of_another_class_are_not_run(judged):
    other = "class OtherTests(TestCases):\n    def test_two(self):\n        self.fail()\n"
    assert judged("def task_func(x):\n    return 2", f"{TEST}{other}").passed


def test_tests_that_the_class_inherits_are_run(judged):
    test = TEST.replace("TestCases", "Base") + "class TestCases(Base):\n    pass\n"
    assert judged("def task_func(x):\n    return 3", test).verdict is Verdict.WRONG_ANSWER
