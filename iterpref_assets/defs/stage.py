"""What every asset of the chain has in common: what follows from its step, its run, its result."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager

import dagster as dg

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import (
    UNPARTITIONED,
    Artifact,
    ArtifactStore,
    Plan,
)
from iterpref_assets.core.columns import DESCRIPTIONS
from iterpref_assets.core.digests import digest_json
from iterpref_assets.defs import partitions
from iterpref_assets.defs.code_links import code_links
from iterpref_assets.defs.event_size import within_an_event
from iterpref_assets.defs.freshness import freshness
from iterpref_assets.defs.launch_config import launch_config
from iterpref_assets.defs.published import Reporter, reporter, told_when_published
from iterpref_assets.defs.resources import ProjectResource, WorkerResource, bad_input_as_failure
from iterpref_assets.defs.step_limit import ended_in_time
from iterpref_assets.settings import load_settings
from iterpref_assets.steps.pages import page_beside
from iterpref_assets.steps.step import Step, StepContext

_OPERATIONS = load_settings().operations
CONTENT_HASH = "content_hash"
Describe = Callable[[Artifact], Mapping[str, dg.MetadataValue]]


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
    config_type = launch_config(section)

    @dg.asset(
        name=step.asset,
        description=description,
        group_name=group,
        kinds=kinds,
        owners=_OPERATIONS.owners,
        tags=_OPERATIONS.tags,
        code_version=step.code_version,
        partitions_def=partitions.DEFINITIONS[step.partitioning],
        deps=partitions.deps_of(step),
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=pool,
        automation_condition=automation,
        metadata={
            "dagster/code_references": code_links(step),
            **(columns(schema) if schema is not None else {}),
        },
        freshness_policy=freshness(step),
    )
    def materialize(
        context: dg.AssetExecutionContext,
        config: config_type,  # pyright: ignore[reportInvalidTypeForm] - made of the section
        project: ProjectResource,
        workers: WorkerResource,
    ) -> Iterator[dg.MaterializeResult | dg.AssetMaterialization]:
        settings = project.settings(section, config.overrides())
        store, names = ArtifactStore(settings.root), _partitions(context)
        with ended_in_time(settings.operations.step_hours):
            workers.clear(settings)
            with bad_input_as_failure():
                # A missing parent stops the run here, before an engine starts.
                step_context = StepContext(settings, store)
                reports = reporter(context) if len(names) > 1 else None
                plans = [store.pinned(step.plan(step_context, name)) for name in names]
                wanted = [plan for plan in plans if config.anew or store.reusable(plan) is None]
                made = {plan.key for plan in wanted}
                for plan in plans:
                    if plan.key not in made:
                        store.clear(plan)
                store.require_whole(sorted({key for plan in wanted for key in plan.parents}))
                with _reported(context, store, wanted, reports):
                    if wanted and in_worker:
                        workers.run(context, step.asset, _names(wanted), settings)
                    elif wanted:
                        step.publish(step_context, wanted)
            published = [store.current(plan.key) for plan in plans]
            shown = [{**_page(context, store, each), **describe(each)} for each in published]
        yield from _results(published, shown, reports)

    return materialize


def columns(schema: tables.Schema) -> dict[str, dg.TableSchema]:
    """The definition metadata that shows a table's columns."""
    table = [dg.TableColumn(name, str(kind), DESCRIPTIONS[name]) for name, kind in schema.items()]
    return {"dagster/column_schema": dg.TableSchema(table)}


@contextmanager
def _reported(
    context: dg.AssetExecutionContext,
    store: ArtifactStore,
    plans: Sequence[Plan],
    reports: Reporter | None,
) -> Generator[None]:
    """Report each of several partitions as it is published; of one, its run's end tells."""
    if reports is None:
        yield
        return

    def tell(artifact: Artifact) -> None:
        shown = within_an_event(_common_metadata(artifact), str(artifact.folder))
        context.log_event(reports.event(artifact, shown))

    with told_when_published(store, plans, tell):
        yield


def _names(plans: Sequence[Plan]) -> list[str]:
    return [plan.key.partition for plan in plans]


def _partitions(context: dg.AssetExecutionContext) -> list[str]:
    if context.assets_def.partitions_def is None:
        return [UNPARTITIONED]
    return [partitions.artifact_partition(key) for key in context.partition_keys]


def _common_metadata(artifact: Artifact) -> dict[str, dg.MetadataValue]:
    manifest = artifact.manifest
    metadata: dict[str, dg.MetadataValue] = {
        "path": dg.MetadataValue.path(str(artifact.folder)),
        CONTENT_HASH: dg.MetadataValue.text(manifest.content_hash),
        "upstream": dg.MetadataValue.json(manifest.upstream),
        "config": dg.MetadataValue.json(manifest.config),
    }
    if manifest.row_count is None:
        return metadata
    rows = "row_count" if manifest.partition == UNPARTITIONED else "partition_row_count"
    return {f"dagster/{rows}": dg.MetadataValue.int(manifest.row_count), **metadata}


def _page(
    context: dg.AssetExecutionContext, store: ArtifactStore, artifact: Artifact
) -> dict[str, dg.MetadataValue]:
    """Where the artifact's page lies, written now; empty where there is none.

    The artifact is published: whatever keeps its page from being written is logged, no more.
    """
    try:
        page = page_beside(store, artifact)
    except Exception:
        context.log.warning("%s has no page", artifact.folder, exc_info=True)
        return {}
    return {"page": dg.MetadataValue.path(str(page))} if page else {}


def _results(
    artifacts: Sequence[Artifact],
    shown: Sequence[Mapping[str, dg.MetadataValue]],
    reports: Reporter | None,
) -> Iterator[dg.MaterializeResult | dg.AssetMaterialization]:
    """What the step yields: of a range, an event for each partition comes behind Dagster's own."""
    fitting = [
        within_an_event({**own, **_common_metadata(each)}, str(each.folder))
        for each, own in zip(artifacts, shown, strict=True)
    ]
    versions = [each.manifest.content_hash for each in artifacts]
    if reports is None:
        yield dg.MaterializeResult(metadata=fitting[0], data_version=dg.DataVersion(versions[0]))
        return
    yield dg.MaterializeResult(data_version=dg.DataVersion(digest_json(versions)))
    for artifact, metadata in zip(artifacts, fitting, strict=True):
        yield reports.event(artifact, metadata)
