"""Group problems: what to train on and what to score on, and how good their tests are."""

import dagster as dg

from iterpref_assets.core import tables
from iterpref_assets.core.seeds.lab import LabSeeds
from iterpref_assets.core.seeds.synthetic import FeatureTreeSeeds
from iterpref_assets.defs import conditions, metadata, partitions
from iterpref_assets.defs.models import lab_base_model
from iterpref_assets.defs.resources import ProjectResource, WorkerResource
from iterpref_assets.defs.stage import (
    StageConfig,
    columns,
    publish_here,
    publish_in_worker,
    stage_asset,
)
from iterpref_assets.settings import load_settings


def _synthetic_tasks() -> dg.AssetsDefinition:
    @stage_asset(
        group_name="problems",
        kinds={"vllm", "parquet"},
        partitions_def=partitions.problem_shards,
        deps=[lab_base_model],
        pool="gpu",
        metadata=columns(tables.COMPLETIONS),
    )
    def synthetic_tasks(
        context: dg.AssetExecutionContext, project: ProjectResource, workers: WorkerResource
    ) -> dg.MaterializeResult:
        """Tasks, programs and tests that the generator writes about subtrees of features."""
        return publish_in_worker(context, workers, project.settings(), metadata.of_completions)

    return synthetic_tasks


_RUNS_REFERENCES = not isinstance(load_settings().seeds, LabSeeds)
"""Reference solutions that come from elsewhere are run before they are believed."""

synthesised = [_synthetic_tasks()] if isinstance(load_settings().seeds, FeatureTreeSeeds) else []
"""The asset of what the generator writes, where the settings ask for synthesis."""


@stage_asset(
    group_name="problems",
    kinds={"python", "parquet"},
    metadata=columns(tables.PROBLEMS),
)
def heldout_problems(
    context: dg.AssetExecutionContext, project: ProjectResource
) -> dg.MaterializeResult:
    """Problems that no model is trained on, to score the reference model and checkpoints."""
    return publish_here(context, project.settings(), metadata.of_problems)


@stage_asset(
    group_name="problems",
    kinds={"python", "parquet"},
    partitions_def=partitions.problem_shards,
    deps=[heldout_problems, *synthesised],
    pool="sandbox" if synthesised else None,
    metadata=columns(tables.PROBLEMS),
)
def raw_seeds(
    context: dg.AssetExecutionContext, project: ProjectResource, workers: WorkerResource
) -> dg.MaterializeResult:
    """Problems as their source gives them, and which of its records give none.

    What is held out comes first, being no seed. A partitioned asset with nothing before it would
    also be where Dagster's UI takes the partitions of *Materialize all* from, for the whole graph.
    """
    settings = project.settings()
    if synthesised:
        return publish_in_worker(context, workers, settings, metadata.of_raw_seeds)
    return publish_here(context, settings, metadata.of_raw_seeds)


@stage_asset(
    group_name="problems",
    kinds={"python", "parquet"},
    partitions_def=partitions.problem_shards,
    deps=[
        dg.AssetDep(raw_seeds, partition_mapping=partitions.all_shards),
        heldout_problems,
    ],
    automation_condition=conditions.MAKE,
    pool="sandbox" if _RUNS_REFERENCES else None,
    metadata=columns(tables.PROBLEMS),
)
def seed_problems(
    context: dg.AssetExecutionContext, project: ProjectResource, workers: WorkerResource
) -> dg.MaterializeResult:
    """Training problems: raw seeds that are new, no benchmark's, and pass their own tests."""
    settings = project.settings()
    if _RUNS_REFERENCES:
        return publish_in_worker(context, workers, settings, metadata.of_seeds)
    return publish_here(context, settings, metadata.of_seeds)


_ASKS_A_JUDGE = load_settings().test_quality.judge is not None


@stage_asset(
    group_name="problems",
    kinds={"bubblewrap", "parquet"},
    partitions_def=partitions.problem_shards,
    deps=[seed_problems],
    pool="gpu" if _ASKS_A_JUDGE else "sandbox",
    metadata=columns(tables.TEST_QUALITY),
)
def test_quality(
    context: dg.AssetExecutionContext,
    config: StageConfig,
    project: ProjectResource,
    workers: WorkerResource,
) -> dg.MaterializeResult:
    """Coverage, mutation score, flakiness and a judge's ratings of the tests, on a sample."""
    settings = project.settings("test_quality", config.overrides)
    return publish_in_worker(context, workers, settings, metadata.of_test_quality)
