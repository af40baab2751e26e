"""Group problems: how good their tests are. Nothing is made from it, so no run waits for it."""

import dagster as dg

from iterpref_assets.core import tables
from iterpref_assets.defs import metadata, partitions
from iterpref_assets.defs.problems import seed_problems
from iterpref_assets.defs.resources import ProjectResource, WorkerResource
from iterpref_assets.defs.stage import StageConfig, columns, publish_in_worker, stage_asset
from iterpref_assets.settings import load_settings

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
