"""Where one pair comes from: its trajectories, what was asked, answered and executed, and by what.

Prompts are not stored. They follow from the problem and the versions on record by a template that
has a version of its own, so they are told where that version is still this one's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core import tables
from iterpref_assets.core.answers import read_answer
from iterpref_assets.core.conversations import Attempt, Prompts
from iterpref_assets.core.debugging.trajectory import trajectory_id
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.frames import frame_to_problems
from iterpref_assets.core.pairs.sampled import rejected_sample
from iterpref_assets.core.prompts import (
    Message,
    Role,
)
from iterpref_assets.core.records import Problem, Record
from iterpref_assets.core.seeds.synthesis import asked_and_answered, template_versions
from iterpref_assets.core.tables import Schema


class TracedCompletion(Record):
    """What the engine gave for one version."""

    text: str
    engine: str
    seed: int
    prompt_tokens: int | None
    completion_tokens: int | None
    finish_reason: str


class TracedVersion(Record):
    """One version: what was asked, what was answered, and what came of running it.

    Attributes:
        round: 0 is the first answer.
        prompt: the turns that were shown; None where another version of the template made them.
        completion: None where none is on record (trajectories that were recorded elsewhere).
        code: the program in the completion.
        verdict, error_type, feedback: of its execution.
    """

    round: int
    prompt: tuple[tuple[str, str], ...] | None
    completion: TracedCompletion | None
    code: str
    verdict: str
    error_type: str | None
    feedback: str | None


class TracedTrajectory(Record):
    """One trajectory from its first answer to its last version."""

    trajectory_id: str
    versions: tuple[TracedVersion, ...]


class TracedArtifact(Record):
    """One artifact that the pair was made of, straight or at several removes."""

    name: str
    content_hash: str
    code_version: str
    folder: str
    config: dict[str, JsonValue]


class PairProvenance(Record):
    """Everything on record about one pair.

    Attributes:
        pair: its row of tables.PAIRS.
        judgement: its row of tables.JUDGEMENTS, where a judge was asked.
        problem: the seed problem, with its tests.
        trajectories: that of y+ first; one more where y- is another sample.
        artifacts: what it was made of, nearest first.
    """

    pair: dict[str, JsonValue]
    judgement: dict[str, JsonValue] | None
    problem: Problem
    trajectories: tuple[TracedTrajectory, ...]
    artifacts: tuple[TracedArtifact, ...] = ()


@dataclass(frozen=True)
class PairFiles:
    """The tables that hold a shard's pairs and what they were made of.

    Attributes:
        prompts: the identity of the prompts that debugging was asked by (Prompts.identity).
        written: responses that hold a first program of each problem, where they came with one.
        template_versions: of the templates that asked for `written`.
    """

    pairs: Path
    judgements: Path | None
    problems: Path
    versions: Path
    completions: Sequence[Path]
    prompts: JsonValue
    written: Path | None = None
    template_versions: JsonValue = None


def holds_pair(pairs: Path, pair_id: str) -> bool:
    """Whether a pair table has this pair, dropped ones included."""
    return not _rows(pairs, tables.PAIRS, pl.col("pair_id") == pair_id).is_empty()


def trace_pair(pair_id: str, files: PairFiles) -> PairProvenance:
    """What is on record about a pair of these tables; only its own rows are read.

    Raises:
        InputError: where a table is missing or has other columns, or lacks the pair, its problem
            or its trajectory.
    """
    pair = _one(files.pairs, tables.PAIRS, "pair_id", pair_id)
    of_problem = pl.col("problem_id") == pair["problem_id"]
    problem = _rows(files.problems, tables.PROBLEMS, of_problem)
    if problem.is_empty():
        raise _missing(files.problems, "problem_id", pair["problem_id"])
    versions = _rows(files.versions, tables.VERSIONS, of_problem)
    completions = pl.concat(
        [_rows(path, tables.COMPLETIONS, of_problem) for path in files.completions]
        or [pl.DataFrame(schema=tables.COMPLETIONS)]
    )
    (seed,) = frame_to_problems(problem)
    prompts = Prompts.of_identity(files.prompts)
    known = prompts if prompts.identity() == files.prompts else None
    trajectories = [
        _trajectory(rows, completions, seed, known)
        for rows in _trajectories(pair, versions, files.versions)
    ]
    return PairProvenance(
        pair=pair,
        judgement=_judgement(files.judgements, pair_id),
        problem=seed,
        trajectories=tuple(
            _from_its_writing(each, seed.problem_id, files) for each in trajectories
        ),
    )


def _trajectories(pair: dict[str, Any], versions: pl.DataFrame, file: Path) -> list[pl.DataFrame]:
    wanted = [pl.col("trajectory_id") == pair["trajectory_id"]]
    other = rejected_sample(pair["pair_id"], pair["trajectory_id"])
    if other is not None:
        wanted.append(pl.col("sample") == other)
    found = [versions.filter(each).sort("round") for each in wanted]
    if any(rows.is_empty() for rows in found):
        raise _missing(file, "trajectory_id", pair["trajectory_id"])
    return found


def _trajectory(
    versions: pl.DataFrame, completions: pl.DataFrame, seed: Problem, prompts: Prompts | None
) -> TracedTrajectory:
    of_sample = completions.filter(pl.col("sample") == versions["sample"][0]).sort("round", "key")
    answers = {row["round"]: row for row in of_sample.iter_rows(named=True)}
    shown = dict(_shown(prompts, seed, versions, of_sample)) if prompts is not None else {}
    return TracedTrajectory(
        trajectory_id=versions["trajectory_id"][0],
        versions=tuple(
            TracedVersion(
                round=row["round"],
                prompt=_turns(shown.get(row["round"])),
                completion=_completion(answers.get(row["round"])),
                code=row["code"],
                verdict=row["verdict"],
                error_type=row["error_type"],
                feedback=row["feedback"],
            )
            for row in versions.iter_rows(named=True)
        ),
    )


def _from_its_writing(
    trajectory: TracedTrajectory, problem_id: str, files: PairFiles
) -> TracedTrajectory:
    """The trajectory; where its first version came with the problem, with the real response."""
    if files.written is None or trajectory.trajectory_id != trajectory_id(problem_id, 0):
        return trajectory
    rows = _rows(files.written, tables.COMPLETIONS, pl.col("problem_id") == problem_id)
    prompt, answer = asked_and_answered(problem_id, rows)
    known = files.template_versions == template_versions()
    first, *others = trajectory.versions
    first = first.model_copy(
        update={
            "prompt": _turns((Message(Role.USER, prompt),)) if known else None,
            "completion": _completion(answer),
        }
    )
    return trajectory.model_copy(update={"versions": (first, *others)})


def _turns(messages: tuple[Message, ...] | None) -> tuple[tuple[str, str], ...] | None:
    if messages is None:
        return None
    return tuple((message.role.value, message.content) for message in messages)


def _completion(row: dict[str, Any] | None) -> TracedCompletion | None:
    if row is None:
        return None
    same = ("engine", "seed", "prompt_tokens", "completion_tokens", "finish_reason")
    return TracedCompletion(text=row["completion"], **{name: row[name] for name in same})


def _judgement(file: Path | None, pair_id: str) -> dict[str, Any] | None:
    if file is None:
        return None
    rows = _rows(file, tables.JUDGEMENTS, pl.col("pair_id") == pair_id)
    return None if rows.is_empty() else rows.row(0, named=True)


def _one(file: Path, schema: Schema, column: str, value: str) -> dict[str, Any]:
    rows = _rows(file, schema, pl.col(column) == value)
    if rows.is_empty():
        raise _missing(file, column, value)
    return rows.row(0, named=True)


def _rows(file: Path, schema: Schema, wanted: pl.Expr) -> pl.DataFrame:
    tables.check_table(file, schema)
    return pl.scan_parquet(file).filter(wanted).select(list(schema)).collect()


def _missing(file: Path, field: str, value: str) -> InputError:
    return InputError(
        f"no row for {value!r}",
        file=file,
        field=field,
        remedy="Give tables of one and the same run",
    )


def _shown(
    prompts: Prompts, problem: Problem, versions: pl.DataFrame, completions: pl.DataFrame
) -> Iterator[tuple[int, tuple[Message, ...]]]:
    """Each round of one trajectory and the conversation that its version answers.

    Args:
        prompts: what was asked.
        problem: about what.
        versions: the trajectory's rows of tables.VERSIONS, in order of rounds.
        completions: the trajectory's rows of tables.COMPLETIONS, in order of rounds and retries.
    """
    attempts: list[Attempt] = []
    for round_, code, feedback in versions.select("round", "code", "feedback").iter_rows():
        answers = completions.filter(pl.col("round") == round_)["completion"].to_list()
        # A program that a round does not keep is one that had been tried before.
        discarded = read_answer(answers[-2], problem.entry_point) if len(answers) > 1 else None
        repeated = discarded is not None and discarded.program is not None
        yield round_, prompts.debug(problem, attempts, repeated=repeated)
        attempts.append(Attempt(code, feedback))
