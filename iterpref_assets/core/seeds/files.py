"""Problems written as JSON lines, as a seed source: the format of records.Problem."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, JsonValue, ValidationError

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import read_bytes
from iterpref_assets.core.lab.problems import SOURCE as LAB
from iterpref_assets.core.records import Problem, Record, Split
from iterpref_assets.core.seeds.reading import CHECK_SETTINGS, SeedReading, file_digest

_SHARD_NAME = re.compile(r"(?!.*\.\.\.)[A-Za-z0-9_.-]+")
"""Dagster and its commands read commas, bars and three dots in partition keys as their own."""


class FileSeeds(Record):
    """Problems from JSONL files: each file of `folder` is a shard, `heldout` holds the others.

    A line is the JSON of records.Problem.
    """

    kind: Literal["files"] = "files"
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


def read_problem_file(path: Path, split: Split | None) -> list[Problem]:
    """The problems of a JSONL file, all of them of `split`; None takes those of any.

    Raises:
        InputError: naming file, line and field of the first line that is not a problem of that
            split, or whose id was seen before.
    """
    problems: dict[str, Problem] = {}
    for number, raw in enumerate(read_bytes(path, CHECK_SETTINGS).split(b"\n"), start=1):
        line = _decode(path, number, raw)
        if not line.strip():
            continue
        problem = _read_problem(path, number, line)
        if problem.source == LAB:
            raise InputError(
                f"the name {LAB!r} is kept for problems that the lab composes",
                file=path,
                line=number,
                field="source",
                remedy="Name your own source: the lab's reference solutions are trusted to run",
            )
        seen = problem.problem_id in problems
        if seen or problem.split is not (split or problem.split):
            raise InputError(
                f"{problem.problem_id!r} occurs twice" if seen else f"expected '{split}'",
                file=path,
                line=number,
                field="problem_id" if seen else "split",
                remedy="Give each problem an id of its own" if seen else "Move it to its own file",
            )
        problems[problem.problem_id] = problem
    if not problems:
        raise InputError("no problems", file=path, remedy="Add one JSON object per line")
    return list(problems.values())


def _decode(path: Path, number: int, line: bytes) -> str:
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"not UTF-8 ({error.reason})", file=path, line=number, remedy="Save the file as UTF-8"
        ) from None


def _read_problem(path: Path, number: int, line: str) -> Problem:
    try:
        return Problem.model_validate_json(line)
    except ValidationError as error:
        raise InputError.of_record(
            error,
            file=path,
            line=number,
            remedy="Each line is one JSON object with the fields of records.Problem",
        ) from None
