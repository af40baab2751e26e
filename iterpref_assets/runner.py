"""Materialize the whole chain in this process, reusing every artifact that is already current."""

from __future__ import annotations

import functools
import importlib.util
import logging
import os
import uuid
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import dagster as dg

from iterpref_assets.core.artifacts import UNPARTITIONED, ArtifactStore
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.progress import duration
from iterpref_assets.defs.dagster_private import (
    DagsterAssetCheckFailedError,
    InstanceRef,
    NoOpComputeLogManager,
)
from iterpref_assets.defs.dead_runs import PROCESS_TAG, process_tag, release_dead_runs
from iterpref_assets.defs.failures import failure_reason
from iterpref_assets.defs.partitions import (
    DEFINITIONS,
    SHARDS,
    artifact_partition,
    partition_key,
    range_tags,
    reason,
    stretches,
)
from iterpref_assets.defs.passed import passed_keys, passed_whole
from iterpref_assets.phases import Phase
from iterpref_assets.settings import Settings
from iterpref_assets.steps.chain import step_of
from iterpref_assets.steps.step import StepContext

SHOWN_NAMES = 4

_INTERRUPTIONS = {KeyboardInterrupt.__name__, dg.DagsterExecutionInterruptedError.__name__}

_log = logging.getLogger("iterpref")


def open_instance() -> dg.DagsterInstance:
    """The instance of DAGSTER_HOME, whose runs write to this process's own stderr.

    Dagster diverts the output of runs to files and shows it from there a moment later: what a run
    says last is lost where it ends before that.
    """
    module, name = NoOpComputeLogManager.__module__, NoOpComputeLogManager.__name__
    overrides = {"compute_logs": {"module": module, "class": name}}
    home = os.environ["DAGSTER_HOME"]
    return dg.DagsterInstance.from_ref(InstanceRef.from_dir(home, overrides=overrides))


def materialize_chain(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    settings: Settings,
    planned: Sequence[Phase],
) -> None:
    """Materialize what is missing or out of date, phase by phase.

    Raises:
        InputError: naming the run that failed and the first message of its failure.
    """
    register_shards(instance, settings)
    release_dead_runs(instance)
    warn_of_full_pools(instance)
    context = StepContext(settings, ArtifactStore(settings.root))
    for number, phase in enumerate(planned, 1):
        _log.info("stage %d of %d: %s", number, len(planned), _said_of(phase))
        stale = _stale(context, definitions, instance, phase)
        for asset in phase.assets:
            reused = [name for name, assets in stale.items() if asset not in assets]
            if reused:
                _log.info("%s: reused %s", asset, _some(reused))
        for assets in sorted({assets for assets in stale.values() if assets}, key=len):
            partitions = [name for name, wanted in stale.items() if wanted == assets]
            for stretch in _ranges(instance, assets[0], partitions):
                execute(definitions, instance, assets, stretch)


def _said_of(phase: Phase) -> str:
    assets = ", ".join(phase.assets)
    return (
        assets if phase.partitions == (UNPARTITIONED,) else f"{assets} ({_some(phase.partitions)})"
    )


def _some(names: Sequence[str]) -> str:
    """The names where there are few, else the first and the last and how many there are."""
    if len(names) <= SHOWN_NAMES:
        return ", ".join(names)
    return f"{names[0]} to {names[-1]}, {len(names)} in all"


def _stale(
    context: StepContext, definitions: dg.Definitions, instance: dg.DagsterInstance, phase: Phase
) -> dict[str, tuple[str, ...]]:
    """For each partition the assets to make: all from the first one that is not current.

    What follows a stale asset is stale too, because its parent is about to change. One that its
    blocking checks have not passed counts as stale: its run makes nothing anew, and checks it.
    """
    known = {
        asset: _recorded(instance, asset) & _passed(definitions, instance, asset, phase.partitions)
        for asset in phase.assets
    }
    stale: dict[str, tuple[str, ...]] = {}
    for name in phase.partitions:
        current = [
            name in known[asset] and _is_current(context, asset, name) for asset in phase.assets
        ]
        first = current.index(False) if False in current else len(current)
        stale[name] = phase.assets[first:]
    return stale


def _recorded(instance: dg.DagsterInstance, asset: str) -> set[str]:
    """The artifact partitions of an asset that Dagster knows to be materialized."""
    key = dg.AssetKey(asset)
    keys = instance.get_materialized_partitions(key)
    if not keys and instance.get_latest_materialization_event(key) is not None:
        return {UNPARTITIONED}
    return {artifact_partition(name) for name in keys}


def _passed(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    asset: str,
    partitions: Collection[str],
) -> set[str]:
    """The artifact partitions that each blocking check of an asset passed on what they hold."""
    graph = definitions.resolve_asset_graph()
    node = graph.get(dg.AssetKey(asset))
    passed = set(partitions)
    for check in node.check_keys:
        if not graph.get(check).blocking:
            continue
        if node.partitions_def is None:
            passed = passed if passed_whole(instance, check) else set()
        else:
            keys = [partition_key(name) for name in passed]
            found = passed_keys(instance, check, node.partitions_def, keys)
            passed = {artifact_partition(key) for key in found}
    return passed


def _is_current(context: StepContext, asset: str, partition: str) -> bool:
    """Whether the partition is published as planned; a plan that cannot be made is not."""
    try:
        return context.store.reusable(step_of(asset).plan(context, partition)) is not None
    except InputError:
        return False


def warn_of_full_pools(instance: dg.DagsterInstance) -> None:
    """Say which runs hold every slot of a pool: what needs one waits for them, in silence."""
    storage = instance.event_log_storage
    for pool in sorted(storage.get_concurrency_keys()):
        info = storage.get_concurrency_info(pool)
        if info.active_slot_count >= max(info.slot_count, 1):
            _log.warning(
                "pool %s is full: its steps wait until run %s ends. If that run is dead, free its "
                "slot in the UI under Deployment, Concurrency",
                pool, " and ".join(sorted(info.active_run_ids)),
            )  # fmt: skip


def load_definitions() -> dg.Definitions:
    """The code location, from the definitions.py of the checkout this package lies in."""
    path = Path(__file__).parents[1] / "definitions.py"
    spec = importlib.util.spec_from_file_location("definitions", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise InputError("no definitions.py", file=path, remedy="Run from a checkout")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.defs()


def register_shards(instance: dg.DagsterInstance, settings: Settings) -> None:
    """Make the settings' shards known to Dagster as partitions."""
    instance.add_dynamic_partitions(SHARDS, list(settings.seeds.shards()))


def _ranges(
    instance: dg.DagsterInstance, asset: str, partitions: Sequence[str]
) -> Iterator[tuple[str, ...]]:
    """Partitions of an asset as stretches without gaps in the order that Dagster knows them in."""
    definition = DEFINITIONS[step_of(asset).partitioning]
    if definition is None:
        yield tuple(partitions)
        return
    known = definition.get_partition_keys(dynamic_partitions_store=instance)
    wanted = [partition_key(name) for name in partitions]
    for keys in stretches(known, wanted):
        yield tuple(artifact_partition(key) for key in keys)


def execute(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    assets: Sequence[str],
    partitions: Sequence[str],
) -> None:
    """Materialize `assets` over the artifact partitions in one run, telling of each as it ends.

    Raises:
        InputError: naming what failed, with the first message of its failure.
        KeyboardInterrupt: where it was interrupted.
    """
    keys = [partition_key(name) for name in partitions]
    run_id = str(uuid.uuid4())
    tags = {PROCESS_TAG: process_tag(run_id, os.getpid()), **reason("iterpref run")}
    if len(keys) > 1:
        tags |= range_tags(keys)
    partition = keys[0] if len(keys) == 1 and keys[0] != UNPARTITIONED else None
    job = definitions.resolve_implicit_global_asset_job_def()
    instance.add_event_listener(run_id, functools.partial(_announce, assets, partitions))
    result = job.execute_in_process(
        instance=instance,
        asset_selection=[dg.AssetKey(asset) for asset in assets],
        partition_key=partition,
        tags=tags,
        run_id=run_id,
        raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    if not result.success:
        _raise_interruption(result)
        _tell_of_faults(result)
        home = os.environ.get("DAGSTER_HOME", "data/dagster")
        raise InputError(
            _first_failure(result),
            remedy=f"`make ui` shows the run's log, with DAGSTER_HOME={home}",
        )


def _announce(assets: Sequence[str], partitions: Sequence[str], entry: dg.EventLogEntry) -> None:
    """Say what a run has just done, while it goes on."""
    event = entry.dagster_event
    if event is None:
        return
    if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        check = event.asset_check_evaluation_data
        is_warning = check.severity is dg.AssetCheckSeverity.WARN
        said = "passed" if check.passed else "warns" if is_warning else "failed"
        told = f"{said}: {check.description}" if check.description else said
        asset = check.asset_key.to_user_string()
        _log.info("%s: check %s %s (%s)", asset, check.check_name, told, _some(partitions))
    elif event.is_step_success and event.step_key in assets:
        took = duration(event.step_success_data.duration_ms / 1000)
        _log.info("%s: materialized %s in %s", event.step_key, _some(partitions), took)


def _raise_interruption(result: dg.ExecuteInProcessResult) -> None:
    """Ctrl-C beside a step's own work comes out as the failure of the step or of the run.

    So does a second one, while Dagster deals with the first.
    """
    for event in result.all_events:
        if event.event_type is dg.DagsterEventType.RUN_CANCELED:
            raise KeyboardInterrupt
        error = None
        if event.event_type is dg.DagsterEventType.STEP_FAILURE:
            error = event.step_failure_data.error
        elif event.event_type is dg.DagsterEventType.RUN_FAILURE:
            error = event.job_failure_data.error
        while error is not None:
            if error.cls_name in _INTERRUPTIONS:
                raise KeyboardInterrupt
            error = error.cause


def _tell_of_faults(result: dg.ExecuteInProcessResult) -> None:
    """Log the stack of what no step foresaw; bad input and a failed check have their one line."""
    for event in result.get_step_failure_events():
        failure, error = event.step_failure_data, event.step_failure_data.error
        if failure.user_failure_data is not None or error is None:
            continue
        if error.cls_name != DagsterAssetCheckFailedError.__name__:
            _log.error("%s: %s", event.step_key, error.to_string())


def _first_failure(result: dg.ExecuteInProcessResult) -> str:
    for evaluation in result.get_asset_check_evaluations():
        if not evaluation.passed and evaluation.severity is dg.AssetCheckSeverity.ERROR:
            asset = evaluation.asset_key.to_user_string()
            return f"{asset}: check {evaluation.check_name} failed: {evaluation.description}"
    return failure_reason(result.get_step_failure_events()) or "a run failed"
