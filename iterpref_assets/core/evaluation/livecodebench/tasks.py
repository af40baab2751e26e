"""LiveCodeBench tasks: run in the sandbox, judged here by the official harness's rules.

Rules of LiveCodeBench's `testing_util.py`, on plain values: a method may return a tuple for a
list and must otherwise return what equals the expected JSON value; a program's lines are compared
stripped, and where two differ, as decimal numbers. A program runs as a script, not wrapped into a
function; `sys.exit` ends it without fault, as there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from iterpref_assets.core.evaluation.livecodebench.data import ContestProblem
from iterpref_assets.core.evaluation.livecodebench.prompts import ContestExamples, messages, program
from iterpref_assets.core.evaluation.tasks import Judgement, PromptStyle
from iterpref_assets.core.prompts import Message
from iterpref_assets.core.sandbox.outcomes import CallOutcome, CallRun, ProgramRun, Runner
from iterpref_assets.core.sandbox.values import Encoded, MalformedValueError, encode_value
from iterpref_assets.core.sandbox.verdicts import WALL_FACTOR, Execution, Limits, Verdict

SECONDS_PER_TEST = 6.0
MEMORY_BYTES = 4 << 30

ENTRY_POINT = "_contest_method"

_STAR_IMPORTS = (
    "string", "re", "datetime", "collections", "heapq", "bisect", "copy", "math", "random",
    "statistics", "itertools", "functools", "operator", "io", "sys", "json", "builtins", "typing",
)  # fmt: skip
PRELUDE = (
    "".join(f"from {name} import *\n" for name in _STAR_IMPORTS)
    + "".join(f"import {name}\n" for name in _STAR_IMPORTS[:-2])
    + "sys.setrecursionlimit(50000)\n"
)
"""What the official harness imports for every program."""


@dataclass(frozen=True, slots=True)
class ContestTask:
    """One problem with all its tests; base models are shown one of `examples` first."""

    problem: ContestProblem
    style: PromptStyle = PromptStyle.CHAT
    examples: ContestExamples | None = None

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
        if self.problem.method:
            return Judgement(_judge_method(self.problem, code, sandbox))
        return Judgement(_judge_program(self.problem, code, sandbox))


def _judge_method(problem: ContestProblem, code: str, sandbox: Runner) -> Execution:
    holder = "Solution()." if "class Solution" in code else ""
    source = f"{PRELUDE}\n{code}\n\n{ENTRY_POINT} = {holder}{problem.method}\n"
    arguments = [
        tuple(json.loads(line) for line in case.input.split("\n")) for case in problem.cases
    ]
    limits = _limits(len(problem.cases))
    expected = [
        encode_value(json.loads(case.output), limits.result_bytes) for case in problem.cases
    ]
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
    verdict, error_type = _call_verdict(run, wrong)
    if verdict is Verdict.PASSED and right < len(expected):
        verdict = Verdict.CRASHED
    failing = None if verdict is Verdict.PASSED else right
    return Execution(verdict, error_type, "", failing, cpu_seconds=run.cpu_seconds)


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


def _call_verdict(run: CallRun, wrong: CallOutcome | None) -> tuple[Verdict, str]:
    if wrong is not None and wrong.result is not None:
        return Verdict.WRONG_ANSWER, ""
    if wrong is not None and wrong.refused:
        return Verdict.REFUSED, ""
    if run.ending is not None:
        return run.ending, ""
    raised = wrong.raised if wrong is not None else run.not_loaded
    if raised is None:
        return Verdict.PASSED, ""
    if raised.error_type == "MemoryError":
        return Verdict.MEMORY, ""
    return Verdict.EXCEPTION, raised.error_type


def _judge_program(problem: ContestProblem, code: str, sandbox: Runner) -> Execution:
    cpu = 0.0
    for number, case in enumerate(problem.cases):
        limits = _limits(1).for_output(case.output)
        run = sandbox.run_program(f"{PRELUDE}\n{code}", case.input, limits)
        cpu += run.cpu_seconds
        verdict, error_type = _program_verdict(run, case.output)
        if verdict is not Verdict.PASSED:
            return Execution(verdict, error_type, "", number, cpu_seconds=cpu)
    return Execution(Verdict.PASSED, cpu_seconds=cpu)


def _program_verdict(run: ProgramRun, expected: str) -> tuple[Verdict, str]:
    if run.ending is not None:
        return run.ending, ""
    if run.raised is not None and "SystemExit" not in run.raised.kinds:
        name = run.raised.error_type
        return (Verdict.MEMORY, "") if name == "MemoryError" else (Verdict.EXCEPTION, name)
    same = _same_lines(run.stdout.decode("utf-8", "replace"), expected)
    return (Verdict.PASSED if same else Verdict.WRONG_ANSWER), ""


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


def _limits(tests: int) -> Limits:
    seconds = SECONDS_PER_TEST * tests + 1
    return Limits(
        cpu_seconds=seconds,
        call_cpu_seconds=SECONDS_PER_TEST,
        wall_seconds=WALL_FACTOR * seconds,
        memory_bytes=MEMORY_BYTES,
    )
