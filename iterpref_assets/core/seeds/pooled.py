"""Sources that are read as a whole and then parted into shards and held-out problems."""

from __future__ import annotations

from abc import abstractmethod
from functools import lru_cache

from pydantic import Field, JsonValue

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.randomness import derive_seed
from iterpref_assets.core.records import Problem, Record, Split
from iterpref_assets.core.seeds.reading import SeedReading

_SEEDS = 1 << 31
HELDOUT = "heldout"


class PooledSeeds(Record):
    """A set of problems of which some are held out and the others are parted into shards.

    Where a problem goes depends on its name alone, so records that are added later move none.
    """

    parts: int = Field(
        default=1,
        ge=1,
        le=1000,
        description="How many shards the training problems are parted into",
    )
    heldout_share: float = Field(
        default=0.1, gt=0, lt=1, description="The share of problems that is held out for scoring"
    )

    @property
    @abstractmethod
    def name(self) -> str:
        """What its shards are named after."""

    @abstractmethod
    def read(self) -> SeedReading:
        """Every problem of the source, all of them marked as training problems.

        Raises:
            InputError: where the source is missing or malformed.
        """

    @abstractmethod
    def source_identity(self) -> dict[str, JsonValue]:
        """What the problems depend on, whichever shard they go to."""

    def unit(self, name: str) -> str:
        """What must stay together: by default each record alone."""
        return name

    def shards(self) -> tuple[str, ...]:
        """The names of the training shards."""
        return tuple(f"{self.name}-{index:03d}" for index in range(self.parts))

    def shard_identity(self, shard: str) -> dict[str, JsonValue]:
        """What the problems of one shard depend on."""
        return {**self._identity(), "parts": self.parts, "shard": shard}

    def heldout_identity(self) -> dict[str, JsonValue]:
        """What the held-out problems depend on."""
        return self._identity()

    def load_shard(self, shard: str) -> SeedReading:
        """The training problems of one shard, and the unusable records that would belong to it.

        Raises:
            InputError: where there is no such shard, or the source cannot be read.
        """
        if shard not in self.shards():
            raise InputError(
                f"no shard {shard!r}", field="seeds.parts", remedy=f"Use {self.shards()}"
            )
        reading = self._whole()
        return SeedReading(
            [each for each in reading.problems if self._place(each.problem_id) == shard],
            [each for each in reading.unusable if self._place(each.record) == shard],
        )

    def load_heldout(self) -> list[Problem]:
        """The held-out problems.

        Raises:
            InputError: where there is none, or the source cannot be read.
        """
        chosen = [
            problem.model_copy(update={"split": Split.HELDOUT})
            for problem in self._whole().problems
            if self._place(problem.problem_id) == HELDOUT
        ]
        if not chosen:
            raise InputError(
                "no problem is held out", field="seeds.heldout_share", remedy="Raise the share"
            )
        return chosen

    def _place(self, name: str) -> str:
        unit = self.unit(name)
        if derive_seed("held out", unit) < self.heldout_share * _SEEDS:
            return HELDOUT
        return self.shards()[derive_seed("shard", unit) % self.parts]

    def _identity(self) -> dict[str, JsonValue]:
        share: dict[str, JsonValue] = {"source": self.name, "heldout_share": self.heldout_share}
        return {**share, **self.source_identity()}

    def _whole(self) -> SeedReading:
        return _read(type(self), self.model_dump_json(), repr(self.source_identity()))


@lru_cache(maxsize=8)
def _read(source: type[PooledSeeds], config: str, _content: str) -> SeedReading:
    """Read a source once for all its shards; `_content` changes where its files do."""
    return source.model_validate_json(config).read()
