"""What a worker is asked to do, and what it answers when the input is bad."""

from __future__ import annotations

from pathlib import Path

from iterpref_assets.core.records import Record
from iterpref_assets.settings import Settings

BAD_INPUT_EXIT_CODE = 2


class WorkerJob(Record):
    """The extras of one Pipes call. `answer` is the file that a bad input's message goes to."""

    asset: str
    partitions: tuple[str, ...]
    settings: Settings
    answer: Path
