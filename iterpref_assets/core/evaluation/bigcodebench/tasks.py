"""BigCodeBench tasks: the test class continues the candidate's module, as the benchmark does it.

Where the tests only call the function with plain values, they run in a process that the candidate
is out of. The others run beside it, in the hardened runner of the sandbox, and their verdicts are
marked `in_process`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from iterpref_assets.core.answers import read_answer
from iterpref_assets.core.evaluation.bigcodebench.data import BigCodeBenchProblem, BigCodeBenchSplit
from iterpref_assets.core.evaluation.bigcodebench.proxying import (
    imports_of_tests,
    why_in_process,
)
from iterpref_assets.core.evaluation.bigcodebench.sanitizer import sanitize
from iterpref_assets.core.evaluation.config import JudgingLimits
from iterpref_assets.core.evaluation.evalplus.prompts import (
    FENCE_END,
    INSTRUCTION,
    RESPONSE,
    before_stops,
)
from iterpref_assets.core.evaluation.tasks import Judgement, ProgramJudge, PromptStyle
from iterpref_assets.core.prompts import Message, Role
from iterpref_assets.core.sandbox.code_tests import ContinuedTests, ProxiedTests
from iterpref_assets.core.sandbox.verdicts import Execution, Limits

LIMITS = Limits(
    cpu_seconds=60,
    wall_seconds=300,
    idle_seconds=120,
    memory_bytes=4 << 30,
    processes=64,
    file_bytes=64 << 20,
    open_files=256,
)
"""Programs may wait longer than elsewhere: the tests of BigCodeBench/1104 have them wait 62 s."""

_GIVEN = "import os, sys; from os import environ; __file__ = '__test__.py'"
"""What BigCodeBench's harness puts in the module of program and tests before they run."""
_CASE = "TestCases"
"""The class that BigCodeBench's harness runs; BigCodeBench/790 holds another one beside it."""

DIRECT_STOPS = ("\ndef ", "\nclass ", "\nimport ", "\nfrom ", "\nassert ")


@dataclass(frozen=True, slots=True)
class BigCodeBenchTask:
    """One task, asked in one of the two ways."""

    problem: BigCodeBenchProblem
    split: BigCodeBenchSplit
    style: PromptStyle
    limits: Limits = LIMITS

    @property
    def task_id(self) -> str:
        """The task's name."""
        return self.problem.task_id

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation that asks for a solution; a last assistant turn is to be continued."""
        if self.style is PromptStyle.COMPLETION:
            return (Message(Role.TEXT, self._prompt),)
        prompt = self._prompt.strip()
        shown = f"```\n{prompt}\n```" if self.split is BigCodeBenchSplit.COMPLETE else prompt
        user = Message(Role.USER, f"{INSTRUCTION}\n{shown}\n")
        if self.style is PromptStyle.CHAT:
            return (user,)
        return (user, Message(Role.ASSISTANT, f"{RESPONSE}\n```python\n"))

    @property
    def _prompt(self) -> str:
        complete = self.split is BigCodeBenchSplit.COMPLETE
        return self.problem.complete_prompt if complete else self.problem.instruct_prompt

    @property
    def stops(self) -> tuple[str, ...]:
        """The texts at which the official harness ends generation; none for a plain chat."""
        from evalplus.provider.utility import EOS

        if self.style is PromptStyle.CHAT:
            return ()
        return (*EOS, *(DIRECT_STOPS if self.style is PromptStyle.COMPLETION else (FENCE_END,)))

    @property
    def has_plus(self) -> bool:
        """A task has one set of tests."""
        return False

    def program(self, completion: str) -> str:
        """The sanitized program that `completion` stands for; nothing where a chat holds none."""
        if self.style is PromptStyle.CHAT:
            completion = read_answer(completion, self.problem.entry_point).program or ""
        text = before_stops(completion, self.stops).replace("\t", "    ")
        if self.style is PromptStyle.COMPLETION:
            text = self._prompt + text
        try:
            return sanitize(text, self.problem.entry_point)
        except (RecursionError, ValueError):
            return (
                text  # nested too deep, or no text: Python's own parser gives up too, so it fails
            )

    def judge(self, code: str, sandbox: ProgramJudge) -> Judgement:
        """Run the test class on the calibrated program."""
        return Judgement(
            judge_program(self.problem, calibrated(self.problem, code), sandbox, self.limits)
        )


def calibrated(problem: BigCodeBenchProblem, code: str) -> str:
    """`code` after the task's own imports and an empty function, as the benchmark scores it.

    A program that left out the imports that its prompt had shown is not failed for that, nor one
    that uses what the harness gives to each.
    """
    return f"{_shown(problem)}{code}"


def _shown(problem: BigCodeBenchProblem) -> str:
    """What the harness gives, the task's own imports and constants, and an empty function.

    The first line takes the place of the empty one that the benchmark has before `pass`, so that
    the program's lines have the same numbers as there.
    """
    return f"{_GIVEN}\n{problem.code_prompt.rstrip()}\n    pass\n"


def judge_program(
    problem: BigCodeBenchProblem, code: str, sandbox: ProgramJudge, limits: Limits = LIMITS
) -> Execution:
    """Run the class `TestCases` of the task's test file on a whole program."""
    judge = judge_beside if why_in_process(problem) else judge_apart
    return judge(problem, code, sandbox, limits)


def judge_beside(
    problem: BigCodeBenchProblem, code: str, sandbox: ProgramJudge, limits: Limits = LIMITS
) -> Execution:
    """Run the task's tests in the program's own module."""
    return sandbox.judge(code, ContinuedTests(code=problem.test, case=_CASE), limits)


def judge_apart(
    problem: BigCodeBenchProblem, code: str, sandbox: ProgramJudge, limits: Limits = LIMITS
) -> Execution:
    """Run the task's tests in a module that holds what the program was shown, and not the program.

    The tests' imports are the program's too, as they are beside it.
    """
    tests = ProxiedTests(problem.test, _shown(problem), problem.entry_point, _CASE)
    return sandbox.judge(f"{code}\n{imports_of_tests(problem)}", tests, limits)


def task_limits(given: JudgingLimits) -> Limits:
    """`LIMITS`, with the CPU time and memory that are given instead."""
    return replace(
        LIMITS,
        cpu_seconds=given.seconds or LIMITS.cpu_seconds,
        memory_bytes=given.memory_bytes(LIMITS.memory_bytes),
    )
