"""Telling Dagster of each partition the moment it is published, with the version of its content.

Dagster reports a run over a range of partitions at the run's end, with one data version for all. A
run that is killed before would leave no record of what it finished, and a shard that came out the
same would look changed. So each partition has events of its own here: one as soon as it is
published, and one behind Dagster's own, which is the last word about it.
"""

import logging
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import dagster as dg

from iterpref_assets.core.artifacts import Artifact, ArtifactStore, Plan
from iterpref_assets.defs.dagster_private import (
    CODE_VERSION_TAG,
    DATA_VERSION_IS_USER_PROVIDED_TAG,
    DATA_VERSION_TAG,
    DEFAULT_DATA_VERSION,
    NULL_EVENT_POINTER,
    get_input_data_version_tag,
    get_input_event_pointer_tag,
)
from iterpref_assets.defs.partitions import artifact_partition

POLL_SECONDS = 0.5

_log = logging.getLogger("iterpref")


@dataclass(frozen=True)
class Reporter:
    """Makes the events of one run's partitions of an asset.

    Attributes:
        asset: the asset's key.
        partition_keys: Dagster's keys of the run's partitions, by artifact partition.
        inputs: tags that say what of each parent Dagster knew as the run began.
    """

    asset: dg.AssetKey
    partition_keys: Mapping[str, str]
    inputs: Mapping[str, str]

    def event(
        self, artifact: Artifact, metadata: Mapping[str, dg.MetadataValue]
    ) -> dg.AssetMaterialization:
        """The materialization of one partition, by the content of its artifact."""
        manifest = artifact.manifest
        return dg.AssetMaterialization(
            self.asset,
            partition=self.partition_keys[manifest.partition],
            metadata=metadata,
            tags={
                **self.inputs,
                CODE_VERSION_TAG: manifest.code_version,
                DATA_VERSION_TAG: manifest.content_hash,
                DATA_VERSION_IS_USER_PROVIDED_TAG: "true",
            },
        )


def reporter(context: dg.AssetExecutionContext) -> Reporter:
    """The reporter of a run, to be made before the run reads any parent."""
    inputs: dict[str, str] = {}
    for parent in context.assets_def.asset_deps[context.asset_key]:
        records = context.instance.fetch_materializations(parent, limit=1).records
        version, pointer = DEFAULT_DATA_VERSION.value, NULL_EVENT_POINTER
        for record in records:
            pointer = str(record.storage_id)
            event = record.asset_materialization
            version = ((event and event.tags) or {}).get(DATA_VERSION_TAG, version)
        inputs[get_input_data_version_tag(parent)] = version
        inputs[get_input_event_pointer_tag(parent)] = pointer
    keys = {artifact_partition(key): key for key in context.partition_keys}
    return Reporter(context.asset_key, keys, inputs)


@contextmanager
def told_when_published(
    store: ArtifactStore, plans: Sequence[Plan], tell: Callable[[Artifact], None]
) -> Generator[None]:
    """Call `tell` with each plan's artifact as it appears, within the block or as it is left.

    Whatever publishes them may be another process on another host: the store is looked at. A look
    that fails (a database is locked, a disk is away) is logged, and taken again.
    """
    ended = threading.Event()
    before = {plan.key: store.stamp(plan.key) for plan in plans}

    def watch() -> None:
        waiting = list(plans)
        while waiting:
            is_last = ended.wait(POLL_SECONDS)
            try:
                for plan in tuple(waiting):
                    if store.stamp(plan.key) != before[plan.key]:
                        tell(store.current(plan.key))
                        waiting.remove(plan)
            except Exception:  # noqa: BLE001 - whatever it is, the run goes on
                _log.exception("what was published could not be reported; it is tried again")
            if is_last:
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
