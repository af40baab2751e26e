"""The experiment's grid: pairs for its arms, and the models that are trained on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue

from iterpref_assets.core.artifacts import Artifact, ArtifactKey, Plan
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.experiment.arms import Cell, PairSet, arm_named
from iterpref_assets.core.experiment.config import ExperimentConfig
from iterpref_assets.core.pairs.config import PairConfig
from iterpref_assets.core.training.config import TrainConfig
from iterpref_assets.core.training.recipes import recipe_named
from iterpref_assets.settings import Settings
from iterpref_assets.steps.checkpoints import (
    LOGPROBS_FILE,
    TrainedOn,
    reference_config,
    reference_job,
    train_job,
    training_gpus,
)
from iterpref_assets.steps.experiment_programs import (
    EXPERIMENT_PROGRAMS,
    shards_run_anew,
)
from iterpref_assets.steps.experiment_samples import (
    EQUAL_CALLS_FILE,
    EXPERIMENT_SAMPLES,
    is_asked,
    never,
)
from iterpref_assets.steps.models import (
    BASE_MODELS,
    LAB_BASE_MODEL,
    base_model_folder,
    base_model_source,
    if_lab,
)
from iterpref_assets.steps.pairs import (
    TOKENS_FILE,
    build_shard,
    building_config,
    refuse_pairs_of_benchmarks,
    tokenize_pairs,
    tokenizing_config,
    versions_of,
)
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.seed_problems import SEED_PROBLEMS
from iterpref_assets.steps.step import Parent, Select, Step, StepContext, each_named, parents_of
from iterpref_assets.steps.trajectories import DEBUG_TRAJECTORIES


def sizes(settings: Settings) -> ExperimentConfig:
    """The grid's sizes; its defaults where the settings have none."""
    return settings.experiment or ExperimentConfig()


def _base_model(context: StepContext, _partition: str) -> tuple[str, ...]:
    return (sizes(context.settings).base_model,)


def _if_lab(context: StepContext, _partition: str) -> tuple[str, ...]:
    return if_lab(base_model_source(context.settings, sizes(context.settings).base_model))


PARENTS_OF_BASE = (Parent(BASE_MODELS, _base_model), Parent(LAB_BASE_MODEL, _if_lab))
"""The base model of the grid, and where it comes from."""


def _pairs_config(context: StepContext, name: str) -> Mapping[str, JsonValue]:
    return pairs_config(context, PairSet(name))


def pairs_config(context: StepContext, pair_set: PairSet) -> Mapping[str, JsonValue]:
    """What pairs that are made like those of a set depend on, besides what they are made of."""
    settings = context.settings
    pairs = pair_set.config(settings.pairs)
    return {
        **building_config(settings, pairs),
        **tokenizing_config(settings, pairs),
        **reference_config(context, pair_set),
        "base_model": sizes(settings).base_model,
    }


def _sources(context: StepContext, pair_set: str) -> dict[str, Step]:
    """What the programs of a pair set come from, by shard."""
    shards = context.settings.seeds.shards()
    if pair_set == PairSet.SAMPLED:
        return dict.fromkeys(shards, EXPERIMENT_SAMPLES)
    if pair_set == PairSet.HALF:
        shards = _every_other(shards)
    anew = set(shards_run_anew(context))
    return {each: EXPERIMENT_PROGRAMS if each in anew else DEBUG_TRAJECTORIES for each in shards}


def _every_other(shards: Sequence[str]) -> Sequence[str]:
    if len(shards) < 2:  # noqa: PLR2004 - of one there is no half
        raise InputError(
            "half of the pairs are those of every other shard, and the seeds have one shard",
            field="seeds",
            remedy="Part the seeds in more shards, or leave out the arms that end in -half",
        )
    return shards[::2]


def _shards(context: StepContext, partition: str) -> Sequence[str]:
    return list(_sources(context, partition))


def _shards_of(step: Step) -> Select:
    def select(context: StepContext, partition: str) -> Sequence[str]:
        return [shard for shard, each in _sources(context, partition).items() if each is step]

    return select


def _publish_pairs(context: StepContext, plans: Sequence[Plan]) -> None:
    model = _base_model_folder(context)
    for plan in each_named(plans):
        config = PairSet(plan.key.partition).config(context.settings.pairs)
        sources = _sources(context, plan.key.partition)
        shards = [key.partition for key in parents_of(plan, SEED_PROBLEMS.asset)]
        versions = {shard: _versions(context, sources[shard], shard) for shard in shards}
        publish_pairs(context, plan, versions, config, model)


def _versions(context: StepContext, source: Step, shard: str) -> Path:
    """The programs that pairs are made of: of samples those that cost as much as debugging."""
    if source is not EXPERIMENT_SAMPLES:
        return versions_of(context, source, shard)
    return context.store.current(ArtifactKey(source.asset, shard)).path(EQUAL_CALLS_FILE)


def publish_pairs(
    context: StepContext, plan: Plan, versions: Mapping[str, Path], config: PairConfig, model: Path
) -> None:
    """Publish pairs with their tokens and reference log-probabilities.

    Args:
        context: whose settings and seed problems count.
        plan: of the artifact.
        versions: by shard, the file of what they are made of (tables.VERSIONS).
        config: how they are made.
        model: the folder of the reference model, whose tokens they are in.
    """
    from iterpref_assets.core.training.launch import compute_reference

    store, asset = context.store, plan.key.asset
    built = store.work_folder(plan) / "shards"
    built.mkdir(exist_ok=True)
    parts = {shard: built / f"{shard}.parquet" for shard in versions}
    with store.publishing(plan) as staging:
        for shard, part in parts.items():
            log = part.with_suffix(".jsonl")
            build_shard(context, shard, config, part, versions=versions[shard], executions=log)
        refuse_pairs_of_benchmarks(context, parts, asset)
        tokenize_pairs(list(parts.values()), model, config, staging, asset)
        tokens = staging.folder / TOKENS_FILE
        compute_reference(reference_job(context, plan, staging.folder, model, tokens))


def _base_model_folder(context: StepContext) -> Path:
    settings = context.settings
    return base_model_folder(settings, context.store, sizes(settings).base_model)


def _pair_set(_context: StepContext, partition: str) -> tuple[str, ...]:
    cell = Cell.parse(partition)
    return () if cell.is_reference else (arm_named(cell.arm).pairs.value,)


def models_config(context: StepContext, partition: str) -> Mapping[str, JsonValue]:
    """What a cell's model depends on besides its pairs and the model that it goes on from."""
    settings, cell = context.settings, Cell.parse(partition)
    training = _training(settings, cell)
    return {
        "base_model": sizes(settings).base_model,
        "recipe": recipe_named(arm_named(cell.arm).recipe).for_result(),
        "training": training.for_result(),
    }


def _training(settings: Settings, cell: Cell) -> TrainConfig:
    if cell.rate is None or cell.seed is None:
        raise InputError(
            "the reference model is not trained",
            field="partition",
            remedy="Materialize experiment_scores of it, and models of the other cells",
        )
    return arm_named(cell.arm).training(settings.training, rate=cell.rate, seed=cell.seed)


def _publish_models(context: StepContext, plans: Sequence[Plan]) -> None:
    model = _base_model_folder(context)
    for plan in each_named(plans):
        arm = arm_named(Cell.parse(plan.key.partition).arm)
        pairs = context.store.current(ArtifactKey(EXPERIMENT_PAIRS.asset, arm.pairs.value))
        publish_model(context, plan, pairs, model)


def publish_model(context: StepContext, plan: Plan, pairs: Artifact, model: Path) -> None:
    """Train a cell on pairs that `publish_pairs` made, from the model of a folder on."""
    from iterpref_assets.core.training.launch import train_model

    cell = Cell.parse(plan.key.partition)
    recipe, config = arm_named(cell.arm).recipe, _training(context.settings, cell)
    compares = recipe_named(recipe).needs_reference
    logprobs = pairs.path(LOGPROBS_FILE) if compares else None
    made_of = TrainedOn(model, pairs.path(TOKENS_FILE), logprobs)
    with context.store.publishing(plan) as staging:
        job = train_job(context, plan, staging.folder, made_of, recipe, config)
        staging.figures.update(train_model(job, context.report).figures)


EXPERIMENT_PAIRS = Step(
    asset="experiment_pairs",
    partitioning=Partitioning.PAIR_SET,
    parents=(
        *(
            Parent(step, _shards_of(step))
            for step in (DEBUG_TRAJECTORIES, EXPERIMENT_SAMPLES, EXPERIMENT_PROGRAMS)
        ),
        Parent(SEED_PROBLEMS, _shards),
        *PARENTS_OF_BASE,
    ),
    config=_pairs_config,
    publish=_publish_pairs,
    gpus=training_gpus,
    code_version="3",
    exists=is_asked,
    in_run=never,
)
EXPERIMENT_MODELS = Step(
    asset="experiment_models",
    partitioning=Partitioning.FIRST_CELL,
    parents=(Parent(EXPERIMENT_PAIRS, _pair_set), *PARENTS_OF_BASE),
    config=models_config,
    publish=_publish_models,
    gpus=training_gpus,
    code_version="1",
    exists=is_asked,
    in_run=never,
)
