"""Seed problems: the raw seeds that are new and no benchmark's, and a table of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, Plan
from iterpref_assets.core.decontamination.filtering import (
    DropReason,
    SeedFilter,
    drop_counts,
    drop_row,
)
from iterpref_assets.core.decontamination.items import count_by_benchmark
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.frames import problems_to_frame
from iterpref_assets.core.lab.problems import SOURCE as LAB
from iterpref_assets.core.records import Problem
from iterpref_assets.core.sandbox.sandbox import Sandbox, judge_all
from iterpref_assets.settings import Settings
from iterpref_assets.steps.contamination import benchmark_digests, benchmark_items
from iterpref_assets.steps.heldout_problems import (
    HELDOUT_PROBLEMS,
    PROBLEMS_FILE,
    read_problems,
    refuse_repeated_ids,
)
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.raw_seeds import RAW_SEEDS
from iterpref_assets.steps.step import Parent, Step, StepContext

DROPPED_FILE = "dropped_seeds.parquet"


@dataclass(frozen=True)
class _Sifted:
    """A shard's seeds: the kept, tables.DROPPED_SEEDS, and each benchmark's items compared with."""

    kept: list[Problem]
    dropped: pl.DataFrame
    compared_with: dict[str, int]


def _config(context: StepContext, _shard: str) -> Mapping[str, JsonValue]:
    settings = context.settings
    return {
        "seed_filter": settings.seed_filter.model_dump(mode="json", exclude={"benchmark_files"}),
        "benchmarks": benchmark_digests(settings),
        "limits": settings.section("limits"),
        "packages": list(settings.packages),
    }


def _shards_up_to(context: StepContext, shard: str) -> tuple[str, ...]:
    """Duplicates are told by all shards up to this one, so these are its parents."""
    shards = context.settings.seeds.shards()
    return shards[: shards.index(shard) + 1] if shard in shards else (shard,)


def _publish_seed_problems(context: StepContext, plans: Sequence[Plan]) -> None:
    settings, store = context.settings, context.store
    wanted = {plan.key.partition: plan for plan in plans}
    if not wanted:
        return
    items = benchmark_items(settings)
    heldout = read_problems(store, ArtifactKey("heldout_problems"))
    seeds = SeedFilter(settings.seed_filter, items, heldout)
    compared_with = count_by_benchmark(items)
    last = max(wanted, key=lambda shard: len(_shards_up_to(context, shard)))
    places: dict[str, ArtifactKey] = {}
    for shard in _shards_up_to(context, last):
        raw = ArtifactKey("raw_seeds", shard)
        kept, dropped = seeds.sift(read_problems(store, raw))
        refuse_repeated_ids(kept, raw, places)
        if shard in wanted:
            kept, failing = _run_references(settings, kept)
            sifted = _Sifted(kept, pl.concat([dropped, failing]), compared_with)
            _publish(context, wanted[shard], sifted)


def _run_references(
    settings: Settings, problems: list[Problem]
) -> tuple[list[Problem], pl.DataFrame]:
    """The problems whose reference passes or is missing, and tables.DROPPED_SEEDS on the others.

    The lab's are not run: a check does so, because one that fails is a fault of this project.
    """
    run = [each for each in problems if each.reference and each.source != LAB]
    failing: dict[str, str] = {}
    if run:
        with Sandbox(packages=settings.packages) as sandbox:
            work = [(each.reference, each.tests) for each in run]
            executions = judge_all(sandbox, work, settings.limits)
        failing = {
            problem.problem_id: f"{execution.verdict}: {execution.message}"
            for problem, execution in zip(run, executions, strict=True)
            if not execution.passed
        }
    rows = [
        drop_row(each, DropReason.REFERENCE_FAILS, None, None, failing[each.problem_id])
        for each in problems
        if each.problem_id in failing
    ]
    kept = [each for each in problems if each.problem_id not in failing]
    return kept, pl.DataFrame(rows, schema=tables.DROPPED_SEEDS)


def _publish(context: StepContext, plan: Plan, seeds: _Sifted) -> None:
    counts = drop_counts(seeds.dropped)
    if not seeds.kept:
        raise InputError(
            f"no seed of {plan.key.partition} is left (dropped by {counts or 'nothing'})",
            field="seeds",
            remedy="Give seeds that are no benchmark's tasks and no other shard's",
        )
    with context.store.publishing(plan) as staging:
        frame = problems_to_frame(seeds.kept)
        tables.write_table(frame, tables.PROBLEMS, staging.folder / PROBLEMS_FILE)
        dropped = seeds.dropped.sort("problem_id", maintain_order=True)
        tables.write_table(dropped, tables.DROPPED_SEEDS, staging.folder / DROPPED_FILE)
        staging.row_count = frame.height
        staging.figures["dropped"] = counts
        staging.figures["compared_with"] = seeds.compared_with


def problems_of(context: StepContext, plan: Plan) -> list[Problem]:
    """The seed problems of the shard that a plan is about."""
    return read_problems(context.store, ArtifactKey("seed_problems", plan.key.partition))


SEED_PROBLEMS = Step(
    asset="seed_problems",
    partitioning=Partitioning.SHARD,
    parents=(HELDOUT_PROBLEMS, Parent(RAW_SEEDS, _shards_up_to)),
    config=_config,
    publish=_publish_seed_problems,
    code_version="4",
)
