"""Where debugged programs lie that another machine recorded, where the settings name them."""

from __future__ import annotations

from pathlib import Path

from iterpref_assets.core.experiment.recorded import PROGRAMS, programs_of
from iterpref_assets.settings import Settings


def programs_files(settings: Settings) -> dict[str, Path]:
    """The files of recorded programs by shard; of shards without one, pairs are debugged here."""
    recorded = settings.experiment.recorded if settings.experiment else None
    if recorded is None:
        return {}
    files = {shard: recorded / PROGRAMS / programs_of(shard) for shard in settings.seeds.shards()}
    return {shard: file for shard, file in files.items() if file.exists()}
