"""Reference log-probabilities and focal-DPO checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from iterpref_assets.core.training.config import TrainConfig
    from iterpref_assets.core.training.launch import ReferenceJob, TrainJob

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


def reference_job(
    context: StepContext, plan: Plan, folder: Path, model: Path, tokens: Path
) -> ReferenceJob:
    """The log-probabilities of tokenized pairs by the model of a folder, for `folder`."""
    from iterpref_assets.core.training.launch import ReferenceJob

    return ReferenceJob(
        tokens=tokens,
        model_dir=model,
        config=context.settings.training,
        out=folder / LOGPROBS_FILE,
        work_dir=context.store.work_folder(plan),
    )


@dataclass(frozen=True)
class TrainedOn:
    """What a model is trained from: the folder of another one, and tokenized pairs.

    `logprobs` are that model's of them, None where the recipe compares with no reference.
    """

    model: Path
    tokens: Path
    logprobs: Path | None


def train_job(
    context: StepContext,
    plan: Plan,
    folder: Path,
    made_of: TrainedOn,
    recipe: str,
    config: TrainConfig,
) -> TrainJob:
    """The training of one model, to be written to `folder`."""
    from iterpref_assets.core.training.launch import TrainJob

    return TrainJob(
        tokens=made_of.tokens,
        reference=made_of.logprobs,
        model_dir=made_of.model,
        recipe=recipe,
        config=config,
        out=folder,
        work_dir=context.store.work_folder(plan),
    )


def _publish_reference_logprobs(context: StepContext, plans: Sequence[Plan]) -> None:
    from iterpref_assets.core.training.launch import compute_reference

    store = context.store
    for plan in each_named(plans):
        base_model = plan.key.partition
        with store.publishing(plan) as staging:
            model, tokens = _model(context, base_model), _tokens(store, base_model)
            job = reference_job(context, plan, staging.folder, model, tokens)
            compute_reference(job)
            staging.row_count = tables.read_table(job.out, tables.REFERENCE_LOGPROBS).height


def _publish_checkpoints(context: StepContext, plans: Sequence[Plan]) -> None:
    from iterpref_assets.core.training.launch import forecast, train_model

    store, config = context.store, context.settings.training
    for plan in each_named(plans):
        model = ModelVariant.parse(plan.key.partition)
        compared = [
            store.current(key).path(LOGPROBS_FILE) for key in parents_of(plan, "reference_logprobs")
        ]
        logprobs = compared[0] if compared else None
        tokens = _tokens(store, model.base_model)
        made_of = TrainedOn(_model(context, model.base_model), tokens, logprobs)
        with store.publishing(plan) as staging:
            job = train_job(context, plan, staging.folder, made_of, model.variant, config)
            forecast(job)
            outcome = train_model(job, context.report)
            staging.figures.update(outcome.figures)
            if outcome.links:
                staging.figures[TRACKERS] = outcome.links
            staging.figures[SPEED_CURVE] = [point.get(TIMED) for point in outcome.curve]


def _model(context: StepContext, base_model: str) -> Path:
    return base_model_folder(context.settings, context.store, base_model)


def _tokens(store: ArtifactStore, base_model: str) -> Path:
    return store.current(ArtifactKey("preference_pairs", base_model)).path(TOKENS_FILE)


REFERENCE_LOGPROBS = Step(
    asset="reference_logprobs",
    partitioning=Partitioning.BASE_MODEL,
    parents=(PREFERENCE_PAIRS, BASE_MODELS, LAB_SOURCE),
    config=reference_config,
    publish=_publish_reference_logprobs,
    gpus=training_gpus,
    code_version="2",
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
