"""Seeds as their source gives them, by shard, and the records of it that give none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, Plan, Staging
from iterpref_assets.core.frames import problems_to_frame
from iterpref_assets.core.records import Problem
from iterpref_assets.core.sandbox.sandbox import Sandbox, judge_all
from iterpref_assets.core.seeds.reading import UnusableRecord, unusable_frame
from iterpref_assets.core.seeds.synthesis import Written, read_written
from iterpref_assets.core.seeds.synthetic import FeatureTreeSeeds
from iterpref_assets.settings import Settings
from iterpref_assets.steps.generator import COMPLETIONS_FILE
from iterpref_assets.steps.heldout_problems import HELDOUT_PROBLEMS, PROBLEMS_FILE
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.step import Parent, Step, StepContext
from iterpref_assets.steps.synthetic_tasks import SYNTHETIC_TASKS

UNUSABLE_FILE = "unusable.parquet"
PROGRAMS_FILE = "programs.parquet"


def _config(context: StepContext, shard: str) -> Mapping[str, JsonValue]:
    settings, seeds = context.settings, context.settings.seeds
    identity = seeds.shard_identity(shard)
    if not isinstance(seeds, FeatureTreeSeeds):
        return identity
    return {
        **identity,
        "packages": list(settings.packages),
        "limits": settings.section("limits"),
    }


def _publish(context: StepContext, plans: Sequence[Plan]) -> None:
    seeds = context.settings.seeds
    for plan in plans:
        shard = plan.key.partition
        if isinstance(seeds, FeatureTreeSeeds):
            completions = context.store.current(ArtifactKey("synthetic_tasks", shard))
            frame = tables.read_table(completions.path(COMPLETIONS_FILE), tables.COMPLETIONS)
            written = read_written(seeds.draws(shard), frame, context.settings.packages)
            problems, programs = _run_programs(context.settings, written)
            with context.store.publishing(plan) as staging:
                _write(staging, problems, written.unusable)
                tables.write_table(
                    programs, tables.WRITTEN_PROGRAMS, staging.folder / PROGRAMS_FILE
                )
                staging.figures["malformed"] = {
                    fault.value: count for fault, count in sorted(written.faults.items())
                }
                staging.figures["programs"] = dict(Counter(programs["verdict"]))
        else:
            reading = seeds.load_shard(shard)
            with context.store.publishing(plan) as staging:
                _write(staging, reading.problems, reading.unusable)


def _write(
    staging: Staging, problems: Sequence[Problem], unusable: Sequence[UnusableRecord]
) -> None:
    frame = problems_to_frame(problems)
    tables.write_table(frame, tables.PROBLEMS, staging.folder / PROBLEMS_FILE)
    records = unusable_frame(unusable)
    tables.write_table(records, tables.UNUSABLE_SEEDS, staging.folder / UNUSABLE_FILE)
    staging.row_count = frame.height
    staging.figures["unusable"] = dict(Counter(each.reason.value for each in unusable))


def _run_programs(settings: Settings, written: Written) -> tuple[list[Problem], pl.DataFrame]:
    """The problems with the programs that pass as references, and what came of each program.

    A program that fails may be wrong, or its tests: the problem stays, without a reference.
    """
    work = [(written.programs[each.problem_id], each.tests) for each in written.problems]
    with Sandbox(packages=settings.packages) as sandbox:
        executions = judge_all(sandbox, work, settings.limits)
    problems = [
        problem.model_copy(update={"reference": code}) if execution.passed else problem
        for problem, (code, _), execution in zip(written.problems, work, executions, strict=True)
    ]
    rows = [
        (problem.problem_id, code, each.verdict.value, each.error_type, each.message)
        for problem, (code, _), each in zip(problems, work, executions, strict=True)
    ]
    frame = pl.DataFrame(rows, schema=tables.WRITTEN_PROGRAMS, orient="row")
    return problems, frame.sort("problem_id")


RAW_SEEDS = Step(
    asset="raw_seeds",
    partitioning=Partitioning.SHARD,
    # What is held out is no part of a seed. It comes first all the same: a partitioned asset with
    # nothing before it would also be where Dagster's UI takes the partitions of *Materialize all*
    # from, for the whole graph.
    parents=(Parent(HELDOUT_PROBLEMS, lambda _context, _shard: ()), SYNTHETIC_TASKS),
    config=_config,
    publish=_publish,
    code_version="4",
)
