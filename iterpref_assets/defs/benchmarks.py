"""Group benchmarks: those that the settings give data for, and every variant's scores on them."""

import dagster as dg

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import UNPARTITIONED
from iterpref_assets.core.evaluation.benchmark_config import BenchmarkName
from iterpref_assets.defs import conditions, metadata
from iterpref_assets.defs.offenders import check_result
from iterpref_assets.defs.resources import ProjectResource
from iterpref_assets.defs.stage import stage_asset
from iterpref_assets.settings import load_settings
from iterpref_assets.steps.benchmarks import (
    failing_benchmark_references,
    score_assets_of,
    tasks_key,
)
from iterpref_assets.steps.chain import step_of

_GIVEN = load_settings().benchmarks.names()

task_assets = [
    stage_asset(
        step_of(tasks_key(name).asset),
        description=f"Which tasks of {name} can be run here, or why not: reference solutions.",
        group="benchmarks",
        kinds={"bubblewrap", "parquet"},
        pool="sandbox",
        in_worker=True,
        automation=conditions.MAKE,
        describe=metadata.of_benchmark_tasks,
        schema=tables.BENCHMARK_TASKS,
    )
    for name in _GIVEN
]


def _references_pass(benchmark: BenchmarkName) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=tasks_key(benchmark).asset,
        name="reference_solutions_pass",
        description="Every reference solution that nothing here keeps from running passes.",
        blocking=True,
    )
    def check(project: ProjectResource) -> dg.AssetCheckResult:
        store = project.store()
        return check_result(
            lambda: failing_benchmark_references(store, benchmark), store, [UNPARTITIONED]
        )

    return check


task_checks = [_references_pass(name) for name in _GIVEN]

score_assets = [
    stage_asset(
        step_of(asked.asset),
        description=f"{asked.title}: every task judged, for one variant of one base model.",
        group="benchmarks",
        kinds={"vllm", "bubblewrap", "parquet"},
        pool="gpu",
        in_worker=True,
        section="evaluation",
        describe=metadata.of_benchmark_scores,
        schema=tables.SCORES,
    )
    for asked in score_assets_of(load_settings())
]
