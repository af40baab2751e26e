"""One trajectory's settings and rules: what comes after a completion, and after a version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, TypeAlias

from pydantic import Field, JsonValue

from iterpref_assets.core.answers import read_answer
from iterpref_assets.core.conversations import Attempt
from iterpref_assets.core.engines.protocol import FinishReason, Sampling
from iterpref_assets.core.records import Problem, Tests
from iterpref_assets.core.sampling import NOT_OF_THE_RESULT, GenerationConfig
from iterpref_assets.core.sandbox.verdicts import Execution
from iterpref_assets.core.syntax import same_program
from iterpref_assets.core.unreachable import names_asked_for, reachable_part

ANSWERED = frozenset({FinishReason.STOP, FinishReason.LENGTH})
"""How a completion that holds a program ends; after any other, the trajectory is over."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Execute this version next, `code` as the model wrote it.

    `attempts` are the failing versions before it, oldest first, as they were judged.
    """

    round: int
    code: str
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Generate:
    """Ask for a version next.

    Attributes:
        round: the new version's.
        attempts: the failing versions so far, oldest first.
        retry: how often this round has been asked before.
        repeated: whether the last answer was a program that had been tried before.
    """

    round: int
    attempts: tuple[Attempt, ...] = ()
    retry: int = 0
    repeated: bool = False


NextStep: TypeAlias = Judge | Generate | None
"""What a trajectory does next; None where it is over."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How long a trajectory may go on.

    Attributes:
        max_rounds: versions after the first.
        retries: times that a round asks again for a program, and for one not tried before.
    """

    max_rounds: int
    retries: int


FIRST = Generate(0)
"""What a trajectory's first answer is the answer to."""


def after_answer(
    asked: Generate, text: str, reason: FinishReason, problem: Problem, rules: Rules
) -> NextStep:
    """Execute the program in an answer, or ask again.

    A prompt without answer (too long, filtered) ends a trajectory. An answer without a program, and
    one that was tried before, use up a retry; where there is none left, the first uses up its
    round, and the second is executed like any other. Round 0 is not asked again: its answers are
    independent samples.

    Whether a program was tried before is told without what the tests do not reach of it, since
    that is left out of the versions (`judge_reached`).
    """
    if reason not in ANSWERED:
        return None
    cut_off = reason is FinishReason.LENGTH
    program = read_answer(text, problem.entry_point, cut_off=cut_off).program
    repeated = program is not None and _was_tried(program, problem.tests, asked.attempts)
    if program is not None and not (repeated and asked.retry < rules.retries):
        return Judge(asked.round, program, asked.attempts)
    if asked.round > 0 and asked.retry < rules.retries:
        return replace(asked, retry=asked.retry + 1, repeated=repeated)
    if asked.round < rules.max_rounds:
        return Generate(asked.round + 1, asked.attempts)
    return None


def after_version(judged: Judge, code: str, execution: Execution, rules: Rules) -> NextStep:
    """Debug a failing version, unless it was that of the last round.

    Args:
        judged: the step that was taken.
        code: what counted of its program.
        execution: what came of it.
        rules: how long the trajectory may go on.
    """
    if execution.passed or judged.round >= rules.max_rounds:
        return None
    attempts = (*judged.attempts, Attempt(code, execution.message))
    return Generate(judged.round + 1, attempts)


def _was_tried(program: str, tests: Tests, attempts: Sequence[Attempt]) -> bool:
    part = reachable_part(program, names_asked_for(tests)) if attempts else program
    return any(same_program(part, attempt.code) for attempt in attempts)


def trajectory_id(problem_id: str, sample: int) -> str:
    """The name of one trajectory; `#` occurs in no problem's id."""
    return f"{problem_id}#{sample}"


class DebugConfig(GenerationConfig):
    """How failing programs are debugged.

    `max_in_flight` trajectories are open at once, each either in the engine or in the sandbox: a
    slow sandbox holds the engine back and the other way round. Make it the engine's batch plus
    what the sandbox should have waiting.
    """

    temperature: float = Field(0.8, ge=0, description="0 is greedy")
    max_rounds: int = Field(
        5, ge=0, description="Versions after the first that a trajectory may take"
    )
    round_temperatures: tuple[Annotated[float, Field(ge=0)], ...] = Field(
        (),
        description="Temperatures of rounds 1, 2, ..., the last one also of the rounds after it; "
        "where there is none, `temperature` holds in every round",
    )
    judge_workers: int = Field(4, gt=0, description="Programs executed at once")

    def sampling_in(self, round_: int) -> Sampling:
        """What each request of a debugging round (from 1) asks of its engine."""
        heats = self.round_temperatures or (self.temperature,)
        return Sampling(heats[min(round_, len(heats)) - 1], self.top_p, self.max_tokens)

    def for_result(self) -> dict[str, JsonValue]:
        """The options that trajectories depend on: all but concurrency and the failure budget."""
        return self.model_dump(mode="json", exclude={*NOT_OF_THE_RESULT, "judge_workers"})
