"""What every asset of the chain has in common: what follows from its step, its run, its result."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dagster as dg

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import UNPARTITIONED, Artifact, ArtifactKey, ArtifactStore, Plan
from iterpref_assets.defs import partitions
from iterpref_assets.defs.resources import ProjectResource, WorkerResource, bad_input_as_failure
from iterpref_assets.steps.step import Step, StepContext

CONTENT_HASH = "content_hash"
REUSE_TAG = "iterpref/reuse"
"""Marks runs that record what an earlier, killed run published instead of making it again."""

Describe = Callable[[Artifact], Mapping[str, dg.MetadataValue]]


class StageConfig(dg.Config, extra="forbid"):
    """What a run may vary: fields of the asset's section of the settings, checked there."""

    overrides: dict[str, Any] = {}  # noqa: RUF012 - dagster reads the default


def stage_asset(
    step: Step,
    *,
    description: str,
    group: str,
    kinds: set[str],
    describe: Describe,
    schema: tables.Schema | None = None,
    section: str = "",
    in_worker: bool = False,
    pool: str | None = None,
    automation: dg.AutomationCondition | None = None,
) -> dg.AssetsDefinition:
    """The asset that a step publishes; its place in the graph is what the step says.

    One run covers a whole range of partitions: a range of shards starts one engine, not one each.

    Args:
        step: what publishes it.
        description: what it holds, in a line.
        group: the group it is shown in.
        kinds: what it is made with, as the UI shows it.
        describe: what the UI shows of an artifact besides what it shows of every one.
        schema: the columns of its main table.
        section: the section of the settings that a run may override fields of.
        in_worker: whether the step runs in a process of its own, because it is heavy or executes
            programs.
        pool: what it waits for.
        automation: when it follows its parents by itself.
    """

    @dg.asset(
        name=step.asset,
        description=description,
        group_name=group,
        kinds=kinds,
        owners=["team:iterpref"],
        code_version=step.code_version,
        partitions_def=partitions.DEFINITIONS[step.partitioning],
        deps=partitions.deps_of(step),
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=pool,
        automation_condition=automation,
        metadata=columns(schema) if schema is not None else None,
    )
    def materialize(
        context: dg.AssetExecutionContext,
        config: StageConfig,
        project: ProjectResource,
        workers: WorkerResource,
    ) -> dg.MaterializeResult:
        settings = project.settings(section, config.overrides)
        store, names = ArtifactStore(settings.root), _partitions(context)
        with bad_input_as_failure():
            # A missing parent stops the run here, before an engine starts.
            step_context = StepContext(settings, store)
            plans = [store.pinned(step.plan(step_context, name)) for name in names]
            if wanted := _to_make(context, store, plans):
                if in_worker:
                    workers.run(context, step.asset, _names(wanted), settings)
                else:
                    step.publish(step_context, wanted)
        return _result(context, store, names, describe)

    return materialize


def columns(schema: tables.Schema) -> dict[str, dg.TableSchema]:
    """The definition metadata that shows a table's columns."""
    table = [dg.TableColumn(name, str(kind)) for name, kind in schema.items()]
    return {"dagster/column_schema": dg.TableSchema(table)}


def _to_make(
    context: dg.AssetExecutionContext, store: ArtifactStore, plans: Sequence[Plan]
) -> list[Plan]:
    """All of `plans`; in a run that may reuse, those that were not published before it died."""
    if REUSE_TAG not in context.run.tags:
        return list(plans)
    return [plan for plan in plans if store.reusable(plan) is None]


def _names(plans: Sequence[Plan]) -> list[str]:
    return [plan.key.partition for plan in plans]


def _partitions(context: dg.AssetExecutionContext) -> list[str]:
    if context.assets_def.partitions_def is None:
        return [UNPARTITIONED]
    return [partitions.artifact_partition(key) for key in context.partition_keys]


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


def _result(
    context: dg.AssetExecutionContext,
    store: ArtifactStore,
    names: list[str],
    describe: Describe,
) -> dg.MaterializeResult:
    asset = context.asset_key.to_user_string()
    if len(names) > 1:
        for name in names:
            artifact = store.current(ArtifactKey(asset, name))
            metadata = {**_common_metadata(artifact), **describe(artifact)}
            context.add_asset_metadata(
                metadata,
                asset_key=context.asset_key,
                partition_key=partitions.partition_key(name),
            )
        return dg.MaterializeResult()
    artifact = store.current(ArtifactKey(asset, names[0]))
    return dg.MaterializeResult(
        metadata={**_common_metadata(artifact), **describe(artifact)},
        data_version=dg.DataVersion(artifact.manifest.content_hash),
    )
