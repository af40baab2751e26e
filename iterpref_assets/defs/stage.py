"""What every asset of the chain has in common: its decorator, running its step, its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dagster as dg

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import UNPARTITIONED, Artifact, ArtifactKey, ArtifactStore, Plan
from iterpref_assets.defs.partitions import artifact_partition, partition_key
from iterpref_assets.defs.resources import WorkerResource, bad_input_as_failure
from iterpref_assets.settings import Settings
from iterpref_assets.steps.chain import step_of
from iterpref_assets.steps.step import StepContext

CONTENT_HASH = "content_hash"
REUSE_TAG = "iterpref/reuse"
"""Marks runs that record what an earlier, killed run published instead of making it again."""

Describe = Callable[[Artifact], Mapping[str, dg.MetadataValue]]
Decorator = Callable[[Callable[..., dg.MaterializeResult]], dg.AssetsDefinition]


def stage_asset(*, name: str | None = None, **options: Any) -> Decorator:
    """The decorator of an asset that the step of its name publishes, with that step's code version.

    One run covers a whole range of partitions: a range of shards starts one engine, not one each.
    """

    def decorate(materialize: Callable[..., dg.MaterializeResult]) -> dg.AssetsDefinition:
        asset = name or materialize.__name__
        return dg.asset(
            name=asset,
            code_version=step_of(asset).code_version,
            owners=["team:iterpref"],
            backfill_policy=dg.BackfillPolicy.single_run(),
            **options,
        )(materialize)

    return decorate


def columns(schema: tables.Schema) -> dict[str, dg.TableSchema]:
    """The definition metadata that shows a table's columns."""
    table = [dg.TableColumn(name, str(kind)) for name, kind in schema.items()]
    return {"dagster/column_schema": dg.TableSchema(table)}


class StageConfig(dg.Config, extra="forbid"):
    """What a run may vary: fields of the asset's section of the settings, checked there."""

    overrides: dict[str, Any] = {}  # noqa: RUF012 - dagster reads the default


def publish_here(
    context: dg.AssetExecutionContext, settings: Settings, describe: Describe
) -> dg.MaterializeResult:
    """Publish the run's partitions of the asset in this process."""
    store, partitions = ArtifactStore(settings.root), _partitions(context)
    with bad_input_as_failure():
        step, step_context = step_of(_asset(context)), StepContext(settings, store)
        plans = [store.pinned(step.plan(step_context, name)) for name in partitions]
        step.publish(step_context, _to_make(context, store, plans))
    return _result(context, store, partitions, describe)


def publish_in_worker(
    context: dg.AssetExecutionContext,
    workers: WorkerResource,
    settings: Settings,
    describe: Describe,
) -> dg.MaterializeResult:
    """Publish the run's partitions of the asset in a worker."""
    store, partitions = ArtifactStore(settings.root), _partitions(context)
    with bad_input_as_failure():
        step, step_context = step_of(_asset(context)), StepContext(settings, store)
        # A missing parent stops the run here, before an engine starts.
        plans = [store.pinned(step.plan(step_context, name)) for name in partitions]
        if names := [plan.key.partition for plan in _to_make(context, store, plans)]:
            workers.run(context, step.asset, names, settings)
    return _result(context, store, partitions, describe)


def _to_make(
    context: dg.AssetExecutionContext, store: ArtifactStore, plans: Sequence[Plan]
) -> list[Plan]:
    """All of `plans`; in a run that may reuse, those that were not published before it died."""
    if REUSE_TAG not in context.run.tags:
        return list(plans)
    return [plan for plan in plans if store.reusable(plan) is None]


def _asset(context: dg.AssetExecutionContext) -> str:
    return context.asset_key.to_user_string()


def _partitions(context: dg.AssetExecutionContext) -> list[str]:
    if context.assets_def.partitions_def is None:
        return [UNPARTITIONED]
    return [artifact_partition(key) for key in context.partition_keys]


def _common_metadata(artifact: Artifact) -> dict[str, dg.MetadataValue]:
    manifest = artifact.manifest
    metadata: dict[str, dg.MetadataValue] = {
        CONTENT_HASH: dg.MetadataValue.text(manifest.content_hash),
        "path": dg.MetadataValue.path(str(artifact.folder)),
        "config": dg.MetadataValue.json(manifest.config),
        "upstream": dg.MetadataValue.json(manifest.upstream),
    }
    if manifest.row_count is not None:
        rows = "row_count" if manifest.partition == UNPARTITIONED else "partition_row_count"
        metadata[f"dagster/{rows}"] = dg.MetadataValue.int(manifest.row_count)
    return metadata


def _key(context: dg.AssetExecutionContext, partition: str) -> ArtifactKey:
    return ArtifactKey(_asset(context), partition)


def _result(
    context: dg.AssetExecutionContext,
    store: ArtifactStore,
    partitions: list[str],
    describe: Describe,
) -> dg.MaterializeResult:
    if len(partitions) > 1:
        for partition in partitions:
            artifact = store.current(_key(context, partition))
            metadata = {**_common_metadata(artifact), **describe(artifact)}
            context.add_asset_metadata(
                metadata, asset_key=context.asset_key, partition_key=partition_key(partition)
            )
        return dg.MaterializeResult()
    artifact = store.current(_key(context, partitions[0]))
    return dg.MaterializeResult(
        metadata={**_common_metadata(artifact), **describe(artifact)},
        data_version=dg.DataVersion(artifact.manifest.content_hash),
    )
