"""Reference log-probabilities and focal-DPO checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.training.curves import TIMED
from iterpref_assets.core.training.recipes import recipe_named
from iterpref_assets.settings import Settings
from iterpref_assets.steps.models import base_model_folder, base_model_source, model_parents
from iterpref_assets.steps.pairs import TOKENS_FILE
from iterpref_assets.steps.step import Basis, Step, StepContext

LOGPROBS_FILE = "logprobs.parquet"
METRICS_FILE = "metrics.jsonl"
SPEED_CURVE = "pairs_per_second_by_point"
"""The curve that is timed, and therefore lies among a checkpoint's figures, not in its files."""


def _base_model_parents(settings: Settings, base_model: str) -> tuple[ArtifactKey, ...]:
    return (
        ArtifactKey("base_models", base_model),
        *model_parents(base_model_source(settings, base_model)),
    )


def _basis_of_reference_logprobs(context: StepContext, base_model: str) -> Basis:
    settings = context.settings
    return Basis(
        {"precision": settings.training.precision},
        (
            ArtifactKey("preference_pairs", base_model),
            *_base_model_parents(settings, base_model),
        ),
    )


def _basis_of_checkpoints(context: StepContext, partition: str) -> Basis:
    settings = context.settings
    base_model, name = partition.split("/")
    recipe = recipe_named(name)
    reference = (ArtifactKey("reference_logprobs", base_model),) if recipe.needs_reference else ()
    return Basis(
        {
            "base_model": base_model_source(settings, base_model).model_dump(mode="json"),
            "recipe": recipe.name,
            "training": settings.training.for_result(),
        },
        (
            ArtifactKey("preference_pairs", base_model),
            *reference,
            *_base_model_parents(settings, base_model),
        ),
    )


def _publish_reference_logprobs(context: StepContext, plans: Sequence[Plan]) -> None:
    from iterpref_assets.core.training.launch import ReferenceJob, compute_reference

    store, settings = context.store, context.settings
    for plan in plans:
        base_model = plan.key.partition
        with store.publishing(plan) as staging:
            job = ReferenceJob(
                tokens=_tokens(store, base_model),
                model_dir=base_model_folder(settings, store, base_model),
                config=settings.training,
                out=staging.folder / LOGPROBS_FILE,
                work_dir=store.work_folder(plan),
            )
            compute_reference(job)
            staging.row_count = tables.read_table(job.out, tables.REFERENCE_LOGPROBS).height


def _publish_checkpoints(context: StepContext, plans: Sequence[Plan]) -> None:
    from iterpref_assets.core.training.launch import TrainJob, train_model

    store, settings = context.store, context.settings
    for plan in plans:
        base_model, recipe = plan.key.partition.split("/")
        reference = None
        if recipe_named(recipe).needs_reference:
            logprobs = store.current(ArtifactKey("reference_logprobs", base_model))
            reference = logprobs.path(LOGPROBS_FILE)
        with store.publishing(plan) as staging:
            job = TrainJob(
                tokens=_tokens(store, base_model),
                reference=reference,
                model_dir=base_model_folder(settings, store, base_model),
                recipe=recipe,
                config=settings.training,
                out=staging.folder,
                work_dir=store.work_folder(plan),
            )
            outcome = train_model(job, context.report)
            staging.figures.update(outcome.figures)
            staging.figures[SPEED_CURVE] = [point[TIMED] for point in outcome.curve]


def _tokens(store: ArtifactStore, base_model: str) -> Path:
    return store.current(ArtifactKey("preference_pairs", base_model)).path(TOKENS_FILE)


REFERENCE_LOGPROBS = Step(
    "reference_logprobs",
    _basis_of_reference_logprobs,
    _publish_reference_logprobs,
    code_version="1",
)
CHECKPOINTS = Step("checkpoints", _basis_of_checkpoints, _publish_checkpoints, code_version="3")
