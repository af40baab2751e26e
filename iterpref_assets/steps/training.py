"""Reference log-probabilities and focal-DPO checkpoints."""

from __future__ import annotations

from collections.abc import Sequence

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, Plan
from iterpref_assets.core.training.recipes import recipe_named
from iterpref_assets.settings import Settings
from iterpref_assets.steps.models import base_model_folder, base_model_source, model_parents
from iterpref_assets.steps.pairs import read_tokens
from iterpref_assets.steps.step import Step, StepContext

LOGPROBS_FILE = "logprobs.parquet"
METRICS_FILE = "metrics.jsonl"


def _base_model_parents(settings: Settings, base_model: str) -> tuple[ArtifactKey, ...]:
    return (
        ArtifactKey("base_models", base_model),
        *model_parents(base_model_source(settings, base_model)),
    )


def _plan_reference_logprobs(context: StepContext, base_model: str) -> Plan:
    settings = context.settings
    return Plan(
        ArtifactKey("reference_logprobs", base_model),
        "1",
        {"precision": settings.training.precision},
        (
            ArtifactKey("preference_pairs", base_model),
            *_base_model_parents(settings, base_model),
        ),
    )


def _plan_checkpoints(context: StepContext, partition: str) -> Plan:
    settings = context.settings
    base_model, recipe = partition.split("/")
    return Plan(
        ArtifactKey("checkpoints", partition),
        "1",
        {"recipe": recipe_named(recipe).name, "training": settings.section("training")},
        (
            ArtifactKey("preference_pairs", base_model),
            ArtifactKey("reference_logprobs", base_model),
            *_base_model_parents(settings, base_model),
        ),
    )


def _publish_reference_logprobs(context: StepContext, plans: Sequence[Plan]) -> None:
    from iterpref_assets.core.training.reference import compute_reference_logprobs

    for plan in plans:
        base_model = plan.key.partition
        logprobs = compute_reference_logprobs(
            read_tokens(context.store, base_model),
            base_model_folder(context.settings, context.store, base_model),
            context.settings.training,
            context.store.work_folder(plan),
        )
        with context.store.publishing(plan) as staging:
            path = staging.folder / LOGPROBS_FILE
            tables.write_table(logprobs, tables.REFERENCE_LOGPROBS, path)
            staging.row_count = logprobs.height


def _publish_checkpoints(context: StepContext, plans: Sequence[Plan]) -> None:
    from iterpref_assets.core.training.trainer import train

    store = context.store
    for plan in plans:
        base_model, recipe = plan.key.partition.split("/")
        logprobs = store.current(ArtifactKey("reference_logprobs", base_model))
        work = store.work_folder(plan)
        with store.publishing(plan) as staging:
            outcome = train(
                read_tokens(store, base_model),
                tables.read_table(logprobs.path(LOGPROBS_FILE), tables.REFERENCE_LOGPROBS),
                base_model_folder(context.settings, store, base_model),
                recipe_named(recipe),
                context.settings.training,
                staging.folder,
                work,
                context.report,
            )
            staging.figures.update(outcome.figures)


REFERENCE_LOGPROBS = Step(
    "reference_logprobs", _plan_reference_logprobs, _publish_reference_logprobs
)
CHECKPOINTS = Step("checkpoints", _plan_checkpoints, _publish_checkpoints)
