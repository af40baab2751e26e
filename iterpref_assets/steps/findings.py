"""What a verification looked at, and what it found wrong there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from iterpref_assets.core.artifacts import UNPARTITIONED, ArtifactKey
from iterpref_assets.core.records import Record

LISTED = 100
"""So many offenders are told of one by one; of all there is a count."""


class Offender(Record):
    """One thing of an artifact that is not as it should be.

    Attributes:
        name: a problem, pair, trajectory or partition.
        reason: what is wrong with it; empty where the check's own name says so.
        asset: the asset to look at.
        partition: the partition of the asset that holds it.
    """

    name: str
    asset: str
    partition: str = UNPARTITIONED
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}" if self.reason else self.name

    @property
    def artifact(self) -> ArtifactKey:
        """Where it is."""
        return ArtifactKey(self.asset, self.partition)


class Findings(Record):
    """What a verification looked at and found.

    Attributes:
        looked_at: counts by what was counted, such as `{"pairs": 40, "problems": 12}`.
        count: how many offenders there are.
        first: the first LISTED of them.
    """

    looked_at: Mapping[str, int]
    count: int
    first: tuple[Offender, ...]

    @classmethod
    def of(cls, looked_at: Mapping[str, int], offenders: Iterable[Offender]) -> Findings:
        """The findings of a verification that went through all of its partitions."""
        found = tuple(offenders)
        return cls(looked_at=looked_at, count=len(found), first=found[:LISTED])

    def __add__(self, other: Findings) -> Findings:
        return Findings(
            looked_at={**self.looked_at, **other.looked_at},
            count=self.count + other.count,
            first=(*self.first, *other.first)[:LISTED],
        )

    @property
    def lines(self) -> list[str]:
        """A line for each of the first offenders."""
        return [str(each) for each in self.first]

    @property
    def extent(self) -> str:
        """What was looked at, in words: `40 pairs, 12 problems`."""
        return ", ".join(f"{count:,} {name}" for name, count in self.looked_at.items())
