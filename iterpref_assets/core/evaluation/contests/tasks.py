"""LiveCodeBench tasks: run in the sandbox, judged here by the official harness's rules.

Rules of LiveCodeBench's `testing_util.py`, on plain values: a method may return a tuple for a
list and must otherwise return what equals the expected JSON value; a program's lines are compared
stripped, and where two differ, as decimal numbers. A program runs as a script, not wrapped into a
function; `sys.exit` ends it without fault, as there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from iterpref_assets.core.evaluation.contests.data import ContestData, ContestProblem
from iterpref_assets.core.evaluation.tasks import Judgement
from iterpref_assets.core.prompts import Message, Role
from iterpref_assets.core.sandbox.runs import CallOutcome, CallRun, ProgramRun
from iterpref_assets.core.sandbox.sandbox import StopAfter
from iterpref_assets.core.sandbox.values import MalformedValueError
from iterpref_assets.core.sandbox.verdicts import Execution, Limits, Verdict

SECONDS_PER_TEST = 6.0
MEMORY_BYTES = 4 << 30
WALL_FACTOR = 20

SYSTEM = (
    "You are an expert Python programmer. You will be given a question (problem specification) and "
    "will generate a correct Python program that matches the specification and passes all tests. "
    "You will NOT return anything except for the program."
)
WITH_STARTER = (
    "You will use the following starter code to write the solution to the problem and enclose your "
    "code within delimiters."
)
WITHOUT_STARTER = (
    "Read the inputs from stdin solve the problem and write the answer to stdout (do not directly "
    "test on the sample inputs). Enclose your code within delimiters as follows."
)
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


class ContestRunner(Protocol):
    """The part of the sandbox that contests need; callable from several threads."""

    def run_calls(
        self,
        code: str,
        entry_point: str,
        arguments: Sequence[tuple[Any, ...]] | bytes,
        limits: Limits | None = None,
        *,
        stop: StopAfter | None = None,
        keep: bool = True,
    ) -> CallRun:
        """Call `entry_point` with each tuple of `arguments` in turn."""
        ...

    def run_program(self, code: str, stdin: str, limits: Limits | None = None) -> ProgramRun:
        """Run `code` as a script."""
        ...


@dataclass(frozen=True, slots=True)
class ContestTask:
    """One problem with all its tests."""

    problem: ContestProblem

    @property
    def task_id(self) -> str:
        """LiveCodeBench's question id."""
        return self.problem.task_id

    @property
    def messages(self) -> tuple[Message, ...]:
        """The official generic prompt; its system text leads the user turn."""
        starter = self.problem.starter_code
        wanted = WITH_STARTER if starter else WITHOUT_STARTER
        text = (
            f"{SYSTEM}\n\n### Question:\n{self.problem.question}\n\n"
            f"### Format: {wanted}\n```python\n{starter or '# YOUR CODE HERE'}\n```\n\n"
            "### Answer: (use the provided format with backticks)\n\n"
        )
        return (Message(Role.USER, text),)

    def program(self, completion: str) -> str:
        """What lies between the last two lines that hold a fence, or nothing."""
        lines = completion.split("\n")
        fences = [number for number, line in enumerate(lines) if "```" in line]
        return "\n".join(lines[fences[-2] + 1 : fences[-1]]) if len(fences) > 1 else ""

    def judge(self, code: str, sandbox: ContestRunner) -> Judgement:
        """Run the program on every test, up to the first that it fails."""
        if self.problem.method:
            return Judgement(_judge_method(self.problem, code, sandbox))
        return Judgement(_judge_program(self.problem, code, sandbox))


def contest_tasks(data: ContestData) -> list[ContestTask]:
    """One task per problem, in the data's order."""
    return [ContestTask(problem) for problem in data.problems.values()]


def _judge_method(problem: ContestProblem, code: str, sandbox: ContestRunner) -> Execution:
    holder = "Solution()." if "class Solution" in code else ""
    source = f"{PRELUDE}\n{code}\n\n{ENTRY_POINT} = {holder}{problem.method}\n"
    arguments = [
        tuple(json.loads(line) for line in case.input.split("\n")) for case in problem.cases
    ]
    expected = [json.loads(case.output) for case in problem.cases]
    right = 0
    wrong: CallOutcome | None = None

    def fails(number: int, outcome: CallOutcome) -> bool:
        nonlocal right, wrong
        if number < len(expected) and _equals(outcome, expected[number]):
            right += 1
            return False
        wrong = outcome
        return True

    limits = _limits(len(expected))
    run = sandbox.run_calls(source, ENTRY_POINT, arguments, limits, stop=fails, keep=False)
    verdict, error_type = _call_verdict(run, wrong)
    if verdict is Verdict.PASSED and right < len(expected):
        verdict = Verdict.CRASHED
    failing = None if verdict is Verdict.PASSED else right
    return Execution(verdict, error_type, "", failing, cpu_seconds=run.cpu_seconds)


def _equals(outcome: CallOutcome, expected: Any) -> bool:
    try:
        value = outcome.value()
    except MalformedValueError:
        return False
    return bool((list(value) if isinstance(value, tuple) else value) == expected)


def _call_verdict(run: CallRun, wrong: CallOutcome | None) -> tuple[Verdict, str]:
    if wrong is not None and wrong.result is not None:
        return Verdict.WRONG_ANSWER, ""
    if wrong is not None and wrong.refused:
        return Verdict.REFUSED, ""
    if run.ending is not None:
        return run.ending, ""
    name = wrong.error_type if wrong is not None else (run.not_loaded or ("", ""))[0]
    if name == "MemoryError":
        return Verdict.MEMORY, ""
    return (Verdict.EXCEPTION, name) if name else (Verdict.PASSED, "")


def _judge_program(problem: ContestProblem, code: str, sandbox: ContestRunner) -> Execution:
    cpu = 0.0
    for number, case in enumerate(problem.cases):
        run = sandbox.run_program(f"{PRELUDE}\n{code}", case.input, _limits(1))
        cpu += run.cpu_seconds
        verdict, error_type = _program_verdict(run, case.output)
        if verdict is not Verdict.PASSED:
            return Execution(verdict, error_type, "", number, cpu_seconds=cpu)
    return Execution(Verdict.PASSED, cpu_seconds=cpu)


def _program_verdict(run: ProgramRun, expected: str) -> tuple[Verdict, str]:
    name = run.raised[0] if run.raised is not None else ""
    if run.ending is not None:
        return run.ending, ""
    if name == "MemoryError":
        return Verdict.MEMORY, ""
    if name and name != "SystemExit":
        return Verdict.EXCEPTION, name
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
