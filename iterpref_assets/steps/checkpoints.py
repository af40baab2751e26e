"""Reference log-probabilities and focal-DPO checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.training.curves import TIMED
from iterpref_assets.core.training.recipes import recipe_named
from iterpref_assets.settings import Settings
from iterpref_assets.steps.models import (
    BASE_MODELS,
    LAB_SOURCE,
    base_model_folder,
    base_model_source,
)
from iterpref_assets.steps.pairs import PREFERENCE_PAIRS, TOKENS_FILE
from iterpref_assets.steps.partitions import ModelVariant, Partitioning
from iterpref_assets.steps.step import Parent, Step, StepContext, each_named, parents_of

LOGPROBS_FILE = "logprobs.parquet"
METRICS_FILE = "metrics.jsonl"
TRACKERS = "trackers"
"""Where trackers keep the run, by their names."""
SPEED_CURVE = "pairs_per_second_by_point"
"""The curve that is timed, and therefore lies among a checkpoint's figures, not in its files."""


def reference_config(context: StepContext, _partition: str) -> Mapping[str, JsonValue]:
    """What reference log-probabilities depend on besides the pairs and the base model."""
    training = context.settings.training
    return {"precision": training.precision} | ({"nf4": True} if training.in_four_bits else {})


def training_gpus(settings: Settings) -> int:
    """How many GPUs a training run of this host computes on."""
    return settings.training.processes


def _checkpoint_config(context: StepContext, partition: str) -> Mapping[str, JsonValue]:
    settings, model = context.settings, ModelVariant.parse(partition)
    return {
        "base_model": base_model_source(settings, model.base_model).model_dump(mode="json"),
        "recipe": recipe_named(model.variant).for_result(),
        "training": settings.training.for_result(),
    }


def _if_needed(_context: StepContext, partition: str) -> tuple[str, ...]:
    """The base model whose log-probabilities a recipe compares with, if it compares."""
    model = ModelVariant.parse(partition)
    return (model.base_model,) if recipe_named(model.variant).needs_reference else ()


def _publish_reference_logprobs(context: StepContext, plans: Sequence[Plan]) -> None:
    from iterpref_assets.core.training.launch import ReferenceJob, compute_reference

    store, settings = context.store, context.settings
    for plan in each_named(plans):
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
    from iterpref_assets.core.training.launch import TrainJob, forecast, train_model

    store, settings = context.store, context.settings
    for plan in each_named(plans):
        model = ModelVariant.parse(plan.key.partition)
        compared = [
            store.current(key).path(LOGPROBS_FILE) for key in parents_of(plan, "reference_logprobs")
        ]
        with store.publishing(plan) as staging:
            job = TrainJob(
                tokens=_tokens(store, model.base_model),
                reference=compared[0] if compared else None,
                model_dir=base_model_folder(settings, store, model.base_model),
                recipe=model.variant,
                config=settings.training,
                out=staging.folder,
                work_dir=store.work_folder(plan),
            )
            forecast(job)
            outcome = train_model(job, context.report)
            staging.figures.update(outcome.figures)
            if outcome.links:
                staging.figures[TRACKERS] = outcome.links
            staging.figures[SPEED_CURVE] = [point.get(TIMED) for point in outcome.curve]


def _tokens(store: ArtifactStore, base_model: str) -> Path:
    return store.current(ArtifactKey("preference_pairs", base_model)).path(TOKENS_FILE)


REFERENCE_LOGPROBS = Step(
    asset="reference_logprobs",
    partitioning=Partitioning.BASE_MODEL,
    parents=(PREFERENCE_PAIRS, BASE_MODELS, LAB_SOURCE),
    config=reference_config,
    publish=_publish_reference_logprobs,
    gpus=training_gpus,
    code_version="1",
)
CHECKPOINTS = Step(
    asset="checkpoints",
    partitioning=Partitioning.CHECKPOINT,
    parents=(PREFERENCE_PAIRS, Parent(REFERENCE_LOGPROBS, _if_needed), BASE_MODELS, LAB_SOURCE),
    config=_checkpoint_config,
    publish=_publish_checkpoints,
    gpus=training_gpus,
    code_version="3",
)
