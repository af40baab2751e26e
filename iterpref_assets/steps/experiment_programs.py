"""Debugged programs that another machine recorded, where the settings name them: each run anew."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, Plan
from iterpref_assets.core.digests import file_sha256
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.pairs.recorded import Recorded, disagreements, execute
from iterpref_assets.core.progress import track
from iterpref_assets.core.records import Problem
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Verdict
from iterpref_assets.settings import Settings
from iterpref_assets.steps.experiment_samples import is_asked, never
from iterpref_assets.steps.heldout_problems import read_problems
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.recorded_files import programs_files
from iterpref_assets.steps.seed_problems import SEED_PROBLEMS
from iterpref_assets.steps.step import Step, StepContext, each_named
from iterpref_assets.steps.trajectories import DEBUG_TRAJECTORIES, VERSIONS_FILE


def are_recorded(settings: Settings) -> bool:
    """Whether pairs of some shard are made of recorded programs."""
    return is_asked(settings) and bool(programs_files(settings))


def shards_run_anew(context: StepContext) -> list[str]:
    """The shards whose pairs are made of recorded programs, not of trajectories.

    Of a shard that was debugged here the trajectories go on counting when its programs are
    exported into the very folder that is read, unless recorded ones have been run already.
    """

    def is_here(step: Step, shard: str) -> bool:
        return context.store.stamp(ArtifactKey(step.asset, shard)) is not None

    return [
        shard
        for shard in programs_files(context.settings)
        if is_here(EXPERIMENT_PROGRAMS, shard) or not is_here(DEBUG_TRAJECTORIES, shard)
    ]


def _file(settings: Settings, shard: str) -> Path:
    file = programs_files(settings).get(shard)
    if file is None:
        raise InputError(
            f"no recorded programs of {shard}",
            field="experiment.recorded",
            remedy=f"Materialize debug_trajectories of {shard} instead",
        )
    return file


def _config(context: StepContext, shard: str) -> Mapping[str, JsonValue]:
    settings = context.settings
    return {
        "sha256": file_sha256(_file(settings, shard)),
        "limits": settings.section("limits"),
        "packages": list(settings.packages),
    }


def _publish(context: StepContext, plans: Sequence[Plan]) -> None:
    for plan in each_named(plans):
        shard = plan.key.partition
        problems = read_problems(context.store, ArtifactKey(SEED_PROBLEMS.asset, shard))
        recorded = _read(_file(context.settings, shard), problems)
        versions = _run(context.settings, recorded, shard)
        refuted = disagreements(recorded, versions)
        with context.store.publishing(plan) as staging:
            tables.write_table(versions, tables.VERSIONS, staging.folder / VERSIONS_FILE)
            staging.row_count = versions.height
            staging.figures["claims_refuted"] = refuted.height


def _read(file: Path, problems: Sequence[Problem]) -> Recorded:
    """The programs of `file`, and the problems that they are of.

    Raises:
        InputError: where one is of none of `problems`.
    """
    versions = tables.read_table(file, tables.VERSIONS).sort("problem_id", "sample", "round")
    known = [each.problem_id for each in problems]
    unknown = versions.filter(~pl.col("problem_id").is_in(known))
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
        problems=list(problems),
        versions=versions.drop("verdict", "error_type", "feedback"),
        claims=versions.group_by("trajectory_id", maintain_order=True).agg(is_solved=last),
        unusable=[],
    )


def _run(settings: Settings, recorded: Recorded, shard: str) -> pl.DataFrame:
    """Every recorded version with the verdict that it gets here."""
    with (
        Sandbox(packages=settings.packages) as sandbox,
        track(f"Running recorded programs {shard}", recorded.versions.height) as tracker,
    ):
        judge = functools.partial(sandbox.judge, limits=settings.limits)
        return execute(recorded, judge, on_rows=tracker.advance)


EXPERIMENT_PROGRAMS = Step(
    asset="experiment_programs",
    partitioning=Partitioning.RECORDED_SHARD,
    parents=(SEED_PROBLEMS,),
    config=_config,
    publish=_publish,
    code_version="2",
    exists=are_recorded,
    in_run=never,
)
