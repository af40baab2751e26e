"""What a contest's program is run as, by either set of rules."""

from contextlib import ExitStack
from datetime import date

import pytest

from iterpref_assets.core.evaluation.config import OWN_LIMITS, JudgingLimits
from iterpref_assets.core.evaluation.livecodebench.data import (
    LiveCodeBenchCase,
    LiveCodeBenchData,
    LiveCodeBenchProblem,
)
from iterpref_assets.core.evaluation.livecodebench.long_integers import read_json
from iterpref_assets.core.evaluation.livecodebench.sources import LiveCodeBenchRules
from iterpref_assets.core.evaluation.livecodebench.suite import LiveCodeBenchSuite
from iterpref_assets.core.evaluation.livecodebench.tasks import LiveCodeBenchTask
from iterpref_assets.core.sandbox.verdicts import Verdict

STRICT, OFFICIAL = LiveCodeBenchRules.STRICT, LiveCodeBenchRules.OFFICIAL
PASSED = Verdict.PASSED
NOTHING = LiveCodeBenchData({}, "", "")


@pytest.fixture(scope="module")
def sandboxes():
    """By the rules: each as the suite opens it."""
    with ExitStack() as opened:
        yield {
            rules: opened.enter_context(
                LiveCodeBenchSuite(NOTHING, {}, rules=rules).open_sandbox(1)
            )
            for rules in LiveCodeBenchRules
        }


@pytest.fixture
def judge(sandboxes):
    def judged(code, given, wanted, rules=STRICT, *, method="", given_limits=OWN_LIMITS, more=()):
        kind = "functional" if method else "stdin"
        cases = tuple(
            LiveCodeBenchCase.model_validate({"input": each, "output": output, "testtype": kind})
            for each, output in ((given, wanted), *more)
        )
        problem = LiveCodeBenchProblem("T/1", "", "", cases, method, date(2024, 9, 1), None)
        task = LiveCodeBenchTask(problem, rules=rules, given=given_limits)
        return task.judge(code, sandboxes[rules]).base

    return judged


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("code", "strict", "official"),
    [
        ("print(input())", True, True),
        ("if __name__ == '__main__':\n    print(input())", True, True),
        ("import sys\nprint(sys.stdin.read().split()[0])", True, True),
        ("print(open(0).read().split()[0])", True, False),
        ("print(open('/dev/stdin').read().split()[0])", True, False),
        ("import numpy as np\nprint(np.int64(input()))", True, True),
        ("from __future__ import annotations\nprint(input())", True, False),
        ("import sys\nfor line in sys.stdin:\n    print(line)\n    break", True, False),
        ("import sys\nsys.stdout.buffer.write(input().encode())", True, False),
        ("print(input())\nquit()", True, False),
        ("print(input())\nexit()", True, True),
        ("x = 0\ndef f():\n    global x\n    x += 7\nf()\nprint(x)", True, False),
        ("import os\nos.write(1, b'7')", True, False),
    ],
)
def test_a_program_may_do_what_its_rules_let_it(judge, code, strict, official):
    for rules, passes in ((STRICT, strict), (OFFICIAL, official)):
        assert judge(code, "7\n8\n", "7\n", rules).passed is passes, rules


@pytest.mark.sandbox
@pytest.mark.parametrize(("rules", "verdict"), [(STRICT, PASSED), (OFFICIAL, Verdict.WRONG_ANSWER)])
def test_only_by_official_rules_a_test_finds_what_the_one_before_it_changed(judge, rules, verdict):
    code = "import math\nmath.seen = getattr(math, 'seen', 0) + 1\nprint(input(), math.seen)"
    execution = judge(code, "a", "a 1", rules, more=[("b", "b 1")])
    assert execution.verdict is verdict


@pytest.mark.sandbox
@pytest.mark.parametrize("rules", LiveCodeBenchRules)
def test_each_test_reads_its_own_input_from_the_start(judge, rules):
    more = [("3\n4", "7"), ("5\n6", "11")]
    assert judge("print(int(input()) + int(input()))", "1\n2", "3", rules, more=more).passed


@pytest.mark.sandbox
@pytest.mark.parametrize("rules", LiveCodeBenchRules)
def test_the_first_test_that_fails_is_told(judge, rules):
    execution = judge("print(8 // int(input()))", "2", "4", rules, more=[("4", "3"), ("0", "1")])
    assert (execution.verdict, execution.failing_case) == (Verdict.WRONG_ANSWER, 1)
    assert (execution.failure.call, execution.failure.actual) == ("4", "2\n")


@pytest.mark.sandbox
@pytest.mark.parametrize("rules", LiveCodeBenchRules)
def test_an_exception_fails_a_test_that_expects_no_output(judge, rules):
    execution = judge("raise KeyError(7)", "", "", rules)
    assert (execution.verdict, execution.error_type) == (Verdict.EXCEPTION, "KeyError")


@pytest.mark.sandbox
@pytest.mark.parametrize("rules", LiveCodeBenchRules)
def test_a_program_that_ends_its_process_does_not_pass(judge, rules):
    execution = judge("import os\nprint(7)\nos._exit(0)", "", "7", rules)
    assert not execution.passed


@pytest.mark.sandbox
@pytest.mark.parametrize("rules", LiveCodeBenchRules)
def test_a_program_that_does_not_parse_raises_a_syntax_error(judge, rules):
    assert judge("print(7", "", "7", rules).error_type == "SyntaxError"


@pytest.mark.sandbox
@pytest.mark.parametrize("rules", LiveCodeBenchRules)
def test_a_program_may_print_longer_than_results_of_calls_may_be(judge, rules):
    long = "7" * (17 << 20)
    assert judge(f"print('7' * {17 << 20})", "", long, rules).passed


@pytest.mark.sandbox
@pytest.mark.parametrize("rules", LiveCodeBenchRules)
def test_a_method_may_return_numpys_numbers(judge, rules):
    code = "import numpy\nclass Solution:\n    def f(self, n):\n        return [numpy.int64(n)]"
    assert judge(code, "7", "[7]", rules, method="f").passed


@pytest.mark.sandbox
@pytest.mark.parametrize("rules", LiveCodeBenchRules)
def test_integers_may_have_fifty_thousand_digits_and_no_more(judge, rules):
    code = "print('9' * 3 + str(10 ** (int(input()) - 1))[:0])"
    assert judge(code, "50000\n", "999", rules).verdict is PASSED
    assert judge(code, "50001\n", "999", rules).error_type == "ValueError"


@pytest.mark.sandbox
def test_a_method_may_return_an_integer_of_ten_thousand_digits(judge):
    wanted = "1" + "0" * 9_999
    assert judge("def f(n):\n    return 10 ** n", "9999", wanted, method="f").passed
    assert not judge("def f(n):\n    return 10 ** n + 1", "9999", wanted, method="f").passed


@pytest.mark.sandbox
def test_a_sleeping_program_is_ended_by_the_tests_limit(judge):
    execution = judge(
        "import time\ntime.sleep(600)", "", "7", given_limits=JudgingLimits(seconds=1)
    )
    assert execution.verdict is Verdict.TIMEOUT


ENDLESS = (
    "import threading\n"
    "def rest():\n    while True: pass\n"
    "threading.Thread(target=rest).start()\n"
    "print(7)"
)


@pytest.mark.sandbox
def test_strict_rules_wait_for_threads_that_the_program_does_not_wait_for(judge):
    soon = JudgingLimits(seconds=0.5)
    assert judge(ENDLESS, "", "7", STRICT, given_limits=soon).verdict is Verdict.TIMEOUT


@pytest.mark.sandbox
def test_official_rules_do_not_wait_for_threads_that_the_program_does_not_wait_for(judge):
    late = JudgingLimits(seconds=60)
    assert judge(ENDLESS, "", "7", OFFICIAL, given_limits=late).verdict is PASSED


HASTY = (
    "import sys, threading\n"
    "sys.setswitchinterval(1e-6)\n"
    "def late():\n    print(sum(range(10_000)) - 49_994_993)\n"
    "threading.Thread(target=late).start()"
)


@pytest.mark.sandbox
@pytest.mark.parametrize("rules", LiveCodeBenchRules)
def test_what_a_thread_prints_within_a_moment_counts(judge, rules):
    assert judge(HASTY, "", "7", rules).passed


@pytest.mark.sandbox
def test_what_a_thread_prints_counts_where_the_program_exits(judge):
    assert judge(f"{HASTY}\nsys.exit()", "", "7", OFFICIAL).passed


COUNTED = "import builtins, os\nbuiltins.runs = getattr(builtins, 'runs', 0) + 1\n"


@pytest.mark.sandbox
def test_a_program_that_ends_its_process_fails_the_test_in_which_it_does(judge):
    code = f"{COUNTED}if builtins.runs == 20:\n    os._exit(0)\nprint(7)"
    assert judge(code, "", "7", OFFICIAL, more=[("", "7")] * 24).failing_case == 19


@pytest.mark.sandbox
def test_a_wrong_answer_counts_though_the_program_ends_its_process_later(judge):
    code = f"{COUNTED}if builtins.runs == 20:\n    os._exit(0)\nprint(builtins.runs != 18)"
    execution = judge(code, "", "True", OFFICIAL, more=[("", "True")] * 24)
    assert (execution.verdict, execution.failing_case) == (Verdict.WRONG_ANSWER, 17)


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("limits", "verdict"), [(OWN_LIMITS, PASSED), (JudgingLimits(memory_gib=0.25), Verdict.MEMORY)]
)
def test_a_limit_of_memory_that_is_given_is_the_programs(judge, limits, verdict):
    code = "held = bytearray(1 << 29)\nprint(7)"
    assert judge(code, "", "7", given_limits=limits).verdict is verdict


@pytest.mark.sandbox
def test_a_failure_shows_the_input_with_what_was_wanted_and_printed(judge):
    failure = judge("print(int(input()) + 1)", "7\n", "7\n").failure
    assert (failure.call, failure.expected, failure.actual) == ("7\n", "7\n", "8\n")


@pytest.mark.sandbox
def test_a_failing_call_shows_its_arguments_with_what_was_wanted_and_returned(judge):
    failure = judge("def f(a, b):\n    return a", '1\n"x"', '"x"', method="f").failure
    assert (failure.call, failure.expected, failure.actual) == ("f(1, 'x')", '"x"', "1")


@pytest.mark.parametrize("digits", [1, 4_000, 4_001, 9_999, 20_001])
@pytest.mark.parametrize("sign", ["", "-"])
def test_integers_of_any_length_are_read(digits, sign):
    (value,) = read_json(f"[{sign}{'7' * digits}]")
    seven = 7 * (10**digits - 1) // 9
    assert value == (-seven if sign else seven)
