"""What result tables hold so that another machine can go on from them."""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import Artifact, ArtifactKey, ArtifactStore
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.experiment.arms import ARMS, Cell
from iterpref_assets.core.experiment.recorded import PROGRAMS, programs_of
from iterpref_assets.core.experiment.results import Results
from iterpref_assets.core.files import replace_files
from iterpref_assets.core.training.recipes import REFERENCE
from iterpref_assets.exporting_pairs import standing
from iterpref_assets.settings import Settings
from iterpref_assets.steps.chain import step_of
from iterpref_assets.steps.experiment_programs import shards_run_anew
from iterpref_assets.steps.experiment_recorded import made_of, recorded_results
from iterpref_assets.steps.recorded_files import programs_files
from iterpref_assets.steps.step import Step, StepContext
from iterpref_assets.steps.trajectories import DEBUG_TRAJECTORIES, VERSIONS_FILE

_log = logging.getLogger("iterpref")
_NAMES = {REFERENCE, *(arm.name for arm in ARMS)}


def _arm(key: str) -> str:
    """The arm of a cell, be it one that there no longer is."""
    return key.split("@", maxsplit=1)[0]


def made_of_results(
    context: StepContext, cell: Cell, made: Mapping[Step, Mapping[Cell, Artifact]]
) -> str:
    """`CELLS.made_of` of a cell: of those of its results that are in `made`."""
    here = [step for step, artifacts in made.items() if cell in artifacts]
    digests = {step.asset: made_of(context, step, cell.key) for step in here}
    return json.dumps(digests, sort_keys=True)


def with_recorded(context: StepContext, fresh: Results) -> Results:
    """`fresh`, and what the settings' `experiment.recorded` holds beside it and may stand.

    Of arms whose pairs were not made here, or that there no longer are, of second rounds whose
    first round has a rate that was not tried yet, and of results that the settings do not ask for,
    nothing tells. Nothing is to be lost: they are taken over, and named in
    the log.
    """
    recorded, unknown = recorded_results(context.settings), set[str]()

    def may_stand(asset: str, key: str) -> bool:
        step, known = step_of(asset), _arm(key) in _NAMES
        asked = known and step.exists(context.settings)
        digest = _made_of(context, step, key) if asked else None
        if digest is None:
            unknown.add(_arm(key))
        return digest is None or digest == recorded.made_of(asset, key)

    joined = recorded.joined(fresh, may_stand)
    if unknown:
        _log.warning(
            "taken over as recorded, since nothing here tells whether they stand: %s",
            ", ".join(sorted(unknown)),
        )
    return joined


def _made_of(context: StepContext, step: Step, key: str) -> str | None:
    """What a cell would be made of here; None where that cannot be told yet."""
    try:
        return made_of(context, step, key)
    except InputError:
        return None


def write_programs(settings: Settings, folder: Path) -> list[Path]:
    """Write the debugged programs to PROGRAMS in `folder`; a file for each shard that has some.

    Verdicts are kept, and what the next round was shown is not: it quotes the tests. Programs that
    the settings' `experiment.recorded` holds go with them, as they are; of a shard with both,
    those that pairs are made of.

    Raises:
        InputError: where no shard was debugged with these settings, or recorded, or `folder` holds
            programs of one that was not.
    """
    context, shards = StepContext(settings, ArtifactStore(settings.root)), settings.seeds.shards()
    debugged = dict(standing(context, DEBUG_TRAJECTORIES, shards))
    recorded = programs_files(settings)
    here = {shard: made.path(VERSIONS_FILE) for shard, made in debugged.items()}
    files = recorded | here | {shard: recorded[shard] for shard in shards_run_anew(context)}
    parts = {shard: files[shard] for shard in shards if shard in files}
    if not parts:
        raise InputError(
            f"{ArtifactKey(DEBUG_TRAJECTORIES.asset, shards[0])} is missing or out of date",
            remedy="Run iterpref experiment run first, or leave --programs out",
        )
    out = folder / PROGRAMS
    for shard in (each for each in shards if each not in parts):
        if (out / programs_of(shard)).exists():
            raise InputError(
                f"programs of {shard} are there, which was not debugged with these settings",
                file=out / programs_of(shard),
                remedy="Name their folder as experiment.recorded to keep them, or delete them",
            )
        _log.warning("not debugged yet, and left out: %s", shard)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as staging:
        for shard, file in parts.items():
            bare = tables.read_table(file, tables.VERSIONS).with_columns(feedback=pl.lit(""))
            tables.write_table(bare, tables.VERSIONS, Path(staging) / programs_of(shard))
        replace_files(Path(staging), out, list(map(programs_of, parts)))
    return [out / programs_of(shard) for shard in parts]
