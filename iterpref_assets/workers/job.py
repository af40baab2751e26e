"""What a worker is asked to do, and the folder in which it and whoever asks meet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from iterpref_assets.core.records import Record
from iterpref_assets.settings import Settings

EXPLAINED_EXIT_CODE = 2


class MeetingPlace(Record):
    """A folder that the worker and whoever started it both see, under the same path."""

    folder: Path

    @property
    def answer(self) -> Path:
        """Where the message of bad input goes, or of work that had to stop."""
        return self.folder / "answer.txt"

    @property
    def messages(self) -> Path:
        """Where Pipes messages go, if they travel by file."""
        return self.folder / "messages.jsonl"

    @property
    def lifeline(self) -> Path:
        """What the starter holds for as long as it lives."""
        return self.folder / "lifeline"


class PublishJob(Record):
    """Publish an asset's artifacts of some partitions."""

    kind: Literal["publish"] = "publish"
    asset: str
    partitions: tuple[str, ...]
    settings: Settings
    place: MeetingPlace


class VerifyJob(Record):
    """Look at published shards by a function of `steps.verification`."""

    kind: Literal["verify"] = "verify"
    verification: str
    partitions: tuple[str, ...]
    settings: Settings
    place: MeetingPlace


WorkerJob: TypeAlias = Annotated[PublishJob | VerifyJob, Field(discriminator="kind")]
