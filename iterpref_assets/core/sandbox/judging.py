"""Verdicts from what a program reported, decided here and not by it."""

from __future__ import annotations

import ast
import re
import sys
from typing import Any, Protocol

from iterpref_assets.core.debugging import feedback
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.records import Case, CodeTests, FunctionTests, StdioTests, Tests
from iterpref_assets.core.sandbox.runs import CallOutcome, CallRun, ProgramRun
from iterpref_assets.core.sandbox.values import (
    Encoded,
    MalformedValueError,
    encode_value,
    values_equal,
)
from iterpref_assets.core.sandbox.verdicts import Execution, Limits, Verdict

_PATH = re.compile(rf"{re.escape(sys.base_prefix)}\S*?(?=[)'\"\s]|$)")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


class Runner(Protocol):
    """What judging needs of the sandbox."""

    def run_calls(
        self, code: str, entry_point: str, arguments: Any, limits: Limits, *, stop: Any
    ) -> CallRun: ...

    def run_program(self, code: str, stdin: str, limits: Limits) -> ProgramRun: ...


def judge(runner: Runner, code: str, tests: Tests, limits: Limits) -> Execution:
    """The verdict on `code` by its tests."""
    if isinstance(tests, FunctionTests):
        return _judge_function(runner, code, tests, limits)
    if isinstance(tests, StdioTests):
        return _judge_stdio(runner, code, tests, limits)
    return _judge_code(runner, code, tests, limits)


def _judge_function(runner: Runner, code: str, tests: FunctionTests, limits: Limits) -> Execution:
    arguments = [_literal(case.arguments, "arguments") for case in tests.cases]
    expected = [
        encode_value(_literal(case.expected, "expected"), limits.result_bytes)
        for case in tests.cases
    ]

    def fails(number: int, outcome: CallOutcome) -> bool:
        return number >= len(expected) or not matches(outcome, expected[number])

    run = runner.run_calls(code, tests.entry_point, arguments, limits, stop=fails)
    made = len(run.outcomes)
    if run.stopped and made > len(expected):
        return _limit(run, Verdict.REFUSED, tests, len(expected) - 1)
    if run.stopped:
        return _failed_call(run, tests, made - 1)
    if run.ending is not None:
        return _limit(run, run.ending, tests, min(made, len(expected) - 1))
    if run.not_loaded is not None:
        return _not_loaded(run, run.not_loaded)
    if run.no_function:
        message = feedback.no_such_function(tests.entry_point)
        return _execution(run, Verdict.EXCEPTION, "NameError", message)
    if made < len(expected):
        return _limit(run, Verdict.CRASHED, tests, made)
    return _execution(run, Verdict.PASSED)


def matches(outcome: CallOutcome, expected: Encoded) -> bool:
    """Whether a call returned the expected value; see `values_equal` for what equal means."""
    if outcome.result is None:
        return False
    if outcome.result == expected:
        return True
    try:
        return values_equal(outcome.value(), expected.decode())
    except MalformedValueError:
        return False


def _failed_call(run: CallRun, tests: FunctionTests, number: int) -> Execution:
    outcome, case = run.outcomes[number], tests.cases[number]
    if outcome.refused:
        return _limit(run, Verdict.REFUSED, tests, number)
    if outcome.result is not None:
        message = feedback.wrong_answer(tests.entry_point, case, scrub(outcome.literal()))
        return _execution(run, Verdict.WRONG_ANSWER, "", message, number)
    if outcome.error_type == "MemoryError":
        return _limit(run, Verdict.MEMORY, tests, number)
    message = feedback.raised(tests.entry_point, case, outcome.error_type, scrub(outcome.message))
    return _execution(run, Verdict.EXCEPTION, outcome.error_type, message, number)


def _not_loaded(run: CallRun, error: tuple[str, str]) -> Execution:
    name, text = error
    if name == "MemoryError":
        return _execution(run, Verdict.MEMORY, "", "the program ran out of memory")
    return _execution(run, Verdict.EXCEPTION, name, feedback.not_importable(name, scrub(text)))


def _limit(run: CallRun, verdict: Verdict, tests: FunctionTests, number: int) -> Execution:
    message = feedback.limit_hit(tests.entry_point, tests.cases[number], verdict)
    return _execution(run, verdict, "", message, number)


def _execution(
    run: CallRun | ProgramRun,
    verdict: Verdict,
    error_type: str = "",
    message: str = "",
    failing_case: int | None = None,
) -> Execution:
    return Execution(
        verdict=verdict,
        error_type=error_type,
        message=message,
        failing_case=failing_case,
        cpu_seconds=run.cpu_seconds,
    )


def _judge_stdio(runner: Runner, code: str, tests: StdioTests, limits: Limits) -> Execution:
    cpu = 0.0
    for number, case in enumerate(tests.cases):
        run = runner.run_program(code, case.stdin, limits)
        cpu = run.cpu_seconds = cpu + run.cpu_seconds
        shown = feedback.shorten(case.stdin.strip())
        if run.ending is not None or (run.raised is not None and run.raised[0] == "MemoryError"):
            verdict = run.ending or Verdict.MEMORY
            message = f"with input {shown!r} the program {feedback.LIMITS[verdict]}"
            return _execution(run, verdict, "", message, number)
        if run.raised is not None:
            name, text = run.raised
            message = f"with input {shown!r} {feedback.not_importable(name, scrub(text))}"
            return _execution(run, Verdict.EXCEPTION, name, message, number)
        printed = run.stdout.decode("utf-8", "replace")
        if _lines(printed) != _lines(case.stdout):
            wanted, got = feedback.shorten(case.stdout.strip()), feedback.shorten(printed.strip())
            message = f"with input {shown!r} the program printed {got!r} instead of {wanted!r}"
            return _execution(run, Verdict.WRONG_ANSWER, "", message, number)
    return Execution(verdict=Verdict.PASSED, cpu_seconds=cpu)


def _lines(text: str) -> list[str]:
    """Lines without blanks around them, as the judges of programming contests compare."""
    return [line.strip() for line in text.strip().split("\n")]


def _judge_code(runner: Runner, code: str, tests: CodeTests, limits: Limits) -> Execution:
    raise NotImplementedError


def _literal(text: str, field: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise InputError(
            f"a test holds {text[:80]!r}, which is not a Python literal",
            remedy="Write plain data: numbers, strings, lists, tuples, sets, dicts, None",
            field=field,
        ) from error


def scrub(text: str) -> str:
    """`text` without this machine's paths and without memory addresses."""
    return _ADDRESS.sub("", _PATH.sub("<python>", text))
