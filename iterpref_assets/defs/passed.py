"""Which partitions of an asset a blocking check has passed, on what they hold now."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import dagster as dg

from iterpref_assets.defs.dagster_private import (
    AssetCheckExecutionRecord,
    AssetCheckExecutionRecordStatus,
)
from iterpref_assets.defs.partitions import FIRST_TAG, partition_keys_of_run

HISTORY_PAGE = 100


def passed_keys(
    instance: dg.DagsterInstance,
    check: dg.AssetCheckKey,
    definition: dg.PartitionsDefinition,
    asked: Collection[str],
) -> set[str]:
    """The partition keys among `asked` whose present content the check has passed.

    Going back in time, the first evaluation that covers a partition decides about it; it must have
    seen what the partition holds. One that is planned, or that never came, has not passed. Of one
    whose run was deleted nobody can tell which partitions it covered: it vouches for none.
    """
    undecided = set(asked)
    held = instance.event_log_storage.get_latest_storage_id_by_partition(
        check.asset_key, dg.DagsterEventType.ASSET_MATERIALIZATION, undecided
    )
    passed: set[str] = set()
    for record in _history(instance, check):
        if not undecided:
            break
        covered = undecided & _covered(instance, record, definition, undecided)
        seen = _seen(record)
        passed |= {key for key in covered if key in held and held[key] <= seen}
        undecided -= covered
    return passed


def passed_whole(instance: dg.DagsterInstance, check: dg.AssetCheckKey) -> bool:
    """Whether the check of an asset without partitions passed what the asset holds."""
    held = instance.fetch_materializations(check.asset_key, limit=1).records
    newest = next(_history(instance, check), None)
    return bool(held) and newest is not None and held[0].storage_id <= _seen(newest)


def _covered(
    instance: dg.DagsterInstance,
    record: AssetCheckExecutionRecord,
    definition: dg.PartitionsDefinition,
    every: set[str],
) -> set[str]:
    """The partition keys that an evaluation was about: `every` one where its run names none.

    A run over a range tells by what it made: a shard that is forgotten, and one that comes back as
    the last one, change what lies between the ends. Where it made nothing, its range says so.
    """
    run = instance.get_run_by_id(record.run_id)
    if run is None:
        return set()
    if FIRST_TAG in run.tags and (made := _made(instance, run.run_id, record.key.asset_key)):
        return made
    try:
        keys = partition_keys_of_run(run.tags, definition, instance)
    except dg.DagsterInvalidInvocationError:  # an end of the range is no partition any more
        return set()
    return every if keys is None else set(keys)


def _made(instance: dg.DagsterInstance, run_id: str, asset: dg.AssetKey) -> set[str]:
    """The partition keys of an asset that a run materialized."""
    events = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    made = (each.dagster_event for each in events)
    return {
        event.partition for event in made if event and event.asset_key == asset and event.partition
    }


def _seen(record: AssetCheckExecutionRecord) -> int:
    """The last materialization that an evaluation vouches for; 0 where it did not pass."""
    if record.status is not AssetCheckExecutionRecordStatus.SUCCEEDED or record.event is None:
        return 0
    evaluation = record.event.asset_check_evaluation
    target = None if evaluation is None else evaluation.target_materialization_data
    return 0 if target is None else target.storage_id


def _history(
    instance: dg.DagsterInstance, check: dg.AssetCheckKey
) -> Iterator[AssetCheckExecutionRecord]:
    """The check's evaluations, planned ones included, the newest first."""
    cursor: int | None = None
    while page := instance.event_log_storage.get_asset_check_execution_history(
        check, HISTORY_PAGE, cursor
    ):
        yield from page
        cursor = page[-1].id
