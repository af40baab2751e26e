"""How much of the tests' quality is measured."""

from __future__ import annotations

from pydantic import Field

from iterpref_assets.core.pairs.config import JudgeConfig
from iterpref_assets.core.records import Record


class QualityConfig(Record):
    """What is measured, on a sample of each shard.

    Attributes:
        problems: the most problems of a shard that are looked at, drawn by `seed`.
        mutants: the most changed solutions of each.
        seed: draws problems and mutants.
        judge: who rates the tests; None asks nobody.
    """

    problems: int = Field(default=100, ge=1)
    mutants: int = Field(default=10, ge=0)
    seed: int = 0
    judge: JudgeConfig | None = None
