"""The settings of iterative debugging."""

from __future__ import annotations

from pydantic import Field, JsonValue

from iterpref_assets.core.sampling import GenerationConfig


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
    judge_workers: int = Field(4, gt=0)

    def for_result(self) -> dict[str, JsonValue]:
        """The options that trajectories depend on: all but the degrees of concurrency."""
        return self.model_dump(mode="json", exclude={"max_in_flight", "judge_workers"})
