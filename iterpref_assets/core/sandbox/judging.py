"""Verdicts from what a program reported, decided here and not by it.

Calls of a function and whole programs fed on standard input are judged by plain data compared
here. Test files run beside the candidate, so their verdicts are `in_process`; ProxiedTests run in
a process that the candidate is out of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.records import CodeTests, FunctionTests, RaisingCase, StdioTests, Tests
from iterpref_assets.core.sandbox import feedback
from iterpref_assets.core.sandbox.code_tests import (
    ContinuedTests,
    PlannedTests,
    ProxiedTests,
    not_run,
    plan_tests,
)
from iterpref_assets.core.sandbox.inside.program import AT_ONCE
from iterpref_assets.core.sandbox.outcomes import (
    CallOutcome,
    CallRun,
    ProgramRun,
    Raised,
    Runner,
    TestOutcome,
    scrub,
)
from iterpref_assets.core.sandbox.values import (
    Encoded,
    MalformedValueError,
    encode_arguments,
    encode_value,
    values_equal,
)
from iterpref_assets.core.sandbox.verdicts import Execution, Limits, Verdict
from iterpref_assets.core.syntax import literal


def judge(runner: Runner, code: str, tests: Tests | ProxiedTests, limits: Limits) -> Execution:
    """The verdict on `code` by its tests.

    Raises:
        InputError: if the tests themselves are unusable.
    """
    if isinstance(tests, FunctionTests):
        return judge_calls(runner, code, tests, limits)
    if isinstance(tests, StdioTests):
        return judge_stdio(runner, code, tests, limits)
    return judge_test_file(runner, code, tests, limits)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One run of all calls: how many were right before the first that failed, if one did."""

    run: CallRun
    passed: int
    failed: CallOutcome | None

    def lost_outcomes(self, calls: int) -> bool:
        """Whether the program may have died with outcomes that it had not sent yet."""
        refused = self.run.ending is Verdict.REFUSED
        return not refused and self.failed is None and AT_ONCE <= self.passed < calls

    def all_right(self, calls: int) -> bool:
        """Whether every call was right and the program came to its end."""
        return self.passed == calls and self.failed is None and self.run.ending is None


def judge_calls(runner: Runner, code: str, tests: FunctionTests, limits: Limits) -> Execution:
    """Make the calls in order, all within `limits` together, up to the first that fails.

    A program that is killed late is run again, to learn in which call.

    Raises:
        InputError: if a case is not a literal.
    """
    arguments = encode_arguments(_literal(case.arguments, "arguments") for case in tests.cases)
    expected = [
        case.raises
        if isinstance(case, RaisingCase)
        else encode_value(_literal(case.expected, "expected"), limits.result_bytes)
        for case in tests.cases
    ]

    def attempt(*, one_by_one: bool) -> _Attempt:
        passed = 0
        failed: CallOutcome | None = None

        def fails(number: int, outcome: CallOutcome) -> bool:
            nonlocal passed, failed
            if _as_wanted(outcome, expected[number]):
                passed += 1
                return False
            failed = outcome
            return True

        run = runner.run_calls(
            code,
            tests.entry_point,
            arguments,
            limits,
            stop=fails,
            keep=False,
            one_by_one=one_by_one,
        )
        return _Attempt(run, passed, failed)

    made = attempt(one_by_one=False)
    cpu = made.run.cpu_seconds
    if made.lost_outcomes(len(expected)):
        again = attempt(one_by_one=True)
        cpu += again.run.cpu_seconds
        if not again.all_right(len(expected)):
            made = again
    run, passed = made.run, made.passed
    verdict, error_type, message = _conclude(run, code, tests, passed, made.failed)
    about_a_case = verdict is not Verdict.PASSED and run.not_loaded is None and not run.no_function
    return Execution(
        verdict=verdict,
        error_type=error_type,
        message=message,
        failing_case=min(passed, len(expected) - 1) if about_a_case else None,
        cpu_seconds=cpu,
    )


def _as_wanted(outcome: CallOutcome, wanted: Encoded | str) -> bool:
    """Whether a call returned the value, or raised an exception of the class of that name."""
    if isinstance(wanted, str):
        return outcome.raised is not None and wanted in outcome.raised.kinds
    return matches(outcome, wanted)


def matches(outcome: CallOutcome, expected: Encoded) -> bool:
    """Whether a call returned the expected value; see `values_equal` for what equal means."""
    if outcome.result is None:
        return False
    if outcome.result == expected:
        return True
    if not outcome.result.could_equal(expected):
        return False
    try:
        return values_equal(outcome.value(), expected.decode())
    except MalformedValueError:
        return False


def _conclude(  # noqa: PLR0911 - one line per way to end
    run: CallRun, code: str, tests: FunctionTests, passed: int, failed: CallOutcome | None
) -> tuple[Verdict, str, str]:
    """The verdict, the exception's class name and the message."""
    if failed is not None:
        return _failed_call(failed, code, tests, passed)
    if run.ending is Verdict.REFUSED:
        return Verdict.REFUSED, "", f"the program {run.refusal}"
    if run.ending is not None:
        return _limit(run.ending, tests, min(passed, len(tests.cases) - 1))
    if run.not_loaded is not None:
        name = run.not_loaded.error_type
        if name == "MemoryError":
            return Verdict.MEMORY, "", f"the program {feedback.LIMITS[Verdict.MEMORY]}"
        return Verdict.EXCEPTION, name, f"the program {_told(run.not_loaded, code)}"
    if run.no_function:
        return Verdict.EXCEPTION, "NameError", feedback.no_such_function(tests.entry_point)
    if passed < len(tests.cases):
        return _limit(Verdict.CRASHED, tests, passed)
    return Verdict.PASSED, "", ""


def _failed_call(
    outcome: CallOutcome, code: str, tests: FunctionTests, number: int
) -> tuple[Verdict, str, str]:
    case = tests.cases[number]
    if outcome.refused:
        return Verdict.REFUSED, "", f"{feedback.call(tests.entry_point, case)} {outcome.refused}"
    if outcome.raised is None:
        message = feedback.wrong_answer(tests.entry_point, case, scrub(outcome.literal()))
        return Verdict.WRONG_ANSWER, "", message
    if outcome.raised.error_type == "MemoryError":
        return _limit(Verdict.MEMORY, tests, number)
    called = feedback.call(tests.entry_point, case)
    wanted = case.raises if isinstance(case, RaisingCase) else None
    if wanted == outcome.raised.error_type:  # the program's class only bears that name
        wanted = f"the built-in {wanted}"
    told = _told(outcome.raised, code, instead_of=wanted)
    return Verdict.EXCEPTION, outcome.raised.error_type, f"{called} {told}"


def _told(raised: Raised, code: str, instead_of: str | None = None) -> str:
    line = feedback.source_line(code, raised.line)
    return feedback.exception(raised.error_type, scrub(raised.message), line, instead_of)


def _limit(verdict: Verdict, tests: FunctionTests, number: int) -> tuple[Verdict, str, str]:
    return verdict, "", feedback.limit_hit(tests.entry_point, tests.cases[number], verdict)


def check_literals(tests: FunctionTests) -> None:
    """Refuse tests that `judge_calls` could not use.

    Raises:
        InputError: naming the case that is no literal, or whose arguments are no tuple.
    """
    for number, case in enumerate(tests.cases):
        field = f"cases.{number}.arguments"
        if not isinstance(arguments := _literal(case.arguments, field), tuple):
            raise InputError(
                f"{case.arguments[:80]!r} is not the literal of a tuple",
                field=field,
                remedy=f"Write one argument as {(arguments,)!r:.80}",
            )
        if not isinstance(case, RaisingCase):
            _literal(case.expected, f"cases.{number}.expected")


def _literal(text: str, field: str) -> Any:
    try:
        return literal(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise InputError(
            f"a test holds {text[:80]!r}, which is not a Python literal",
            remedy="Write plain data: numbers, strings in quotes, lists, tuples, sets, dicts, None",
            field=field,
        ) from error


def judge_stdio(runner: Runner, code: str, tests: StdioTests, limits: Limits) -> Execution:
    """Run the program once per case, each within `limits`, up to the first that fails."""
    cpu = 0.0
    for number, case in enumerate(tests.cases):
        run = runner.run_program(code, case.stdin, limits.for_output(case.stdout))
        cpu += run.cpu_seconds
        verdict, error_type, what = _outcome(run, case.stdout, code)
        if verdict is not Verdict.PASSED:
            shown = feedback.shorten(case.stdin.strip())
            message = f"with input {shown!r} the program {what}"
            return Execution(verdict, error_type, message, number, cpu_seconds=cpu)
    return Execution(Verdict.PASSED, cpu_seconds=cpu)


def _outcome(run: ProgramRun, expected: str, code: str) -> tuple[Verdict, str, str]:
    """The verdict on one run, the exception's class name, and what the program did."""
    ending = run.ending
    raised = run.raised
    if ending is Verdict.REFUSED:
        return ending, "", run.refusal
    if ending is None and raised is not None and raised.error_type == "MemoryError":
        ending = Verdict.MEMORY
    if ending is not None:
        return ending, "", feedback.LIMITS[ending]
    if raised is not None:
        line = feedback.source_line(code, raised.line)
        what = feedback.exception(raised.error_type, scrub(raised.message), line)
        return Verdict.EXCEPTION, raised.error_type, what
    printed = run.stdout.decode("utf-8", "replace")
    if _lines(printed) == _lines(expected):
        return Verdict.PASSED, "", ""
    wanted, got = feedback.shorten(expected.strip()), feedback.shorten(printed.strip())
    return Verdict.WRONG_ANSWER, "", f"printed {got!r} instead of {wanted!r}"


def _lines(text: str) -> list[str]:
    """Lines without blanks around them, as the judges of programming contests compare."""
    return [line.strip() for line in text.strip().split("\n")]


def judge_test_file(
    runner: Runner, code: str, tests: CodeTests | ProxiedTests, limits: Limits
) -> Execution:
    """Run the test file beside the candidate, or apart from it, up to the first test that fails.

    Raises:
        InputError: if the test file does not parse, or has no test that can fail.
    """
    of_case = isinstance(tests, ContinuedTests | ProxiedTests)
    plan = plan_tests(tests.code, tests.case if of_case else "")
    run = runner.run_tests(code, tests, plan, limits)
    outcome, beside = run.outcome, isinstance(tests, CodeTests)
    if run.ending is not None or outcome is None:
        verdict = run.ending or Verdict.CRASHED
        refused = verdict is Verdict.REFUSED
        message = f"the program {run.refusal if refused else feedback.LIMITS[verdict]}"
        return Execution(verdict, "", message, in_process=beside, cpu_seconds=run.cpu_seconds)
    verdict, error_type, message = _conclude_file(outcome, run.checks, tests, plan)
    failing = plan.names.index(outcome.test) if outcome.test in plan.names else None
    return Execution(verdict, error_type, message, failing, beside, run.cpu_seconds)


def _conclude_file(
    outcome: TestOutcome,
    checks: set[tuple[str, int]],
    tests: CodeTests | ProxiedTests,
    plan: PlannedTests,
) -> tuple[Verdict, str, str]:
    if outcome.kind == "tampered":
        return Verdict.REFUSED, "", f"the program changes {scrub(outcome.message)}"
    if outcome.kind == "passed":
        unrun = _unrun(outcome, checks, tests, plan)
        return Verdict.REFUSED if unrun else Verdict.PASSED, "", unrun
    if outcome.error_type == "MemoryError":
        return Verdict.MEMORY, "", f"the program {feedback.LIMITS[Verdict.MEMORY]}"
    if missing := feedback.missing_name(outcome.error_type, outcome.message):
        return Verdict.EXCEPTION, outcome.error_type, feedback.no_such_function(missing)
    where = f"{outcome.test}: " if outcome.test else ""
    line = feedback.statement_text(tests.code, outcome.line)
    text = feedback.shorten(" ".join(scrub(outcome.message).split()))
    error = f"{outcome.error_type}: {text}" if text else outcome.error_type
    message = f"{where}{line} raised {error}" if line else f"{where}{error}"
    if outcome.kind == "failed":
        return Verdict.WRONG_ANSWER, "", message
    return Verdict.EXCEPTION, outcome.error_type, message


def _unrun(
    outcome: TestOutcome,
    checks: set[tuple[str, int]],
    tests: CodeTests | ProxiedTests,
    plan: PlannedTests,
) -> str:
    """What did not run of a test file that nothing failed, or "".

    A file that goes on in the program's module is a benchmark's, whose own harness asks no more
    than that all its tests passed.
    """
    if outcome.tests_passed != len(plan.names):
        return "not every test ran to its end"
    if not checks:
        return f"none of the test file's {plan.checks} checks ran"
    if isinstance(tests, ProxiedTests) or tests.shared_namespace:
        return ""
    return not_run(tests.code, checks)
