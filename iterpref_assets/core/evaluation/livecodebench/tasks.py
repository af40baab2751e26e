"""LiveCodeBench tasks: run in the sandbox, compared here as the official harness compares.

As LiveCodeBench's `testing_util.py` has it, on plain values: a method may return a tuple for a
list and must otherwise return what equals the expected JSON value; a program's lines are compared
stripped, and where two differ, as decimal numbers; `sys.exit` ends a program without fault. What a
program is run as depends on the rules (`sources.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from iterpref_assets.core.evaluation.config import OWN_LIMITS, JudgingLimits
from iterpref_assets.core.evaluation.livecodebench.data import LiveCodeBenchProblem
from iterpref_assets.core.evaluation.livecodebench.long_integers import read_json
from iterpref_assets.core.evaluation.livecodebench.prompts import (
    STOP,
    LiveCodeBenchExamples,
    messages,
    program,
)
from iterpref_assets.core.evaluation.livecodebench.sources import (
    FUNCTION,
    METHOD,
    LiveCodeBenchRules,
    function_source,
    method_source,
    script_source,
)
from iterpref_assets.core.evaluation.tasks import Judgement, PromptStyle
from iterpref_assets.core.prompts import Message
from iterpref_assets.core.sandbox.feedback import shorten
from iterpref_assets.core.sandbox.outcomes import (
    CallOutcome,
    CallRun,
    ProgramRun,
    Raised,
    Runner,
    scrub,
)
from iterpref_assets.core.sandbox.values import (
    Encoded,
    MalformedValueError,
    encode_value,
    literal,
)
from iterpref_assets.core.sandbox.verdicts import (
    WALL_FACTOR,
    Execution,
    Failure,
    Limits,
    Verdict,
)

SECONDS_PER_TEST = 6.0
MEMORY_BYTES = 4 << 30


@dataclass(frozen=True, slots=True)
class LiveCodeBenchTask:
    """One problem with all its tests; base models are shown one of `examples` first."""

    problem: LiveCodeBenchProblem
    style: PromptStyle = PromptStyle.CHAT
    examples: LiveCodeBenchExamples | None = None
    rules: LiveCodeBenchRules = LiveCodeBenchRules.STRICT
    given: JudgingLimits = OWN_LIMITS

    @property
    def task_id(self) -> str:
        """LiveCodeBench's question id."""
        return self.problem.task_id

    @property
    def messages(self) -> tuple[Message, ...]:
        """The official prompt."""
        return messages(self.problem, self.style, self.examples)

    @property
    def stops(self) -> tuple[str, ...]:
        """Where a base model's answer ends; a chat's may hold headings."""
        return (STOP,) if self.style is PromptStyle.COMPLETION else ()

    @property
    def has_plus(self) -> bool:
        """A problem has one set of tests."""
        return False

    def program(self, completion: str) -> str:
        """The program that `completion` holds."""
        return program(self.problem, self.style, completion)

    def judge(self, code: str, sandbox: Runner) -> Judgement:
        """Run the program on every test, up to the first that it fails."""
        return Judgement(self._judge(code, sandbox))

    def _judge(self, code: str, sandbox: Runner) -> Execution:
        if self.problem.method:
            return _judge_method(self.problem, code, sandbox, self.rules, self.given)
        if self.rules is LiveCodeBenchRules.OFFICIAL:
            return _judge_function(self.problem, code, sandbox, self.given)
        return _judge_script(self.problem, code, sandbox, self.given)


def _judge_method(
    problem: LiveCodeBenchProblem,
    code: str,
    sandbox: Runner,
    rules: LiveCodeBenchRules,
    given: JudgingLimits,
) -> Execution:
    """Call the program's method with each test's arguments."""
    source = method_source(code, problem.method, rules)
    arguments = [tuple(map(read_json, case.input.split("\n"))) for case in problem.cases]
    limits = _limits(len(problem.cases), given)
    expected = [encode_value(read_json(case.output), limits.result_bytes) for case in problem.cases]
    made = _make_calls(
        sandbox,
        source,
        METHOD,
        arguments,
        limits,
        lambda number, outcome: _equals(outcome, expected[number]),
    )
    if made.verdict is Verdict.PASSED:
        return Execution(made.verdict, cpu_seconds=made.cpu_seconds)
    failing = min(made.right, len(expected) - 1)
    wrong = made.wrong
    return made.failed(
        Failure(
            call=f"{problem.method}({', '.join(map(literal, arguments[failing]))})",
            expected=shorten(problem.cases[failing].output),
            actual=shorten(wrong.literal()) if wrong is not None and wrong.result else "",
        )
    )


def _judge_function(
    problem: LiveCodeBenchProblem, code: str, sandbox: Runner, given: JudgingLimits
) -> Execution:
    """Have the program print for each test's input, all in one process, as officially."""
    cases = problem.cases
    limits = _limits(len(cases), given)
    room = max(limits.for_output(case.output).output_bytes for case in cases)
    made = _make_calls(
        sandbox,
        function_source(code),
        FUNCTION,
        [(case.input,) for case in cases],
        replace(limits, result_bytes=max(limits.result_bytes, room)),
        lambda number, outcome: _prints(outcome, cases[number].output),
    )
    if made.verdict is Verdict.PASSED:
        return Execution(made.verdict, cpu_seconds=made.cpu_seconds)
    case = cases[min(made.right, len(cases) - 1)]
    printed = made.wrong and _printed(made.wrong)
    return made.failed(
        Failure(
            call=shorten(case.input), expected=shorten(case.output), actual=shorten(printed or "")
        )
    )


def _prints(outcome: CallOutcome, expected: str) -> bool:
    printed = _printed(outcome)
    return printed is not None and _same_lines(printed, expected)


def _printed(outcome: CallOutcome) -> str | None:
    """The text that a call gives, or None where it gives none."""
    try:
        value = outcome.value()
    except MalformedValueError:
        return None
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class _Calls:
    """What calls came to: how many were right before the first that was not, and that one."""

    verdict: Verdict
    error_type: str
    message: str
    right: int
    wrong: CallOutcome | None
    cpu_seconds: float

    def failed(self, failure: Failure) -> Execution:
        return Execution(
            self.verdict,
            self.error_type,
            self.message,
            self.right,
            cpu_seconds=self.cpu_seconds,
            failure=failure,
        )


def _make_calls(
    sandbox: Runner,
    source: str,
    entry_point: str,
    arguments: list[tuple[Any, ...]],
    limits: Limits,
    is_right: Callable[[int, CallOutcome], bool],
) -> _Calls:
    """Make the calls in order, up to the first whose outcome is not right.

    Each outcome comes by itself, so that none is lost where a later call ends the process.
    """
    right = 0
    wrong: CallOutcome | None = None

    def fails(number: int, outcome: CallOutcome) -> bool:
        nonlocal right, wrong
        if number < len(arguments) and is_right(number, outcome):
            right += 1
            return False
        wrong = outcome
        return True

    run = sandbox.run_calls(
        source, entry_point, arguments, limits, stop=fails, keep=False, one_by_one=True
    )
    verdict, error_type, message = _call_verdict(run, wrong)
    if verdict is Verdict.PASSED and right < len(arguments):
        verdict = Verdict.CRASHED
    return _Calls(verdict, error_type, message, right, wrong, run.cpu_seconds)


def _equals(outcome: CallOutcome, expected: Encoded) -> bool:
    if outcome.result is None or not outcome.result.could_equal(expected):
        return False
    if outcome.result == expected:
        return True
    try:
        value = outcome.value()
    except MalformedValueError:
        return False
    return bool((list(value) if isinstance(value, tuple) else value) == expected.decode())


def _call_verdict(run: CallRun, wrong: CallOutcome | None) -> tuple[Verdict, str, str]:
    if wrong is not None and wrong.result is not None:
        return Verdict.WRONG_ANSWER, "", ""
    if wrong is not None and wrong.refused:
        return Verdict.REFUSED, "", wrong.refused
    if run.ending is not None:
        return run.ending, "", run.refusal
    raised = wrong.raised if wrong is not None else run.not_loaded
    return (Verdict.PASSED, "", "") if raised is None else _exception(raised)


def _exception(raised: Raised) -> tuple[Verdict, str, str]:
    if raised.error_type == "MemoryError":
        return Verdict.MEMORY, "", ""
    return Verdict.EXCEPTION, raised.error_type, scrub(raised.message)


def _judge_script(
    problem: LiveCodeBenchProblem, code: str, sandbox: Runner, given: JudgingLimits
) -> Execution:
    """Run the program once for each test."""
    source = script_source(code)
    cpu = 0.0
    for number, case in enumerate(problem.cases):
        limits = _limits(1, given).for_output(case.output)
        run = sandbox.run_program(source, case.input, limits)
        cpu += run.cpu_seconds
        verdict, error_type, message = _program_verdict(run, case.output)
        if verdict is not Verdict.PASSED:
            failure = Failure(
                call=shorten(case.input),
                expected=shorten(case.output),
                actual=shorten(run.stdout.decode("utf-8", "replace")),
            )
            return Execution(verdict, error_type, message, number, cpu_seconds=cpu, failure=failure)
    return Execution(Verdict.PASSED, cpu_seconds=cpu)


def _program_verdict(run: ProgramRun, expected: str) -> tuple[Verdict, str, str]:
    if run.ending is not None:
        return run.ending, "", run.refusal
    if run.raised is not None and "SystemExit" not in run.raised.kinds:
        return _exception(run.raised)
    same = _same_lines(run.stdout.decode("utf-8", "replace"), expected)
    return (Verdict.PASSED if same else Verdict.WRONG_ANSWER), "", ""


def _same_lines(printed: str, expected: str) -> bool:
    lines, wanted = (
        [line.strip() for line in text.strip().split("\n")] for text in (printed, expected)
    )
    return len(lines) == len(wanted) and all(map(_same_line, lines, wanted))


def _same_line(line: str, wanted: str) -> bool:
    if line == wanted:
        return True
    try:
        return [Decimal(each) for each in line.split()] == [
            Decimal(each) for each in wanted.split()
        ]
    except InvalidOperation:
        return False


def _limits(tests: int, given: JudgingLimits) -> Limits:
    """The official limit for each test, and one second more in all.

    It is CPU time here and wall-clock time there; what only waits is held to the same wall clock.
    """
    seconds = given.seconds or SECONDS_PER_TEST
    whole = seconds * tests + 1
    return Limits(
        cpu_seconds=whole,
        call_cpu_seconds=seconds,
        wall_seconds=WALL_FACTOR * whole,
        idle_seconds=seconds,
        memory_bytes=given.memory_bytes(MEMORY_BYTES),
    )
