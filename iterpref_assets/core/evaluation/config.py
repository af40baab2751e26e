"""What an evaluation depends on besides the tasks and the model."""

from __future__ import annotations

from typing import Self

from pydantic import Field, JsonValue, model_validator

from iterpref_assets.core.engines.protocol import Sampling
from iterpref_assets.core.evaluation.bootstrap import Bootstrap
from iterpref_assets.core.records import Record


class JudgingLimits(Record):
    """Limits in place of a benchmark's own; None keeps them."""

    seconds: float | None = Field(
        default=None,
        gt=0,
        description="CPU seconds: of a call at least (evalplus), a test (LiveCodeBench), a program "
        "with all its tests (BigCodeBench).",
    )
    reference_factor: float | None = Field(
        default=None,
        gt=0,
        description="What a call may take, as a multiple of the reference's time (evalplus only).",
    )

    memory_gib: float | None = Field(
        default=None, gt=0, description="Memory of a program with all it starts, GiB."
    )

    def memory_bytes(self, own: int) -> int:
        """What a program may hold, where it may hold `own` by default."""
        return own if self.memory_gib is None else int(self.memory_gib * (1 << 30))

    @property
    def given(self) -> dict[str, JsonValue]:
        """Those that are set."""
        return self.model_dump(exclude_none=True)


OWN_LIMITS = JudgingLimits()
"""Each benchmark's own."""


class EvaluationConfig(Record):
    """How completions are drawn and scored; the default is greedy pass@1."""

    samples: int = Field(default=1, ge=1, description="Completions per task")
    temperature: float = Field(default=0.0, ge=0, description="0 is greedy")
    top_p: float = Field(
        default=1.0, gt=0, le=1, description="Share of the probability that is drawn from"
    )
    max_tokens: int = Field(default=1024, ge=1, description="Tokens per completion at most")
    seed: int = Field(default=0, ge=0, description="Parent of every sampling seed")
    ks: tuple[int, ...] = Field(default=(1, 5, 10, 100), description="pass@k, k <= samples only")
    bootstrap: Bootstrap = Field(default=Bootstrap(), description="How intervals are drawn")
    in_flight: int = Field(
        default=256, ge=1, description="Completions asked for at once; no score depends on it"
    )

    @model_validator(mode="after")
    def _greedy_draws_once(self) -> Self:
        if self.temperature == 0 and self.samples > 1:
            raise ValueError(
                f"greedy decoding gives one completion a task, not {self.samples}: "
                "set a temperature above 0 or samples to 1"
            )
        return self

    @property
    def sampling(self) -> Sampling:
        """How the engine draws tokens."""
        return Sampling(self.temperature, self.top_p, self.max_tokens)

    def for_result(self) -> dict[str, JsonValue]:
        """The options that scores and what is told of them depend on: all but `in_flight`."""
        return self.model_dump(mode="json", exclude={"in_flight"})
