"""Which partitions a run is about: read from its tags, and written into them."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence

import dagster as dg
from dagster._core.definitions.partitions.context import partition_loading_context

PARTITION_TAG = "dagster/partition"
FIRST_TAG = "dagster/asset_partition_range_start"
LAST_TAG = "dagster/asset_partition_range_end"


def partition_keys_of_run(
    tags: Mapping[str, str], definition: dg.PartitionsDefinition, instance: dg.DagsterInstance
) -> list[str] | None:
    """The partition keys that a run with these tags names; None where it names none."""
    if key := tags.get(PARTITION_TAG):
        return [key]
    if FIRST_TAG not in tags:
        return None
    stretch = dg.PartitionKeyRange(tags[FIRST_TAG], tags[LAST_TAG])
    with partition_loading_context(dynamic_partitions_store=instance):
        return list(definition.get_partition_keys_in_range(stretch))


def stretches(known: Sequence[str], wanted: Collection[str]) -> Iterator[tuple[str, ...]]:
    """The wanted keys, in the order they are known in, as stretches without gaps: a run each."""
    for is_wanted, stretch in itertools.groupby(known, key=set(wanted).__contains__):
        if is_wanted:
            yield tuple(stretch)


def range_tags(stretch: Sequence[str]) -> dict[str, str]:
    """The tags of a run over a stretch of partitions."""
    return {FIRST_TAG: stretch[0], LAST_TAG: stretch[-1]}
