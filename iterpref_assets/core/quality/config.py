"""How much of the tests' quality is measured."""

from __future__ import annotations

from pydantic import Field

from iterpref_assets.core.pairs.config import JudgeConfig
from iterpref_assets.core.records import Record


class QualityConfig(Record):
    """What is measured, on a sample of each shard."""

    problems: int = Field(
        default=100,
        ge=1,
        description="The most problems of a shard that are examined, drawn by `seed`",
    )
    mutants: int = Field(default=10, ge=0, description="The most changed solutions of each problem")
    seed: int = Field(0, description="Draws problems and changed solutions")
    judge: JudgeConfig | None = Field(None, description="Who rates the tests; unset asks nobody")
