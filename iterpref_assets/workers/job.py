"""What a worker is asked to do, and where it says why it could not."""

from __future__ import annotations

from pathlib import Path

from iterpref_assets.core.records import Record
from iterpref_assets.settings import Settings

EXPLAINED_EXIT_CODE = 2


class WorkerJob(Record):
    """The extras of one Pipes call.

    `answer` is the file for the message of bad input or of training that had to stop.
    """

    asset: str
    partitions: tuple[str, ...]
    settings: Settings
    answer: Path
