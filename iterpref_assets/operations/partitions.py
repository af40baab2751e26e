"""The partitions of a deployment's assets, and naming some of them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from iterpref_assets.core.errors import InputError
from iterpref_assets.operations.graphql import Deployment

RANGE = "..."
_DIMENSIONS = "|"

_NAMES = "{ assetNodes { assetKey { path } } }"

_ASSET = """
query Asset($key: AssetKeyInput!) {
  assetNodeOrError(assetKey: $key) {
    __typename
    ... on AssetNode {
      isPartitioned
      partitionKeysByDimension { name partitionKeys }
      assetPartitionStatuses {
        ... on DefaultPartitionStatuses { ...Keys }
        ... on MultiPartitionStatuses {
          primaryDimensionName
          ranges {
            primaryDimStartKey
            primaryDimEndKey
            secondaryDim { ... on DefaultPartitionStatuses { ...Keys } }
          }
        }
      }
    }
  }
}
fragment Keys on DefaultPartitionStatuses {
  materializedPartitions materializingPartitions failedPartitions
}
"""


@dataclass(frozen=True)
class Dimension:
    """One way in which an asset is divided, its keys in their order."""

    name: str
    keys: tuple[str, ...]


@dataclass(frozen=True)
class AssetPartitions:
    """An asset's partitions and what became of them; `dimensions` is empty where it has none."""

    asset: str
    dimensions: tuple[Dimension, ...]
    materialized: frozenset[str]
    materializing: frozenset[str]
    failed: frozenset[str]

    @property
    def keys(self) -> tuple[str, ...]:
        """Every partition key, in order; several dimensions are joined as Dagster joins them."""
        if not self.dimensions:
            return ()
        cells = itertools.product(*(dimension.keys for dimension in self.dimensions))
        return tuple(_DIMENSIONS.join(cell) for cell in cells)

    @property
    def missing(self) -> frozenset[str]:
        """Partitions that hold nothing and that no run is about to make."""
        return frozenset(self.keys) - self.materialized - self.materializing

    def named(self, names: Sequence[str]) -> tuple[str, ...]:
        """`names`, each once, in the asset's order.

        Raises:
            InputError: naming the first that is not a partition of the asset.
        """
        known = set(self.keys)
        for name in names:
            if name not in known:
                raise InputError(
                    f"{self.asset} has no partition {name!r}",
                    remedy=f"Use some of {_few(self.keys)}",
                )
        wanted = set(names)
        return tuple(key for key in self.keys if key in wanted)

    def between(self, stretch: str) -> tuple[str, ...]:
        """The partitions from `A` to `B` of `A...B`, both included, in each dimension.

        Raises:
            InputError: where it is no such range, names an unknown partition or runs backwards.
        """
        first, dots, last = stretch.partition(RANGE)
        if not dots:
            raise InputError(f"{stretch!r} is not a range", remedy="Write it FIRST...LAST")
        self.named([first, last])
        ends = zip(first.split(_DIMENSIONS), last.split(_DIMENSIONS), strict=True)
        slices: list[tuple[str, ...]] = []
        for dimension, (start, end) in zip(self.dimensions, ends, strict=True):
            low, high = dimension.keys.index(start), dimension.keys.index(end)
            if low > high:
                raise InputError(
                    f"{start!r} comes after {end!r} in {self.asset}", remedy="Swap the two ends"
                )
            slices.append(dimension.keys[low : high + 1])
        return tuple(_DIMENSIONS.join(cell) for cell in itertools.product(*slices))


@dataclass(frozen=True)
class PartitionChoice:
    """Which partitions of some assets are wanted, said in one way.

    Attributes:
        named: keys with commas between.
        stretch: FIRST...LAST.
        every: all of them, whatever the assets' partitions are.
        failed: those that failed last, of any of the assets.
        missing: those never made, of any of the assets.

    Raises:
        InputError: where it is said in no way or in several.
    """

    named: str | None = None
    stretch: str | None = None
    every: bool = False
    failed: bool = False
    missing: bool = False

    def __post_init__(self) -> None:
        given = (self.named is not None, self.stretch is not None)
        if sum((*given, self.every, self.failed, self.missing)) != 1:
            raise InputError(
                "say which partitions, in one way",
                remedy="Give one of --partitions, --range, --all, --failed, --missing",
            )

    def keys(self, found: Sequence[AssetPartitions]) -> tuple[str, ...] | None:
        """The keys, which all assets share; None for all that each asset has.

        Raises:
            InputError: where the assets have no partitions, or not the same, or not those named.
        """
        if self.every:
            _require_registered(found)
            return None
        first = _alike(found)
        if self.named is not None:
            return first.named([name.strip() for name in self.named.split(",")])
        if self.stretch is not None:
            return first.between(self.stretch)
        wanted = frozenset[str]().union(
            *(asset.failed if self.failed else asset.missing for asset in found)
        )
        return tuple(key for key in first.keys if key in wanted)


def partitions_of_asset(deployment: Deployment, asset: str) -> AssetPartitions:
    """What a deployment says of an asset's partitions.

    Raises:
        InputError: where it has no such asset, with those it has.
    """
    node = deployment.ask(_ASSET, key={"path": asset.split("/")})["assetNodeOrError"]
    if node["__typename"] != "AssetNode":
        nodes = deployment.ask(_NAMES)["assetNodes"]
        names = sorted("/".join(found["assetKey"]["path"]) for found in nodes)
        raise InputError(
            f"the deployment has no asset {asset!r}",
            file=deployment.url,
            remedy=f"Use some of {', '.join(names)}"
            if names
            else "Its code did not load: see the UI",
        )
    dimensions = tuple(
        Dimension(found["name"], tuple(found["partitionKeys"]))
        for found in node["partitionKeysByDimension"]
        if node["isPartitioned"]
    )
    statuses = node["assetPartitionStatuses"]
    return AssetPartitions(
        asset,
        dimensions,
        materialized=_keys(dimensions, statuses, "materializedPartitions"),
        materializing=_keys(dimensions, statuses, "materializingPartitions"),
        failed=_keys(dimensions, statuses, "failedPartitions"),
    )


def _keys(dimensions: tuple[Dimension, ...], statuses: dict[str, Any], kind: str) -> frozenset[str]:
    """The keys of one status; of two dimensions Dagster gives ranges of one, lists of the other."""
    if "ranges" not in statuses:
        return frozenset(statuses.get(kind, ()))
    first, second = dimensions
    swapped = statuses["primaryDimensionName"] == second.name
    primary = (second if swapped else first).keys
    found: set[str] = set()
    for stretch in statuses["ranges"]:
        low = primary.index(stretch["primaryDimStartKey"])
        high = primary.index(stretch["primaryDimEndKey"])
        for cell in itertools.product(primary[low : high + 1], stretch["secondaryDim"][kind]):
            found.add(_DIMENSIONS.join(reversed(cell) if swapped else cell))
    return frozenset(found)


def _few(keys: Sequence[str], shown: int = 8) -> str:
    if not keys:
        return "none: iterpref prepare registers the shards"
    rest = f" ... ({len(keys)} in all)" if len(keys) > shown else ""
    return ", ".join(keys[:shown]) + rest


def _alike(found: Sequence[AssetPartitions]) -> AssetPartitions:
    """The first asset, whose partitions all the others have too."""
    first = found[0]
    if not first.dimensions:
        raise InputError(f"{first.asset} has no partitions", remedy="Use --all to make it")
    for other in found[1:]:
        if other.dimensions != first.dimensions:
            raise InputError(
                f"{first.asset} and {other.asset} have different partitions",
                remedy="Launch a backfill for each, or use --all",
            )
    return first


def _require_registered(found: Sequence[AssetPartitions]) -> None:
    for asset in found:
        if asset.dimensions and not asset.keys:
            raise InputError(
                f"{asset.asset} has no partition yet",
                remedy="Register the shards: iterpref prepare",
            )
