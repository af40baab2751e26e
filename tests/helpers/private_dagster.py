"""All that tests take from Dagster's private parts, each with the public call it waits for.

A release of Dagster may move any of these. No other test imports them.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager

import dagster as dg

# What the UI calls stale.
# Waits for: `DagsterInstance.get_stale_status`, by asset and partition.
from dagster._core.definitions.data_version import CachingStaleStatusResolver

# Dagster's own check of an instance's settings.
# Waits for: `dagster instance check`, or another command that reads a dagster.yaml and says so.
from dagster._core.instance.config import dagster_instance_config
from dagster._core.loader import LoadingContextForTest

# What a code server tells a deployment of its definitions.
# Waits for: `Definitions.validate_loadable`, where it writes the definitions as a server does.
from dagster._core.remote_representation.external_data import RepositorySnap

# The storage that is left is restored after the next, though it may be gone.
# Waits for: a `DagsterInstance` that leaves none when it is closed.
from dagster._core.storage.defs_state.base import set_defs_state_storage

__all__ = ["dagster_instance_config", "no_storage", "stale_partitions", "told_by_a_code_server"]


def stale_partitions(
    instance: dg.DagsterInstance,
    definitions: dg.Definitions,
    asset: dg.AssetKey,
    keys: Sequence[str],
) -> set[str]:
    """The partitions of an asset that the UI calls stale; it calls the others fresh."""
    graph = definitions.resolve_asset_graph()
    resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
    found = {key: resolver.get_status(asset, key).value for key in keys}
    assert set(found.values()) <= {"STALE", "FRESH"}
    return {key for key, status in found.items() if status == "STALE"}


def told_by_a_code_server(definitions: dg.Definitions) -> list[str]:
    """The names of the assets that a deployment reads from what a code server writes."""
    written = dg.serialize_value(RepositorySnap.from_def(definitions.get_repository_def()))
    read = dg.deserialize_value(written, RepositorySnap)
    return sorted(node.asset_key.to_user_string() for node in read.asset_nodes)


def no_storage() -> AbstractContextManager[None]:
    """Dagster restores the storage of the instance before, which may be gone, when one is left."""
    return set_defs_state_storage(None)
