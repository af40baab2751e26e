"""One trajectory's settings and rules: what comes after a completion, and after a version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from pydantic import Field, JsonValue

from iterpref_assets.core.engines.protocol import FinishReason, Sampling
from iterpref_assets.core.prompts import extract_code
from iterpref_assets.core.sampling import NOT_OF_THE_RESULT, GenerationConfig
from iterpref_assets.core.sandbox.verdicts import Execution

ANSWERED = frozenset({FinishReason.STOP, FinishReason.LENGTH})
"""How a completion that holds a program ends; after any other, the trajectory is over."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Execute this version next."""

    round: int
    code: str


@dataclass(frozen=True, slots=True)
class Generate:
    """Show the model this failing program and its failure next; `round` is the new version's."""

    round: int
    code: str
    feedback: str


Step: TypeAlias = Judge | Generate | None
"""What a trajectory does next; None where it is over."""


def after_completion(round_: int, text: str, reason: FinishReason) -> Step:
    """Execute what was written; a prompt without answer (too long, filtered) ends it unsolved.

    Code cut off at the token limit is executed like any other.
    """
    return Judge(round_, extract_code(text)) if reason in ANSWERED else None


def after_version(round_: int, code: str, execution: Execution, max_rounds: int) -> Step:
    """Debug a failing version, unless it was that of the last round."""
    if execution.passed or round_ >= max_rounds:
        return None
    return Generate(round_ + 1, code, execution.message)


def trajectory_id(problem_id: str, sample: int) -> str:
    """The name of one trajectory; `#` occurs in no problem's id."""
    return f"{problem_id}#{sample}"


class DebugConfig(GenerationConfig):
    """How failing programs are debugged.

    `max_in_flight` trajectories are open at once, each either in the engine or in the sandbox: a
    slow sandbox holds the engine back and the other way round. Make it the engine's batch plus
    what the sandbox should have waiting.

    Attributes:
        max_rounds: versions after the first that a trajectory may take.
        judge_workers: programs executed at once.
    """

    temperature: float = Field(0.8, ge=0)
    max_rounds: int = Field(5, ge=0)
    round_temperatures: tuple[Annotated[float, Field(ge=0)], ...] = Field(
        (),
        description="Temperatures of rounds 1, 2, ..., the last one also of the rounds after it; "
        "where there is none, `temperature` holds in every round",
    )
    judge_workers: int = Field(4, gt=0)

    def sampling_in(self, round_: int) -> Sampling:
        """What each request of a debugging round (from 1) asks of its engine."""
        heats = self.round_temperatures or (self.temperature,)
        return Sampling(heats[min(round_, len(heats)) - 1], self.top_p, self.max_tokens)

    def for_result(self) -> dict[str, JsonValue]:
        """The options that trajectories depend on: all but concurrency and the failure budget."""
        return self.model_dump(mode="json", exclude={*NOT_OF_THE_RESULT, "judge_workers"})
