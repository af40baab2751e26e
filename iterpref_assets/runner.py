"""Materialize the whole chain in this process, reusing every artifact that is already current."""

from __future__ import annotations

import importlib.util
import itertools
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from iterpref_assets.core.artifacts import UNPARTITIONED, ArtifactStore
from iterpref_assets.core.errors import InputError
from iterpref_assets.defs.partitions import SHARDS, partition_key
from iterpref_assets.settings import LabModel, Settings
from iterpref_assets.steps.chain import step_of
from iterpref_assets.steps.evaluation import REFERENCE
from iterpref_assets.steps.step import StepContext

_log = logging.getLogger("iterpref")


@dataclass(frozen=True)
class Phase:
    """Assets of one Dagster run, over the same artifact partitions."""

    assets: tuple[str, ...]
    partitions: tuple[str, ...]


def phases(settings: Settings) -> Iterator[Phase]:
    """The runs that make the whole chain, in order."""
    shards = settings.seeds.shards()
    yield Phase(("heldout_problems",), (UNPARTITIONED,))
    if LabModel() in (settings.generator, *settings.base_models.values()):
        yield Phase(("lab_base_model",), (UNPARTITIONED,))
    for name in settings.base_models:
        yield Phase(("base_models",), (name,))
    yield Phase(
        ("seed_problems", "initial_samples", "debug_trajectories", "codeflow_pairs"), shards
    )
    for name in settings.base_models:
        yield Phase(("preference_pairs", "reference_logprobs"), (name,))
        for variant in settings.variants:
            if variant != REFERENCE:
                yield Phase(("checkpoints",), (f"{name}/{variant}",))
            yield Phase(("heldout_scores",), (f"{name}/{variant}",))
        yield Phase(("experiment_reports",), (name,))


def materialize_chain(
    definitions: dg.Definitions, instance: dg.DagsterInstance, settings: Settings
) -> None:
    """Materialize what is missing or out of date, phase by phase.

    Raises:
        InputError: naming the run that failed and the first message of its failure.
    """
    register_shards(instance, settings)
    context = StepContext(settings, ArtifactStore(settings.root))
    for phase in phases(settings):
        stale = [asset for asset in phase.assets if not _current(context, instance, asset, phase)]
        for asset in phase.assets:
            if asset not in stale:
                _log.info("%s: reused (%d partitions)", asset, len(phase.partitions))
        if stale:
            for partitions in _ranges(instance, phase.partitions):
                _execute(definitions, instance, stale, partitions)


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


def _current(context: StepContext, instance: dg.DagsterInstance, asset: str, phase: Phase) -> bool:
    """Whether every partition is published as planned and recorded in Dagster."""
    step = step_of(asset)
    for partition in phase.partitions:
        try:
            artifact = context.store.reusable(step.plan(context, partition))
        except InputError:
            return False
        if artifact is None:
            return False
    recorded = instance.get_materialized_partitions(dg.AssetKey(asset))
    if phase.partitions == (UNPARTITIONED,):
        return instance.get_latest_materialization_event(dg.AssetKey(asset)) is not None
    return {partition_key(name) for name in phase.partitions} <= recorded


def _ranges(instance: dg.DagsterInstance, partitions: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """`partitions` as stretches without gaps: shards lie in the order they were registered in."""
    if len(partitions) == 1:
        yield tuple(partitions)
        return
    known, wanted = instance.get_dynamic_partitions(SHARDS), set(partitions)
    for is_wanted, stretch in itertools.groupby(known, key=wanted.__contains__):
        if is_wanted:
            yield tuple(stretch)


def _execute(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    assets: Sequence[str],
    partitions: Sequence[str],
) -> None:
    keys = [partition_key(name) for name in partitions]
    tags = {}
    if len(keys) > 1:
        tags = {
            "dagster/asset_partition_range_start": keys[0],
            "dagster/asset_partition_range_end": keys[-1],
        }
    partition = keys[0] if len(keys) == 1 and keys[0] != UNPARTITIONED else None
    job = definitions.resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        instance=instance,
        asset_selection=[dg.AssetKey(asset) for asset in assets],
        partition_key=partition,
        tags=tags,
        raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "ERROR"}}}},
    )
    if not result.success:
        raise InputError(_first_failure(result), remedy="The run's log is in the UI: make ui")
    for event in result.all_events:
        if event.is_step_success:
            seconds = event.step_success_data.duration_ms / 1000
            _log.info(
                "%s: materialized %s in %.1f s", event.step_key, ", ".join(partitions), seconds
            )


def _first_failure(result: dg.ExecuteInProcessResult) -> str:
    for evaluation in result.get_asset_check_evaluations():
        if not evaluation.passed and evaluation.severity is dg.AssetCheckSeverity.ERROR:
            asset = evaluation.asset_key.to_user_string()
            return f"{asset}: {evaluation.check_name} is false: {evaluation.description}"
    for event in result.get_step_failure_events():
        failure = event.step_failure_data
        if failure.user_failure_data is not None and failure.user_failure_data.description:
            return f"{event.step_key}: {failure.user_failure_data.description}"
        error = failure.error
        while error is not None and error.cause is not None:
            error = error.cause
        if error is not None:
            return f"{event.step_key}: {error.message.strip()}"
    return "a run failed"
