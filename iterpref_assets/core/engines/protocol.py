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
    PROMPT_TOO_LONG: the prompt left no room in the context, so nothing was generated.
    FILTERED: the server withheld the answer. The last two end one conversation, never the run.
    """

    STOP = "stop"
    LENGTH = "length"
    PROMPT_TOO_LONG = "prompt_too_long"
    FILTERED = "filtered"


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are drawn; temperature 0 is greedy."""

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 1024


@dataclass(frozen=True, slots=True)
class Request:
    """One completion to make. `key` names it (problem, round, sample) and is never reused."""

    key: str
    messages: tuple[Message, ...]
    sampling: Sampling
    seed: int


@dataclass(frozen=True, slots=True)
class Completion:
    """One completion made."""

    key: str
    text: str
    prompt_tokens: int
    completion_tokens: int
    finish_reason: FinishReason
    seed: int


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
