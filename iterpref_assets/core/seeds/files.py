"""Problems written as JSON lines, as a seed source: the format of records.Problem."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, JsonValue

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.records import Problem, Record, Split
from iterpref_assets.core.seeds.problem_file import read_problem_file
from iterpref_assets.core.seeds.reading import SeedReading, file_digest

_SHARD_NAME = re.compile(r"(?!.*\.\.\.)[A-Za-z0-9_.-]+")
"""Dagster and its commands read commas, bars and three dots in partition keys as their own."""


class FileSeeds(Record):
    """Problems from JSONL files: each file of `folder` is a shard, `heldout` holds the others.

    A line is the JSON of records.Problem.
    """

    kind: Literal["files"] = Field("files", description="Which kind of seeds")
    folder: Path = Field(
        description="The folder of training problems: each `*.jsonl` in it is a shard"
    )
    heldout: Path = Field(description="The file of held-out problems")

    def shards(self) -> tuple[str, ...]:
        """The names of the training shards: the files' stems.

        Raises:
            InputError: where the folder holds no JSONL file, or one that cannot name a partition.
        """
        names = tuple(sorted(path.stem for path in self.folder.glob("*.jsonl")))
        if not names:
            raise InputError(
                "no *.jsonl file of seed problems",
                file=self.folder,
                field="seeds.folder",
                remedy="Point seeds.folder at a folder with one JSONL file per shard",
            )
        for name in names:
            if not _SHARD_NAME.fullmatch(name):
                raise InputError(
                    "no name for a shard",
                    file=self._file(name),
                    remedy="Rename it: letters, digits, dots, dashes and underscores",
                )
        return names

    def shard_identity(self, shard: str) -> dict[str, JsonValue]:
        """What the problems of one shard depend on: the file's content."""
        return {"kind": self.kind, "sha256": file_digest(self._file(shard))}

    def heldout_identity(self) -> dict[str, JsonValue]:
        """What the held-out problems depend on: the file's content."""
        return {"kind": self.kind, "sha256": file_digest(self.heldout)}

    def load_shard(self, shard: str) -> SeedReading:
        """The training problems of one file."""
        return SeedReading(read_problem_file(self._file(shard), Split.TRAIN))

    def _file(self, shard: str) -> Path:
        return self.folder / f"{shard}.jsonl"

    def load_heldout(self) -> list[Problem]:
        """The held-out problems."""
        return read_problem_file(self.heldout, Split.HELDOUT)
