"""Verdicts and messages of ordinary programs."""

import asyncio
import gc
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from patient_sandbox import SOON, UNREACHED

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.records import Case, CodeTests, FunctionTests, StdioCase, StdioTests
from iterpref_assets.core.sandbox import outcomes
from iterpref_assets.core.sandbox.judging import judge_test_file
from iterpref_assets.core.sandbox.outcomes import CallOutcome
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Limits, Verdict

from .conftest import SQUARE, SQUARE_TEST_FILE, SQUARES, descendants

SUM = StdioTests(
    cases=(StdioCase(stdin="1 2\n", stdout="3\n"), StdioCase(stdin="4 5\n", stdout="9\n"))
)


@pytest.mark.parametrize(
    ("code", "verdict", "error_type", "message", "failing_case"),
    [
        (SQUARE, Verdict.PASSED, "", "", None),
        (
            "def square(x): return 9",
            Verdict.WRONG_ANSWER,
            "",
            "assert square(4) == 16  # got 9",
            1,
        ),
        (
            "def square(x): return {'b', 'a', 'c'}",
            Verdict.WRONG_ANSWER,
            "",
            "assert square(3) == 9  # got {'a', 'b', 'c'}",
            0,
        ),
        (
            "def square(x): return [][x]",
            Verdict.EXCEPTION,
            "IndexError",
            (
                "square(3) raised IndexError: list index out of range, "
                "in line 1: def square(x): return [][x]"
            ),
            0,
        ),
        (
            "def square(x): raise ValueError(object())",
            Verdict.EXCEPTION,
            "ValueError",
            (
                "square(3) raised ValueError: <object object>, "
                "in line 1: def square(x): raise ValueError(object())"
            ),
            0,
        ),
        (
            "def cube(x): return x ** 3",
            Verdict.EXCEPTION,
            "NameError",
            "the program does not define square",
            None,
        ),
        (
            "def square(x) return x",
            Verdict.EXCEPTION,
            "SyntaxError",
            "the program raised SyntaxError: expected ':', in line 1: def square(x) return x",
            None,
        ),
        (
            "def square(x): return [0] * 10**12",
            Verdict.MEMORY,
            "",
            "square(3) ran out of memory",
            0,
        ),
        (
            "def square(x):\n    while True: pass",
            Verdict.TIMEOUT,
            "",
            "square(3) ran out of time",
            0,
        ),
        (
            "import os\ndef square(x): os._exit(3)",
            Verdict.CRASHED,
            "",
            "square(3) ended its process",
            0,
        ),
    ],
)
def test_each_outcome_has_its_verdict_and_message(
    sandbox: Sandbox,
    code: str,
    verdict: Verdict,
    error_type: str,
    message: str,
    failing_case: int | None,
) -> None:
    limits = SOON if verdict is Verdict.TIMEOUT else UNREACHED
    execution = sandbox.judge(code, SQUARES, limits)
    assert execution.verdict is verdict
    assert execution.error_type == error_type
    assert execution.message == message
    assert execution.failing_case == failing_case
    assert not execution.in_process


def test_messages_are_the_same_from_another_sandbox(sandbox: Sandbox) -> None:
    codes = [
        "def square(x): return set('hello')",
        "def square(x): raise KeyError(set('hello'))",
        "import random\ndef square(x): return random.random()",
        "def square(x): return square",
        "import nowhere",
        "from math import nothing",
    ]
    with Sandbox(workers=1) as other:
        for code in codes:
            assert sandbox.judge(code, SQUARES).message == other.judge(code, SQUARES).message


def test_message_holds_no_path_of_this_machine(sandbox: Sandbox) -> None:
    execution = sandbox.judge("import os\ndef square(x): raise OSError(os.__file__)", SQUARES)
    assert execution.error_type == "OSError"
    assert sys.base_prefix not in execution.message


def test_literal_that_is_none_is_named(sandbox: Sandbox) -> None:
    tests = FunctionTests(entry_point="f", cases=(Case(arguments="(1,)", expected="f(2)"),))
    with pytest.raises(InputError, match="'f\\(2\\)', which is not a Python literal"):
        sandbox.judge("def f(x): return 1", tests)


def test_stdio_program_passes(sandbox: Sandbox) -> None:
    code = "a, b = map(int, input().split())\nprint(a + b)"
    assert sandbox.judge(code, SUM).passed


def test_stdio_program_under_a_main_guard_passes(sandbox: Sandbox) -> None:
    code = "if __name__ == '__main__':\n    print(sum(map(int, input().split())), ' ')\n    exit()"
    assert sandbox.judge(code, SUM).passed


def test_stdio_wrong_answer_shows_input_and_output(sandbox: Sandbox) -> None:
    execution = sandbox.judge("print(3)", SUM)
    assert execution.verdict is Verdict.WRONG_ANSWER
    assert execution.failing_case == 1
    assert execution.message == "with input '4 5' the program printed '3' instead of '9'"


def test_stdio_exception_is_named(sandbox: Sandbox) -> None:
    execution = sandbox.judge("print(int('x'))", SUM)
    assert (execution.verdict, execution.error_type) == (Verdict.EXCEPTION, "ValueError")
    assert execution.message.startswith("with input '1 2' the program raised ValueError: ")


def test_stdio_output_beyond_the_limit_is_refused(sandbox: Sandbox) -> None:
    execution = sandbox.judge("print('x' * 100_000)", SUM, replace(UNREACHED, output_bytes=1000))
    assert execution.verdict is Verdict.REFUSED


def test_stdio_program_passes_however_long_its_right_output_is(sandbox: Sandbox) -> None:
    lines = "12345678\n" * 250_000
    tests = StdioTests(cases=(StdioCase(stdin="250000", stdout=lines),))
    code = "for _ in range(int(input())): print(12345678)"
    assert sandbox.judge(code, tests).passed


def test_stdio_output_may_have_other_blanks_than_a_long_expected_one(sandbox: Sandbox) -> None:
    tests = StdioTests(cases=(StdioCase(stdin="", stdout="1234567\n" * 250_000),))
    assert sandbox.judge("print(' 1234567 \\r\\n' * 250_000)", tests).passed


def test_stdio_wrong_output_slightly_over_a_short_limit_is_a_wrong_answer(sandbox: Sandbox) -> None:
    execution = sandbox.judge("print('x' * 2000)", SUM, replace(UNREACHED, output_bytes=1000))
    assert execution.verdict is Verdict.WRONG_ANSWER


def test_failed_assertion_of_a_test_file_is_shown(sandbox: Sandbox) -> None:
    execution = sandbox.judge("def square(x): return x + 6", SQUARE_TEST_FILE)
    assert execution.verdict is Verdict.WRONG_ANSWER
    assert execution.message == (
        "TestSquare.test_four: self.assertEqual(square(4), 16) raised AssertionError: 10 != 16"
    )
    assert execution.failing_case == 0


@pytest.mark.parametrize(
    "test_file",
    [
        "from solution import square\n\ndef test_it():\n    assert square(4) == 16\n",
        "def test_it():\n    from solution import square\n    assert square(4) == 16\n",
        "import solution\n\ndef test_it():\n    assert solution.square(4) == 16\n",
        (
            "import unittest\nfrom solution import square\n\nclass TestSquare(unittest.TestCase):\n"
            "    def test_four(self):\n        self.assertEqual(square(4), 16)\n"
        ),
    ],
    ids=["import", "import in a test", "attribute", "unittest"],
)
def test_a_test_file_tells_of_a_missing_function_as_calls_do(sandbox: Sandbox, test_file) -> None:
    execution = sandbox.judge("def quadrat(x): return x * x", CodeTests(code=test_file))
    called = sandbox.judge("def quadrat(x): return x * x", SQUARES)
    assert execution.message == called.message == "the program does not define square"
    assert execution.verdict is Verdict.EXCEPTION


def test_a_name_that_the_program_itself_cannot_import_is_told_as_it_was_raised(sandbox) -> None:
    code = "def square(x):\n    from json import missing\n    return x * x\n"
    message = sandbox.judge(code, SQUARE_TEST_FILE).message
    assert "ImportError: cannot import name 'missing' from 'json'" in message
    assert "in line 2: from json import missing" in message


def test_test_class_may_continue_the_programs_own_module(sandbox: Sandbox) -> None:
    tests = CodeTests(
        shared_namespace=True,
        code=(
            "import unittest\nfrom unittest.mock import patch\n"
            "class TestCases(unittest.TestCase):\n"
            "    @patch('builtins.print')\n"
            "    def test_it(self, printed):\n"
            "        self.assertEqual(square(3), 9)\n"
            "        printed.assert_called_once_with(9)\n"
        ),
    )
    assert sandbox.judge("def square(x):\n    print(x * x)\n    return x * x\n", tests).passed


def test_run_calls_tells_of_each_outcome_and_stops_on_request(sandbox: Sandbox) -> None:
    seen: list[int] = []

    def stop(number: int, outcome: CallOutcome) -> bool:
        seen.append(outcome.value())
        return number == 2

    run = sandbox.run_calls(SQUARE, "square", [(n,) for n in range(10**5)], stop=stop)
    assert seen == [0, 1, 4]
    assert run.stopped
    assert run.ending is None


def test_result_with_many_digits_comes_back(sandbox: Sandbox) -> None:
    run = sandbox.run_calls("def f(n): return 10 ** n", "f", [(6000,)])
    assert run.outcomes[0].value() == 10**6000


def test_many_threads_may_judge_at_once() -> None:
    with Sandbox(workers=2) as sandbox, ThreadPoolExecutor(8) as pool:
        codes = [f"def square(x): return x * x + {n % 2}" for n in range(60)]
        verdicts = [each.verdict for each in pool.map(lambda c: sandbox.judge(c, SQUARES), codes)]
    assert verdicts == [Verdict.PASSED, Verdict.WRONG_ANSWER] * 30


def test_judging_from_asyncio_threads() -> None:
    async def both(sandbox: Sandbox) -> list[bool]:
        tasks = [asyncio.to_thread(sandbox.judge, SQUARE, SQUARES) for _ in range(4)]
        return [execution.passed for execution in await asyncio.gather(*tasks)]

    with Sandbox(workers=2) as sandbox:
        assert asyncio.run(both(sandbox)) == [True] * 4


def test_server_outlives_the_thread_that_started_it(sandbox: Sandbox) -> None:
    made: list[Sandbox] = []
    thread = threading.Thread(target=lambda: made.append(Sandbox(workers=1)))
    thread.start()
    thread.join()
    with made[0] as other:
        assert other.judge(SQUARE, SQUARES).passed


def test_granted_package_can_be_imported_and_others_cannot(sandbox: Sandbox) -> None:
    code = "import numpy\ndef square(x): return int(numpy.square(x))"
    assert sandbox.judge(code, SQUARES).passed
    with Sandbox(workers=1) as bare:
        assert bare.judge(code, SQUARES).error_type == "ModuleNotFoundError"


def test_unknown_package_is_named() -> None:
    with pytest.raises(InputError, match="no-such-package"):
        Sandbox(workers=1, packages=("no-such-package",))


def test_nothing_is_left_after_many_programs(sandbox: Sandbox) -> None:
    def held() -> tuple[int, int]:
        return len(list(Path("/proc/self/fd").iterdir())), len(descendants(os.getpid()))

    hostile = (
        "import os\ndef square(x):\n    os.fork()\n    open('left', 'w').close()\n    os.pipe()\n"
    )
    gc.collect()  # what other tests left open would else be closed at any moment
    sandbox.judge(SQUARE, SQUARES)
    before = held()
    for number in range(200):
        sandbox.judge(hostile if number % 4 == 0 else SQUARE, SQUARES)
    assert held() == before


def test_the_line_shown_is_the_programs_innermost_one(sandbox: Sandbox) -> None:
    code = """
import json
def read(x):
    return json.loads("[")
def square(x):
    return read(x)
"""
    message = sandbox.judge(code, SQUARES).message
    assert message.endswith(', in line 4: return json.loads("[")')


@pytest.mark.parametrize("line", ["10**30", "-1", "None", "[1]", "10**9"])
def test_a_line_that_is_none_of_the_programs_is_not_shown(sandbox: Sandbox, line: str) -> None:
    code = f"""
import marshal, os
def square(x):
    payload = marshal.dumps(("KeyError", "'a'", {line}), 2)
    os.write(3, b"E" + len(payload).to_bytes(4, "little") + payload)
"""
    execution = sandbox.judge(code, SQUARES)
    assert execution.verdict is Verdict.EXCEPTION
    assert "in line" not in execution.message


def test_a_scripts_exception_is_shown_with_its_line(sandbox: Sandbox) -> None:
    execution = sandbox.judge("first = input()\nprint(int(first))", SUM)
    assert execution.message == (
        "with input '1 2' the program raised ValueError: "
        "invalid literal for int() with base 10: '1 2', in line 2: print(int(first))"
    )


class FailsAt:
    """Says that the tests failed at a line of their file."""

    def __init__(self, line: int) -> None:
        self.outcome = outcomes.TestOutcome("failed", "test_one", "AssertionError", "", line, 0)

    def run_tests(self, *_: object) -> outcomes.TestRun:
        return outcomes.TestRun(self.outcome)

    run_calls: Any = None
    run_program: Any = None


@pytest.mark.parametrize("separator", ["\f", "\v", "\x1c", "\x85", "\u2028"])
def test_the_line_that_failed_is_counted_as_python_counts_it(separator: str) -> None:
    code = f'def test_one():\n    sign = "{separator}"\n    assert f(sign) == 2\n'
    execution = judge_test_file(FailsAt(3), "", CodeTests(code=code), Limits())
    assert execution.message == "test_one: assert f(sign) == 2 raised AssertionError"
