"""Several seed sources as one; duplicates between them are dropped as within one."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.randomness import derive_seed
from iterpref_assets.core.records import Problem, Record
from iterpref_assets.core.seeds.exercism import ExercismSeeds
from iterpref_assets.core.seeds.files import FileSeeds
from iterpref_assets.core.seeds.hub import HubSeeds
from iterpref_assets.core.seeds.lab import LabSeeds
from iterpref_assets.core.seeds.mbpp import MbppSeeds
from iterpref_assets.core.seeds.reading import SeedReading
from iterpref_assets.core.seeds.table import TableSeeds

ReadySource = Annotated[
    LabSeeds | FileSeeds | ExercismSeeds | MbppSeeds | TableSeeds | HubSeeds,
    Field(discriminator="kind"),
]
"""A source whose problems are there to be read."""


class MixedSeeds(Record):
    """The shards of each source in turn; of two alike problems the earlier source's is kept."""

    kind: Literal["mixed"] = Field("mixed", description="Which kind of seeds")
    sources: tuple[ReadySource, ...] = Field(
        min_length=1, description="The sources, in order; each is written like `seeds` itself"
    )

    def shards(self) -> tuple[str, ...]:
        """The names of the training shards.

        Raises:
            InputError: where two sources name a shard the same.
        """
        names = [shard for source in self.sources for shard in source.shards()]
        name, count = Counter(names).most_common(1)[0]
        if count > 1:
            raise InputError(
                f"two sources have a shard {name!r}",
                field="seeds.sources",
                remedy="Give the sources different labels, or their files different names",
            )
        return tuple(names)

    def shard_identity(self, shard: str) -> dict[str, JsonValue]:
        """What the problems of one shard depend on."""
        return self._source_of(shard).shard_identity(shard)

    def heldout_identity(self) -> dict[str, JsonValue]:
        """What the held-out problems depend on."""
        return {"kind": self.kind, "sources": [each.heldout_identity() for each in self.sources]}

    def load_shard(self, shard: str) -> SeedReading:
        """The training problems of one shard."""
        return self._source_of(shard).load_shard(shard)

    def load_heldout(self) -> list[Problem]:
        """The held-out problems of all sources, mixed: the first few are of all sources too.

        Their order follows from their ids alone.
        """
        problems = [problem for source in self.sources for problem in source.load_heldout()]
        return sorted(problems, key=lambda each: derive_seed("held-out order", each.problem_id))

    def _source_of(self, shard: str) -> ReadySource:
        for source in self.sources:
            if shard in source.shards():
                return source
        raise InputError(
            f"no shard {shard!r}", field="seeds.sources", remedy=f"Use one of {self.shards()}"
        )
