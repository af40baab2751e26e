"""Schedules and sensors: what a deployment does by itself, once it is switched on.

A run records what is published of the same inputs instead of making it again: what follows an
upstream asset that came out the same costs no more than its record.
"""

import hashlib
import json
from collections.abc import Iterator

import dagster as dg
from pydantic import JsonValue

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.core.training.recipes import REFERENCE
from iterpref_assets.defs import dead_runs, jobs, partitions
from iterpref_assets.defs.checkpoints import checkpoints
from iterpref_assets.defs.failures import failure_reason
from iterpref_assets.defs.partitions import (
    FIRST_TAG,
    LAST_TAG,
    PARTITION_TAG,
    range_tags,
    reason,
    stretches,
)
from iterpref_assets.defs.resources import NotifierResource, ProjectResource
from iterpref_assets.settings import load_settings
from iterpref_assets.steps.chain import step_of
from iterpref_assets.steps.partitions import ModelVariant
from iterpref_assets.steps.step import StepContext

OPERATIONS = load_settings().operations
SCHEDULES = dg.DefaultScheduleStatus(OPERATIONS.default_status.value.upper())
SENSORS = dg.DefaultSensorStatus(OPERATIONS.default_status.value.upper())
NEW_CHECKPOINTS_AT_ONCE = 100
HELDOUT = "held-out problems"
"""Among the digests in the cursor of `new_seeds`; no shard's name holds a blank."""


@dg.schedule(
    job=jobs.build_codeflow,
    cron_schedule=OPERATIONS.codeflow_cron,
    execution_timezone=OPERATIONS.timezone,
    default_status=SCHEDULES,
    description="Weekly: every shard from its seeds to its pairs, new shards included. What is "
    "current is recorded, not made again.",
)
def rebuild_codeflow(
    context: dg.ScheduleEvaluationContext, project: ProjectResource
) -> Iterator[dg.RunRequest]:
    """A run, and so an engine, for each stretch of shards that lie side by side."""
    shards = project.settings().seeds.shards()
    context.instance.add_dynamic_partitions(partitions.SHARDS, list(shards))
    known = context.instance.get_dynamic_partitions(partitions.SHARDS)
    for stretch in stretches(known, shards):
        tags = {**range_tags(stretch), **reason("weekly rebuild")}
        yield dg.RunRequest(run_key=_at(context, stretch[0]), tags=tags)


@dg.schedule(
    job=jobs.score_variants,
    cron_schedule=OPERATIONS.evaluation_cron,
    execution_timezone=OPERATIONS.timezone,
    default_status=SCHEDULES,
    description="Nightly: scores every reference model and checkpoint whose scores are not of what "
    "it is now.",
)
def evaluate_variants(
    context: dg.ScheduleEvaluationContext, project: ProjectResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """A run for each model; where every one is scored, one that records so of the first.

    Scores that nobody need make again count as fresh only if a run says that they are.
    """
    settings = project.settings()
    step_context = StepContext(settings, project.store())
    models = [
        name
        for base_model in settings.base_models
        for name in _variants(step_context.store, base_model)
    ]
    if not models:
        yield dg.SkipReason("there is no model to score")
    unscored = [name for name in models if not _is_scored(step_context, name)]
    for name in unscored or models[:1]:
        yield dg.RunRequest(
            run_key=_at(context, name),
            partition_key=partitions.partition_key(name),
            tags=reason("nightly evaluation"),
        )


@dg.sensor(
    jobs=[jobs.read_seeds, jobs.read_heldout],
    minimum_interval_seconds=60,
    default_status=SENSORS,
    description="Reads seeds that came or changed, registers new shards, and forgets shards whose "
    "seeds are gone.",
)
def new_seeds(
    context: dg.SensorEvaluationContext, project: ProjectResource
) -> dg.SensorResult | dg.SkipReason:
    """Shards are registered, read again, or forgotten.

    A forgotten shard's artifacts and history stay; with its seeds it comes back. What follows the
    seeds is rebuilt by rebuild_downstream. Runs have no key: one that brings back what an earlier
    one read is to run again.
    """
    seeds = project.settings().seeds
    heldout = _digest(seeds.heldout_identity())
    digests = {name: _digest(seeds.shard_identity(name)) for name in seeds.shards()}
    read: dict[str, str] = json.loads(context.cursor or "{}")
    known = context.instance.get_dynamic_partitions(partitions.SHARDS)
    new = [name for name in digests if name not in known]
    gone = [name for name in known if name not in digests]
    changed = [name for name, digest in digests.items() if read.get(name) != digest]
    if not (new or gone or changed) and read.get(HELDOUT) == heldout:
        return dg.SkipReason("no seeds came, changed or went")
    order = [*(name for name in known if name in digests), *new]
    requests = [
        dg.RunRequest(
            job_name=jobs.read_seeds.name,
            tags={**range_tags(stretch), **reason("seeds came or changed")},
        )
        for stretch in stretches(order, changed)
    ]
    if read.get(HELDOUT) != heldout:
        tags = reason("held-out problems came or changed")
        requests.append(dg.RunRequest(job_name=jobs.read_heldout.name, tags=tags))
    return dg.SensorResult(
        run_requests=requests,
        cursor=json.dumps({**digests, HELDOUT: heldout}),
        dynamic_partitions_requests=[
            *([partitions.problem_shards.build_add_request(new)] if new else []),
            *([partitions.problem_shards.build_delete_request(gone)] if gone else []),
        ],
    )


@dg.sensor(
    job=jobs.score_variants,
    minimum_interval_seconds=60,
    default_status=SENSORS,
    description="Scores each checkpoint that was published, on the benchmarks too.",
)
def new_checkpoints(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """A run for each checkpoint since the last tick.

    A run over several tells of each more than once: its last word counts. Passed over are those of
    a base model or recipe that the settings no longer have.
    """
    published = context.instance.fetch_materializations(
        dg.AssetRecordsFilter(
            asset_key=checkpoints.key,
            after_storage_id=int(context.cursor) if context.cursor else None,
        ),
        limit=NEW_CHECKPOINTS_AT_ONCE,
        ascending=True,
    ).records
    if not published:
        return dg.SkipReason("no checkpoint was published")
    known = set(partitions.scores.get_partition_keys())
    last = {record.partition_key: record.storage_id for record in published}
    requests = [
        dg.RunRequest(
            run_key=str(storage_id),
            partition_key=partition,
            tags=reason("a checkpoint was published"),
        )
        for partition, storage_id in last.items()
        if partition in known
    ]
    return dg.SensorResult(run_requests=requests, cursor=str(published[-1].storage_id))


rebuild_downstream = dg.AutomationConditionSensorDefinition(
    "rebuild_downstream",
    target=dg.AssetSelection.all(),
    use_user_code_server=True,
    default_status=SENSORS,
    description="Makes what follows an upstream asset that changed and whose blocking checks "
    "passed.",
    run_tags=reason("an upstream asset changed"),
)


@dg.sensor(
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Fails runs whose process is gone, so that nothing waits for them. Launches "
    "nothing, and is on from the start.",
)
def end_dead_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """What a code server leaves that was killed with its runs, while webserver and daemon live on.

    Runs in containers are on hosts of their own: there run monitoring sees what died.
    """
    ended = dead_runs.end_dead_runs(context.instance)
    return dg.SkipReason(
        f"failed {', '.join(ended)}" if ended else "no run of this host has lost its process"
    )


@dg.run_failure_sensor(
    default_status=SENSORS,
    description="Tells people which run failed, why, and where to look.",
)
def tell_about_failures(context: dg.RunFailureSensorContext, notifier: NotifierResource) -> None:
    """Failed runs: what failed, why and where to look, to whoever the notifier tells."""
    notifier.notify(failure_message(context.dagster_run, _failure(context)))


def failure_message(run: dg.DagsterRun, reason: str) -> str:
    """What people are told about a failed run."""
    assets = sorted(key.to_user_string() for key in run.asset_selection or ())
    what = ", ".join(assets) or run.job_name
    partition = run.tags.get(PARTITION_TAG) or run.tags.get(FIRST_TAG)
    if last := run.tags.get(LAST_TAG):
        partition = f"{partition}...{last}"
    where = f" ({partition})" if partition else ""
    return f"{what}{where} failed: {reason}\n{OPERATIONS.url}/runs/{run.run_id}"


def _failure(context: dg.RunFailureSensorContext) -> str:
    """The message of the first step that failed; a run that was killed has only its own."""
    said = failure_reason(context.get_step_failure_events())
    return said or context.failure_event.message or "no reason was recorded"


def _at(context: dg.ScheduleEvaluationContext, partition: str) -> str:
    """A run key that a tick which is evaluated again repeats, and no other tick does."""
    return f"{context.scheduled_execution_time.isoformat()} {partition}"


def _variants(store: ArtifactStore, base_model: str) -> Iterator[str]:
    """The models that can be scored, as partitions of artifacts: itself, and its checkpoints.

    A checkpoint of a recipe that there no longer is stays in the store.
    """
    known = set(partitions.scores.get_partition_keys())
    if store.find(ArtifactKey("base_models", base_model)) is not None:
        yield ModelVariant(base_model, REFERENCE).key
    for name in store.partitions("checkpoints"):
        is_known = partitions.partition_key(name) in known
        if is_known and ModelVariant.parse(name).base_model == base_model:
            yield name


def _is_scored(context: StepContext, partition: str) -> bool:
    plans = [step_of(asset).plan(context, partition) for asset in jobs.SCORES]
    return all(context.store.reusable(plan) is not None for plan in plans)


def _digest(value: JsonValue) -> str:
    """As the cursors of deployments hold it: `digest_json` would have every seed read again."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
