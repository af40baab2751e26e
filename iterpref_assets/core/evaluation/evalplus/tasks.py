"""HumanEval+ and MBPP+ tasks: calls made in the sandbox, outputs judged here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from iterpref_assets.core.evaluation.config import OWN_LIMITS, JudgingLimits
from iterpref_assets.core.evaluation.evalplus.data import (
    EvalPlusBenchmark,
    EvalPlusData,
    EvalPlusProblem,
)
from iterpref_assets.core.evaluation.evalplus.expected import BASE, MEMORY_BYTES, PLUS, Expected
from iterpref_assets.core.evaluation.evalplus.oracle import Oracle, asks_for_floats
from iterpref_assets.core.evaluation.evalplus.prompts import messages, program, stops
from iterpref_assets.core.evaluation.tasks import Judgement, PromptStyle
from iterpref_assets.core.prompts import Message
from iterpref_assets.core.sandbox.feedback import shorten
from iterpref_assets.core.sandbox.outcomes import CallOutcome, CallRun, Raised, Runner, scrub
from iterpref_assets.core.sandbox.values import (
    Encoded,
    MalformedValueError,
    encode_arguments,
    literal,
)
from iterpref_assets.core.sandbox.verdicts import (
    WALL_FACTOR,
    Execution,
    Failure,
    Limits,
    Verdict,
)

MIN_SECONDS = 1.0
REFERENCE_FACTOR = 4.0
MAX_SECONDS = 60.0
"""evalplus allows each call max(1, 4 x reference) seconds, and a run the sum of that but at most
60, and one more; of wall-clock time there, of CPU time here. One limit holds for all calls of a set
of tests here, that of the call on which the reference takes longest, and a set has at least 4 x the
reference's time."""


@dataclass(frozen=True)
class Part:
    """One of a task's two sets of tests."""

    inputs: list[list[Any]]
    reference: Expected
    limits: Limits

    @cached_property
    def arguments(self) -> bytes:
        """The inputs as the sandbox takes them; made when a program of the task is judged."""
        return encode_arguments(map(tuple, self.inputs))

    @property
    def expected(self) -> list[Encoded]:
        """What the reference returned, call by call."""
        return self.reference.outputs


@dataclass(frozen=True, slots=True)
class EvalPlusQuestion:
    """What one task asks."""

    problem: EvalPlusProblem
    benchmark: EvalPlusBenchmark
    style: PromptStyle

    @property
    def task_id(self) -> str:
        """The task's name."""
        return self.problem.task_id

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation that asks for a solution."""
        return messages(self.problem, self.style)

    @property
    def stops(self) -> tuple[str, ...]:
        """The texts at which evalplus ends generation; none for a plain chat."""
        return stops(self.benchmark, self.style)

    def program(self, completion: str) -> str:
        """The sanitized program that `completion` stands for."""
        return program(self.problem, self.benchmark, self.style, completion)


@dataclass(frozen=True, slots=True)
class EvalPlusTask(EvalPlusQuestion):
    """One task with both its sets of tests; `plus` is None where only the base tests are asked."""

    base: Part
    plus: Part | None

    @property
    def has_plus(self) -> bool:
        """Whether the added tests are asked too."""
        return self.plus is not None

    def judge(self, code: str, sandbox: Runner) -> Judgement:
        """Run the program on both sets of tests, each in a process of its own."""
        base = self._judge(code, sandbox, self.base)
        return Judgement(base, self._judge(code, sandbox, self.plus) if self.plus else None)

    def _judge(self, code: str, sandbox: Runner, part: Part) -> Execution:
        oracle = Oracle(self.benchmark, self.problem.entry_point, self.problem.atol)
        judge = _CallJudge(part, oracle)
        run = sandbox.run_calls(
            code,
            self.problem.entry_point,
            part.arguments,
            part.limits,
            stop=judge.fails,
            keep=False,
        )
        return judge.conclude(run)


class _CallJudge:
    """Judges the outcomes of one run as they come, up to the first wrong one."""

    def __init__(self, part: Part, oracle: Oracle) -> None:
        self._part, self._oracle = part, oracle
        self._expected, self._takes_the_reference = part.expected, oracle.takes_the_reference
        self._right = 0
        self._wrong: CallOutcome | None = None

    def fails(self, number: int, outcome: CallOutcome) -> bool:
        """Whether this outcome decides against the program."""
        if number < len(self._expected) and self._is_right(number, outcome):
            self._right += 1
            return False
        self._wrong = outcome
        return True

    def conclude(self, run: CallRun) -> Execution:
        """The verdict on the whole run."""
        verdict, error_type, message = self._verdict(run)
        if verdict is Verdict.PASSED:
            return Execution(verdict, cpu_seconds=run.cpu_seconds)
        return Execution(
            verdict,
            error_type,
            message,
            self._right,
            cpu_seconds=run.cpu_seconds,
            failure=self._failure(),
        )

    def _failure(self) -> Failure | None:
        """The call that failed, with what the reference and the program returned."""
        number = self._right
        if number >= len(self._expected):
            return None
        wrong = self._wrong
        arguments = ", ".join(shorten(literal(each)) for each in self._part.inputs[number])
        return Failure(
            call=f"{self._oracle.entry_point}({arguments})",
            expected=shorten(CallOutcome(self._expected[number]).literal()),
            actual=shorten(wrong.literal()) if wrong is not None and wrong.result else "",
        )

    def _is_right(self, number: int, outcome: CallOutcome) -> bool:
        if outcome.result is None:
            return False
        expected = self._expected[number]
        if outcome.result == expected and self._takes_the_reference:
            return True

        arguments = self._part.inputs[number]
        if not outcome.result.could_equal(expected):
            said = self._oracle.without_reading(expected.decode())
            if said is not None:
                return said
            if len(outcome.result.payload) > _room_for_pairs(arguments):
                return False

        def float_so_far() -> bool:
            name, earlier = self._oracle.entry_point, self._expected[: number + 1]
            return any(asks_for_floats(name, each.decode()) for each in earlier)

        try:
            output = outcome.value()
        except MalformedValueError:
            return False
        return self._oracle.accepts(arguments, output, expected.decode(), float_so_far)

    def _verdict(self, run: CallRun) -> tuple[Verdict, str, str]:
        if self._wrong is not None:
            return self._failed_call(self._wrong)
        if run.ending is not None:
            return run.ending, "", ""
        if run.not_loaded is not None:
            return _exception(run.not_loaded)
        if run.no_function:
            return Verdict.EXCEPTION, "NameError", "the entry point is not defined"
        complete = self._right == len(self._part.inputs)
        return Verdict.PASSED if complete else Verdict.CRASHED, "", ""

    def _failed_call(self, outcome: CallOutcome) -> tuple[Verdict, str, str]:
        if outcome.refused or self._right == len(self._part.inputs):
            return Verdict.REFUSED, "", ""
        if outcome.raised is None:
            return Verdict.WRONG_ANSWER, "", ""
        return _exception(outcome.raised)


def evalplus_tasks(
    data: EvalPlusData,
    expected: dict[tuple[str, str], Expected],
    style: PromptStyle = PromptStyle.PREFILLED,
    limits: JudgingLimits = OWN_LIMITS,
    *,
    base_only: bool = False,
) -> list[EvalPlusTask]:
    """The benchmark's tasks, in its order."""
    return [
        EvalPlusTask(
            problem,
            data.benchmark,
            style,
            _part(problem.base_input, expected[task_id, BASE], limits),
            None if base_only else _part(problem.plus_input, expected[task_id, PLUS], limits),
        )
        for task_id, problem in data.problems.items()
    ]


def _room_for_pairs(arguments: list[Any]) -> int:
    """A number of bytes that all pairs of what `arguments` hold would fit in."""
    return len(encode_arguments([tuple(arguments)])) ** 2


def _part(inputs: list[list[Any]], expected: Expected, given: JudgingLimits) -> Part:
    least, factor = given.seconds or MIN_SECONDS, given.reference_factor or REFERENCE_FACTOR
    call = max(least, factor * expected.slowest_call)
    together = factor * expected.cpu_seconds
    whole = max(min(MAX_SECONDS, least * len(inputs)), together) + 1
    limits = Limits(
        cpu_seconds=whole,
        call_cpu_seconds=call,
        wall_seconds=WALL_FACTOR * whole,
        memory_bytes=given.memory_bytes(MEMORY_BYTES),
    )
    return Part(inputs, expected, limits)


def _exception(raised: Raised) -> tuple[Verdict, str, str]:
    if raised.error_type == "MemoryError":
        return Verdict.MEMORY, "", ""
    return Verdict.EXCEPTION, raised.error_type, scrub(raised.message)
