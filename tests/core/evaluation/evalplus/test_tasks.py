"""Programs judged on evalplus-like tasks in the real sandbox."""

from importlib.metadata import version

import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.config import JudgingLimits
from iterpref_assets.core.evaluation.evalplus.data import (
    SANDBOX_PACKAGES,
    EvalPlusBenchmark,
    EvalPlusData,
    EvalPlusProblem,
)
from iterpref_assets.core.evaluation.evalplus.expected import expected_outputs
from iterpref_assets.core.evaluation.evalplus.suite import EvalPlusSuite, evalplus_benchmark
from iterpref_assets.core.evaluation.references import run_references
from iterpref_assets.core.evaluation.scores import SampleStatus, Statuses
from iterpref_assets.core.evaluation.tasks import PromptStyle
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Verdict

pytestmark = pytest.mark.sandbox

HALVES = EvalPlusProblem(
    "HumanEval/0",
    "def halves(xs):\n",
    "halves",
    "    return [x / 2 for x in xs]\n",
    [[[1, 2]]],
    [[[]], [[3, 1]]],
    0,
)
ZERO = EvalPlusProblem(
    "HumanEval/32",
    "def find_zero(xs):\n",
    "find_zero",
    "    return -xs[0] / xs[1]\n",
    [[[1, 2]]],
    [[[3, -1]]],
    1e-4,
)
DATA = EvalPlusData(
    EvalPlusBenchmark.HUMANEVAL, {each.task_id: each for each in (HALVES, ZERO)}, "sha", "md5"
)


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(1) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def benchmark(sandbox, tmp_path_factory):
    return evalplus_benchmark(DATA, sandbox, tmp_path_factory.mktemp("cache"), 1)


@pytest.fixture
def judge(benchmark, sandbox):
    return lambda code, task="HumanEval/0": benchmark.tasks[task].judge(code, sandbox)


@pytest.mark.parametrize("problem", [HALVES, ZERO])
def test_a_reference_solution_passes_both_sets_of_tests(judge, problem):
    judgement = judge(problem.reference, problem.task_id)
    assert (judgement.base.verdict, judgement.plus.verdict) == (Verdict.PASSED, Verdict.PASSED)


def test_a_program_may_pass_the_base_tests_and_fail_the_added_ones(judge):
    judgement = judge("def halves(xs):\n    return [0.5, 1.0]")
    assert judgement.base.passed
    assert judgement.plus.verdict is Verdict.WRONG_ANSWER
    assert judgement.execution is judgement.plus


def test_floats_that_differ_by_rounding_pass(judge):
    judgement = judge("def halves(xs):\n    return [x * 0.5 + 1e-9 for x in xs]")
    assert judgement.plus.passed


def test_an_object_that_equals_everything_passes_nothing(judge):
    forgery = (
        "class Always(float):\n"
        "    def __eq__(self, other): return True\n"
        "    def __ne__(self, other): return False\n"
        "    __hash__ = float.__hash__\n"
        "def halves(xs): return Always()\n"
    )
    judgement = judge(forgery)
    wrong = Verdict.WRONG_ANSWER
    assert (judgement.base.verdict, judgement.plus.verdict) == (wrong, wrong)


def test_arguments_changed_by_the_program_do_not_reach_the_oracle(judge):
    # With all coefficients set to 0 every number would be a zero of the polynomial.
    forgery = "def find_zero(xs):\n    xs[:] = [0, 0]\n    return 7.0"
    assert judge(forgery, "HumanEval/32").base.verdict is Verdict.WRONG_ANSWER


def test_state_of_the_base_tests_does_not_reach_the_added_ones(judge):
    # There are three calls in all, so the third is the second of a fresh process.
    result = "[x / 2 for x in xs] if len(calls) < 3 else 0"
    judgement = judge(f"calls = []\ndef halves(xs):\n    calls.append(1)\n    return {result}")
    assert judgement.base.passed
    assert judgement.plus.passed


@pytest.mark.parametrize(
    ("code", "verdict", "error_type"),
    [
        ("def halves(xs):\n    return xs['a']", Verdict.EXCEPTION, "TypeError"),
        ("def other(xs):\n    return xs", Verdict.EXCEPTION, "NameError"),
        ("def halves(xs)\n", Verdict.EXCEPTION, "SyntaxError"),
        ("import os\ndef halves(xs):\n    os._exit(0)", Verdict.CRASHED, ""),
        ("def halves(xs):\n    while True: pass", Verdict.TIMEOUT, ""),
    ],
)
def test_failures_say_what_happened(judge, code, verdict, error_type):
    base = judge(code).base
    assert (base.verdict, base.error_type, base.failing_case) == (verdict, error_type, 0)


def test_expected_outputs_are_computed_once(sandbox, tmp_path):
    class Unused:
        def run_calls(self, *arguments, **options):
            raise AssertionError

    first = expected_outputs(DATA, sandbox, tmp_path, 1)
    second = expected_outputs(DATA, Unused(), tmp_path, 1)
    assert {key: each.outputs for key, each in second.items()} == {
        key: each.outputs for key, each in first.items()
    }


def test_expected_outputs_of_more_tasks_are_added_to_those_there_are(sandbox, tmp_path):
    programs = []

    class Recorder:
        def run_calls(self, code, *arguments, **options):
            programs.append(code)
            return sandbox.run_calls(code, *arguments, **options)

    first = expected_outputs(DATA.of_tasks(["HumanEval/0"]), sandbox, tmp_path, 1)
    assert {task for task, _ in first} == {"HumanEval/0"}
    both = expected_outputs(DATA, Recorder(), tmp_path, 1)
    assert {task for task, _ in both} == {"HumanEval/0", "HumanEval/32"}
    assert set(programs) == {ZERO.reference}


def test_limits_that_are_given_take_the_place_of_evalpluss(sandbox, tmp_path):
    limits = JudgingLimits(seconds=3, reference_factor=2, memory_gib=0.5)
    task = evalplus_benchmark(DATA, sandbox, tmp_path, 1, limits=limits).tasks["HumanEval/0"]
    # One call of at least 3 s, and one second more.
    assert (task.base.limits.call_cpu_seconds, task.base.limits.cpu_seconds) == (3.0, 4.0)
    assert task.base.limits.memory_bytes == 1 << 29


def test_a_call_is_limited_by_the_references_slowest_call_not_by_all_together(sandbox, tmp_path):
    spin = EvalPlusProblem(
        "HumanEval/1", "def spin(seconds):\n", "spin",
        "    import time\n"
        "    end = time.process_time() + seconds\n"
        "    while time.process_time() < end: pass\n",
        [[0.2], [0.4], [0.4], [0.4]], [[0.0]], 0,
    )  # fmt: skip
    data = EvalPlusData(EvalPlusBenchmark.HUMANEVAL, {spin.task_id: spin}, "spin", "md5")
    task = evalplus_benchmark(data, sandbox, tmp_path, 1).tasks[spin.task_id]
    base, plus = task.base.reference, task.plus.reference
    assert base.cpu_seconds >= 1.4
    assert 0.4 <= base.slowest_call <= base.cpu_seconds - 0.99  # the other calls take 1.0
    assert task.base.limits.call_cpu_seconds == 4 * base.slowest_call
    assert task.base.limits.cpu_seconds == 4 * base.cpu_seconds + 1
    assert task.plus.limits.call_cpu_seconds == max(1.0, 4 * plus.slowest_call)
    assert task.plus.limits.cpu_seconds == max(2.0, 4 * plus.cpu_seconds + 1)


def test_expected_outputs_of_other_data_are_not_reused(sandbox, tmp_path):
    other = EvalPlusData(DATA.benchmark, {"HumanEval/0": HALVES}, "other", "md5")
    expected_outputs(DATA, sandbox, tmp_path, 1)
    assert {task for task, _ in expected_outputs(other, sandbox, tmp_path, 1)} == {"HumanEval/0"}


def test_a_reference_solution_that_fails_is_named(sandbox, tmp_path):
    broken = EvalPlusProblem("T/1", "def f(x):\n", "f", "    return 1 / x\n", [[1], [0]], [], 0)
    data = EvalPlusData(DATA.benchmark, {"T/1": broken}, "broken", "md5")
    with pytest.raises(InputError, match="T/1 fails on base input 1"):
        evalplus_benchmark(data, sandbox, tmp_path, 1)


def test_nothing_passes_where_the_reference_fails_nor_does_the_reference(sandbox, tmp_path):
    broken = EvalPlusProblem("T/1", "def f(x):\n", "f", "    return 1 / x\n", [[1], [0]], [], 0)
    suite = EvalPlusSuite(EvalPlusData(DATA.benchmark, {"T/1": broken}, "broken", "md5"))
    tasks = suite.tasks(PromptStyle.PREFILLED, sandbox, tmp_path, 1)
    (result,) = run_references(suite, tasks, sandbox, tmp_path, 1)
    assert (result.verdict, result.error_type) == ("exception", "ZeroDivisionError")
    assert result.fails
    whole = "def f(x):\n    return 1 / x if x else 0"
    assert tasks["T/1"].judge(whole, sandbox).base.verdict is Verdict.WRONG_ANSWER


def test_the_benchmark_says_which_libraries_its_programs_may_import(benchmark):
    assert benchmark.libraries == {name: version(name) for name in SANDBOX_PACKAGES}


@pytest.mark.parametrize("library", ["numpy", "pandas"])
def test_a_program_may_import_what_evalplus_brings(benchmark, library):
    with EvalPlusSuite(DATA).open_sandbox(1) as sandbox:
        code = f"import {library}\n{HALVES.reference}"
        assert benchmark.tasks["HumanEval/0"].judge(code, sandbox).plus.passed


def test_what_evalplus_says_is_told_where_its_listed_fault_differs(benchmark):
    both = Statuses(base=SampleStatus.PASS, plus=SampleStatus.PASS)
    assert benchmark.listed_fault("HumanEval/32", both) == Statuses(
        base=SampleStatus.FAIL, plus=SampleStatus.FAIL
    )
    failing = Statuses(base=SampleStatus.FAIL, plus=SampleStatus.TIMEOUT)
    assert benchmark.listed_fault("HumanEval/32", failing) is None
    assert benchmark.listed_fault("HumanEval/0", both) is None
