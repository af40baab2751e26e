"""Results of the grid's models that another machine recorded, where the settings name them.

One stands where its model would be made here of the same pairs, with the same settings, from the
same base model, and would be asked the same. Log-probabilities of the reference model do not count:
machines round them differently.
"""

from __future__ import annotations

import functools
from pathlib import Path

from pydantic import JsonValue

from iterpref_assets.core.artifacts import ArtifactKey
from iterpref_assets.core.digests import digest_json
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.experiment.recorded import PROGRAMS, RecordedGrid
from iterpref_assets.core.experiment.results import FILES
from iterpref_assets.core.pairs.token_files import TOKENS_FILE
from iterpref_assets.settings import Settings
from iterpref_assets.steps.experiment import EXPERIMENT_PAIRS, sizes
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.step import Step, StepContext

_OF_MODELS = {Partitioning.CELL, Partitioning.FIRST_CELL, Partitioning.SECOND_CELL}
"""How what is made of models, and these themselves, is divided: none need be here."""


def recorded_results(settings: Settings) -> RecordedGrid:
    """What the settings' `experiment.recorded` holds."""
    folder = sizes(settings).recorded
    if folder is None:
        return RecordedGrid(None)
    times = tuple(_modified(folder / name) for name in FILES)
    return _read(folder, times)


def require_recorded(settings: Settings) -> None:
    """Refuse a folder of records that holds none: all would be made again, for hours.

    Raises:
        InputError: naming the folder, where it holds nothing or programs of other seeds.
    """
    folder = sizes(settings).recorded
    if folder is None:
        return
    programs = {file.stem for file in (folder / PROGRAMS).glob("*.parquet")}
    if not programs and not any((folder / name).exists() for name in FILES):
        raise InputError(
            "no recorded results",
            file=folder,
            field="experiment.recorded",
            remedy="Name a folder that iterpref experiment export wrote, or leave it unset",
        )
    if others := sorted(programs - set(settings.seeds.shards())):
        raise InputError(
            f"recorded programs of {others[0]}, which is no shard of the seeds",
            file=folder / PROGRAMS,
            field="experiment.recorded",
            remedy="Give the seeds that these programs were made with",
        )


def stands(context: StepContext, step: Step, key: str) -> bool:
    """Whether `step` made nothing of a cell here, and would make what is recorded of it."""
    recorded = recorded_results(context.settings).made_of(step.asset, key)
    if recorded is None or context.store.stamp(ArtifactKey(step.asset, key)) is not None:
        return False
    return recorded == made_of(context, step, key)


def made_of(context: StepContext, step: Step, key: str) -> str | None:
    """The digest of all that an artifact of the grid depends on, on whatever machine.

    None where a parent that tells has not been made.
    """
    plan, parents = step.plan(context, key), dict[str, JsonValue]()
    for parent in step.made_of:
        for name in parent.partitions(context, step.partitioning, key):
            digest = _parent(context, parent.step, name)
            if digest is None:
                return None
            parents[f"{parent.step.asset}/{name}"] = digest
    config = dict(plan.config)
    return digest_json({"config": config, "code_version": plan.code_version, "parents": parents})


def _parent(context: StepContext, step: Step, partition: str) -> str | None:
    if step.partitioning in _OF_MODELS:
        return made_of(context, step, partition)
    artifact = context.store.find(ArtifactKey(step.asset, partition))
    if artifact is None:
        return None
    if step is EXPERIMENT_PAIRS:
        return artifact.manifest.files[TOKENS_FILE].sha256
    return artifact.manifest.content_hash


def _modified(file: Path) -> int | None:
    return file.stat().st_mtime_ns if file.exists() else None


@functools.lru_cache(maxsize=1)
def _read(folder: Path, times: tuple[int | None, ...]) -> RecordedGrid:
    del times  # what was read is read again where a file is another
    return RecordedGrid.read(folder)
