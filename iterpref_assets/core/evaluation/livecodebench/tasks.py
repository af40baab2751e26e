"""LiveCodeBench tasks: run in the sandbox, compared here as the official harness compares.

As LiveCodeBench's `testing_util.py` has it, on plain values: a method may return a tuple for a
list and must otherwise return what equals the expected JSON value; a program's lines are compared
stripped, and where two differ, as decimal numbers; `sys.exit` ends a program without fault. What a
program is run as depends on the rules (`sources.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from iterpref_assets.core.evaluation.config import OWN_LIMITS, JudgingLimits
from iterpref_assets.core.evaluation.livecodebench.data import LiveCodeBenchProblem
from iterpref_assets.core.evaluation.livecodebench.long_integers import read_json
from iterpref_assets.core.evaluation.livecodebench.prompts import (
    LiveCodeBenchExamples,
    messages,
    program,
)
from iterpref_assets.core.evaluation.livecodebench.sources import (
    ENTRY_POINT,
    LiveCodeBenchRules,
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
    def has_plus(self) -> bool:
        """A problem has one set of tests."""
        return False

    def program(self, completion: str) -> str:
        """The program that `completion` holds."""
        return program(self.problem, self.style, completion)

    def judge(self, code: str, sandbox: Runner) -> Judgement:
        """Run the program on every test, up to the first that it fails."""
        judge = _judge_method if self.problem.method else _judge_program
        return Judgement(judge(self.problem, code, sandbox, self.rules, self.given))


def _judge_method(
    problem: LiveCodeBenchProblem,
    code: str,
    sandbox: Runner,
    rules: LiveCodeBenchRules,
    given: JudgingLimits,
) -> Execution:
    source = method_source(code, problem.method, rules)
    arguments = [tuple(map(read_json, case.input.split("\n"))) for case in problem.cases]
    limits = _limits(len(problem.cases), given)
    expected = [encode_value(read_json(case.output), limits.result_bytes) for case in problem.cases]
    right = 0
    wrong: CallOutcome | None = None

    def fails(number: int, outcome: CallOutcome) -> bool:
        nonlocal right, wrong
        if number < len(expected) and _equals(outcome, expected[number]):
            right += 1
            return False
        wrong = outcome
        return True

    run = sandbox.run_calls(source, ENTRY_POINT, arguments, limits, stop=fails, keep=False)
    verdict, error_type, message = _call_verdict(run, wrong)
    if verdict is Verdict.PASSED and right < len(expected):
        verdict = Verdict.CRASHED
    if verdict is Verdict.PASSED:
        return Execution(verdict, cpu_seconds=run.cpu_seconds)
    failing = min(right, len(expected) - 1)
    return Execution(
        verdict,
        error_type,
        message,
        right,
        cpu_seconds=run.cpu_seconds,
        failure=Failure(
            call=f"{problem.method}({', '.join(map(literal, arguments[failing]))})",
            expected=shorten(problem.cases[failing].output),
            actual=shorten(wrong.literal()) if wrong is not None and wrong.result else "",
        ),
    )


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


def _judge_program(
    problem: LiveCodeBenchProblem,
    code: str,
    sandbox: Runner,
    rules: LiveCodeBenchRules,
    given: JudgingLimits,
) -> Execution:
    source = script_source(code, rules)
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
