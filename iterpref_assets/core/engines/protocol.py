"""What every generation engine takes and gives: one conversation in, one completion out.

Engines are asynchronous, so that a finished completion is executed while others are generated.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self

from iterpref_assets.core.prompts import Message


class FinishReason(StrEnum):
    """Why generation ended.

    STOP: the model ended its turn. LENGTH: it reached `max_tokens` or the end of its context.
    Every other reason says why there is no answer. It ends one item, never the run:

    PROMPT_TOO_LONG: the prompt left no room in the context.
    FILTERED: the server's content filter withheld the prompt or the answer.
    REFUSED: the server marks the answer as the model's refusal.
    UNUSABLE: the answer holds no text, such as a call of a tool or an empty list of choices.
    REJECTED: the server, or vLLM in process, does not accept this one request.
    UNAVAILABLE: the server stayed busy, away or broken for this request.
    """

    STOP = "stop"
    LENGTH = "length"
    PROMPT_TOO_LONG = "prompt_too_long"
    FILTERED = "filtered"
    REFUSED = "refused"
    UNUSABLE = "unusable"
    REJECTED = "rejected"
    UNAVAILABLE = "unavailable"


FAILED = frozenset(FinishReason) - {FinishReason.STOP, FinishReason.LENGTH}
"""How a call ends that gave no answer."""

ASKED_AGAIN = frozenset({FinishReason.REJECTED, FinishReason.UNAVAILABLE})
"""Failures that another try may not meet. They are in the table that a run ends with, but not in
its log, so a restart asks again."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are drawn; temperature 0 is greedy."""

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 1024


@dataclass(frozen=True, slots=True)
class Request:
    """One completion to make. `key` names it (problem, round, sample) and is never reused.

    Nothing behind the first of `stops` is read: an engine may end the completion there, as at the
    end of the turn. The text of the stop is part of it.
    """

    key: str
    messages: tuple[Message, ...]
    sampling: Sampling
    seed: int
    stops: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Completion:
    """One completion made, or why there is none.

    A count of tokens is None where the server does not tell it. `answered_by` is the name that the
    server gives the model, where it is another than it was asked for. `detail` is what was said of
    a failure.
    """

    key: str
    text: str
    prompt_tokens: int | None
    completion_tokens: int | None
    finish_reason: FinishReason
    seed: int
    answered_by: str = ""
    detail: str = ""


def told_engine(description: str, completion: Completion) -> str:
    """An engine's description as it goes beside one completion, with the model that answered."""
    by = completion.answered_by
    return f"{description} (answered by {by})" if by else description


class Engine(Protocol):
    """A source of completions; used as an async context manager that frees it at the end."""

    @property
    def description(self) -> str:
        """Engine, version, model and precision, as recorded beside every completion."""
        ...

    async def generate(self, request: Request) -> Completion:
        """The completion of `request`; concurrent calls are batched by the engine."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
