"""Seed problems: where they come from, and how they are read from and written to disk."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import polars as pl
from pydantic import Field, JsonValue, TypeAdapter, ValidationError

from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.lab.config import LabConfig, shard_names
from iterpref_assets.core.lab.problems import SOURCE as LAB
from iterpref_assets.core.lab.problems import compose_heldout, compose_shard
from iterpref_assets.core.records import Problem, Record, Split, Tests

_TESTS: TypeAdapter[Tests] = TypeAdapter(Tests)


class LabSeeds(Record):
    """Problems composed by the lab."""

    kind: Literal["lab"] = "lab"
    lab: LabConfig = LabConfig()

    def shards(self) -> tuple[str, ...]:
        """The names of the training shards."""
        return shard_names(self.lab)

    def shard_identity(self, shard: str) -> dict[str, JsonValue]:
        """What the problems of one shard depend on."""
        return {"kind": self.kind, "shard": shard, **self._counts("heldout_problems")}

    def heldout_identity(self) -> dict[str, JsonValue]:
        """What the held-out problems depend on."""
        return {"kind": self.kind, **self._counts("shards", "problems_per_shard")}

    def _counts(self, *without: str) -> dict[str, JsonValue]:
        return self.lab.model_dump(mode="json", exclude=set(without))

    def load_shard(self, shard: str) -> list[Problem]:
        """The training problems of one shard."""
        return compose_shard(self.lab, shard)

    def load_heldout(self) -> list[Problem]:
        """The held-out problems."""
        return compose_heldout(self.lab)


class FileSeeds(Record):
    """Problems from JSONL files: each file of `folder` is a shard, `heldout` holds the others.

    A line is the JSON of records.Problem.
    """

    kind: Literal["files"] = "files"
    folder: Path
    heldout: Path

    def shards(self) -> tuple[str, ...]:
        """The names of the training shards: the files' stems.

        Raises:
            InputError: where the folder holds no JSONL file.
        """
        names = tuple(sorted(path.stem for path in self.folder.glob("*.jsonl")))
        if not names:
            raise InputError(
                "no *.jsonl file of seed problems",
                file=self.folder,
                field="seeds.folder",
                remedy="Point seeds.folder at a folder with one JSONL file per shard",
            )
        return names

    def shard_identity(self, shard: str) -> dict[str, JsonValue]:
        """What the problems of one shard depend on: the file's content."""
        return {"kind": self.kind, "sha256": _file_digest(self._file(shard))}

    def heldout_identity(self) -> dict[str, JsonValue]:
        """What the held-out problems depend on: the file's content."""
        return {"kind": self.kind, "sha256": _file_digest(self.heldout)}

    def load_shard(self, shard: str) -> list[Problem]:
        """The training problems of one file."""
        return read_problem_file(self._file(shard), Split.TRAIN)

    def _file(self, shard: str) -> Path:
        return self.folder / f"{shard}.jsonl"

    def load_heldout(self) -> list[Problem]:
        """The held-out problems."""
        return read_problem_file(self.heldout, Split.HELDOUT)


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise InputError("no such file", file=path, remedy="Check the seeds settings")


def _file_digest(path: Path) -> str:
    _require_file(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


SeedSource = Annotated[LabSeeds | FileSeeds, Field(discriminator="kind")]


def read_problem_file(path: Path, split: Split) -> list[Problem]:
    """The problems of a JSONL file, all of them of `split`.

    Raises:
        InputError: naming file, line and field of the first line that is not a problem of that
            split, or whose id was seen before.
    """
    _require_file(path)
    problems: dict[str, Problem] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
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
        if problem.problem_id in problems or problem.split is not split:
            seen = problem.problem_id in problems
            raise InputError(
                f"{problem.problem_id!r} occurs twice" if seen else f"expected {split.value!r}",
                file=path,
                line=number,
                field="problem_id" if seen else "split",
                remedy="Give each problem an id of its own" if seen else "Move it to its own file",
            )
        problems[problem.problem_id] = problem
    if not problems:
        raise InputError("no problems", file=path, remedy="Add one JSON object per line")
    return list(problems.values())


def _read_problem(path: Path, number: int, line: str) -> Problem:
    try:
        return Problem.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(
            first["msg"],
            file=path,
            line=number,
            field=".".join(str(part) for part in first["loc"]) or None,
            remedy="Each line is one JSON object with the fields of records.Problem",
        ) from None


def problems_to_frame(problems: Iterable[Problem]) -> pl.DataFrame:
    """A PROBLEMS table, ordered by problem id."""
    rows = [
        {**problem.model_dump(exclude={"tests"}), "tests": problem.tests.model_dump_json()}
        for problem in problems
    ]
    return pl.DataFrame(rows, schema=tables.PROBLEMS).sort("problem_id")


def frame_to_problems(frame: pl.DataFrame) -> list[Problem]:
    """The problems of a PROBLEMS table, in its order."""
    rows = frame.iter_rows(named=True)
    return [
        Problem.model_validate({**row, "tests": _TESTS.validate_json(row["tests"])}) for row in rows
    ]
