"""What a run has gathered for the next point of its curves, as a checkpoint keeps it.

transformers begins a resumed run as if it had just made a point.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

_FILE = "pending.json"


@dataclass(frozen=True, slots=True)
class Pending:
    """Of the steps since the last point, over all processes.

    Attributes:
        steps: how many there were.
        loss: the sum of their losses.
        sums: what curves.SUMS names.
        seconds: the time since that point.
    """

    steps: int
    loss: float
    sums: list[float]
    seconds: float

    def write(self, checkpoint: Path) -> None:
        """Write it to the folder of a checkpoint."""
        (checkpoint / _FILE).write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, checkpoint: Path) -> Self | None:
        """That of a checkpoint; None where the release that wrote it kept none."""
        file = checkpoint / _FILE
        return cls(**json.loads(file.read_text())) if file.is_file() else None
