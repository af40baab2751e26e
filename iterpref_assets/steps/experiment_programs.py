"""Debugged programs that another machine recorded, where the settings name them: each run anew."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import Plan
from iterpref_assets.core.digests import file_sha256
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.experiment.recorded import PROGRAMS_FILE
from iterpref_assets.core.pairs.recorded import Recorded, disagreements, execute
from iterpref_assets.core.progress import track
from iterpref_assets.core.records import Problem
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Verdict
from iterpref_assets.settings import Settings
from iterpref_assets.steps.experiment_samples import is_asked, never
from iterpref_assets.steps.heldout_problems import read_problems
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.seed_problems import SEED_PROBLEMS
from iterpref_assets.steps.step import Parent, Step, StepContext, each_named, parents_of


def programs_file(settings: Settings) -> Path | None:
    """The recorded programs that pairs are made of; None where trajectories of our own are."""
    recorded = settings.experiment.recorded if settings.experiment else None
    file = recorded / PROGRAMS_FILE if recorded else None
    return file if file and file.exists() else None


def are_recorded(settings: Settings) -> bool:
    """Whether pairs are made of recorded programs."""
    return is_asked(settings) and programs_file(settings) is not None


def versions_file(shard: str) -> str:
    """Where the artifact holds a shard's versions."""
    return f"{shard}.parquet"


def _file(settings: Settings) -> Path:
    file = programs_file(settings)
    if file is None:
        raise InputError(
            "no recorded programs",
            field="experiment.recorded",
            remedy=f"Name a folder with {PROGRAMS_FILE}, or materialize debug_trajectories",
        )
    return file


def _config(context: StepContext, _partition: str) -> Mapping[str, JsonValue]:
    settings = context.settings
    return {
        "sha256": file_sha256(_file(settings)),
        "limits": settings.section("limits"),
        "packages": list(settings.packages),
    }


def _publish(context: StepContext, plans: Sequence[Plan]) -> None:
    for plan in each_named(plans):
        shards = {
            key.partition: read_problems(context.store, key)
            for key in parents_of(plan, SEED_PROBLEMS.asset)
        }
        recorded = _read(_file(context.settings), shards)
        versions = _run(context.settings, recorded)
        refuted = disagreements(recorded, versions)
        with context.store.publishing(plan) as staging:
            for shard, problems in shards.items():
                mine = pl.col("problem_id").is_in([each.problem_id for each in problems])
                out = staging.folder / versions_file(shard)
                tables.write_table(versions.filter(mine), tables.VERSIONS, out)
            staging.row_count = versions.height
            staging.figures["claims_refuted"] = refuted.height


def _read(file: Path, shards: Mapping[str, Sequence[Problem]]) -> Recorded:
    """The programs of `file`, and the problems that they are of.

    Raises:
        InputError: where one is of no seed problem.
    """
    versions = tables.read_table(file, tables.VERSIONS).sort("problem_id", "sample", "round")
    problems = {each.problem_id: each for shard in shards.values() for each in shard}
    unknown = versions.filter(~pl.col("problem_id").is_in(list(problems)))
    if not unknown.is_empty():
        raise InputError(
            f"{unknown['problem_id'].n_unique()} recorded problems are none of the seeds, the "
            f"first is {unknown['problem_id'][0]}",
            file=file,
            field="problem_id",
            remedy="Give the seeds and the filters that these programs were made with",
        )
    last = pl.col("verdict").last() == Verdict.PASSED.value
    return Recorded(
        problems=list(problems.values()),
        versions=versions.drop("verdict", "error_type", "feedback"),
        claims=versions.group_by("trajectory_id", maintain_order=True).agg(is_solved=last),
        unusable=[],
    )


def _run(settings: Settings, recorded: Recorded) -> pl.DataFrame:
    """Every recorded version with the verdict that it gets here."""
    with (
        Sandbox(packages=settings.packages) as sandbox,
        track("Running recorded programs", recorded.versions.height) as tracker,
    ):
        judge = functools.partial(sandbox.judge, limits=settings.limits)
        return execute(recorded, judge, on_rows=tracker.advance)


def _all_shards(context: StepContext, _partition: str) -> Sequence[str]:
    return context.settings.seeds.shards()


EXPERIMENT_PROGRAMS = Step(
    asset="experiment_programs",
    partitioning=Partitioning.WHOLE,
    parents=(Parent(SEED_PROBLEMS, _all_shards),),
    config=_config,
    publish=_publish,
    code_version="1",
    exists=are_recorded,
    in_run=never,
)
