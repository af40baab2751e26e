"""The lab's own problems as a seed source."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from iterpref_assets.core.lab.config import LabConfig, shard_names
from iterpref_assets.core.lab.problems import compose_heldout, compose_shard
from iterpref_assets.core.records import Problem, Record
from iterpref_assets.core.seeds.reading import SeedReading


class LabSeeds(Record):
    """Problems composed by the lab."""

    kind: Literal["lab"] = Field("lab", description="Which kind of seeds")
    lab: LabConfig = Field(LabConfig(), description="How many problems are composed")

    def shards(self) -> tuple[str, ...]:
        """The names of the training shards."""
        return shard_names(self.lab)

    def shard_identity(self, shard: str) -> dict[str, JsonValue]:
        """What the problems of one shard depend on."""
        return {"kind": self.kind, "shard": shard, **self._counts("heldout_problems")}

    def heldout_identity(self) -> dict[str, JsonValue]:
        """What the held-out problems depend on."""
        return {"kind": self.kind, **self._counts("shards", "problems_per_shard")}

    def _counts(self, *without: str) -> dict[str, JsonValue]:
        return self.lab.model_dump(mode="json", exclude=set(without))

    def load_shard(self, shard: str) -> SeedReading:
        """The training problems of one shard."""
        return SeedReading(compose_shard(self.lab, shard))

    def load_heldout(self) -> list[Problem]:
        """The held-out problems."""
        return compose_heldout(self.lab)
