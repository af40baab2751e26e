"""The page of debugging trajectories: the problem, every version with what changed, its verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.pages.blocks import (
    Block,
    Tone,
    changed,
    failure_words,
    heading,
    program,
    text,
    whole,
)
from iterpref_assets.core.pages.page import Entry, write_page
from iterpref_assets.core.pages.problems import ShownProblem, shown_problems
from iterpref_assets.core.sandbox.verdicts import Verdict

FILTERS = ("Outcome", "Rounds", "Error in any version", "Source")
AT_ONCE, DEBUGGED, UNSOLVED = "solved at once", "solved by debugging", "not solved"


def write_trajectories_page(
    versions: Sequence[Path], problems: Sequence[Path], out: Path, title: str
) -> int:
    """Write the page of all trajectories and return how many there are.

    Args:
        versions: tables of the columns of tables.VERSIONS.
        problems: tables of tables.PROBLEMS that hold their problems; others are shown without one.
        out: the HTML file.
        title: its heading.

    Raises:
        InputError: where a file is no such table.
    """
    frames = [tables.read_table(file, tables.VERSIONS) for file in versions]
    frame = pl.concat(frames) if frames else pl.DataFrame(schema=tables.VERSIONS)
    frame = frame.sort("problem_id", "sample", "trajectory_id", "round")
    entries = _entries(frame, shown_problems(problems))
    return write_page(out, title, FILTERS, entries, _facts(frame))


def _entries(frame: pl.DataFrame, problems: Mapping[str, ShownProblem]) -> Iterator[Entry]:
    rows = frame.iter_rows(named=True)
    for name, versions in groupby(rows, key=lambda row: row["trajectory_id"]):
        yield _entry(name, list(versions), problems)


def _entry(
    name: str, versions: list[dict[str, Any]], problems: Mapping[str, ShownProblem]
) -> Entry:
    last = versions[-1]
    problem = problems.get(last["problem_id"], ShownProblem())
    solved = last["verdict"] == Verdict.PASSED
    outcome = UNSOLVED if not solved else DEBUGGED if last["round"] else AT_ONCE
    failures = [_words(each) for each in versions if each["verdict"] != Verdict.PASSED]
    told = outcome if solved else f"{outcome}: {failures[-1]}"
    rounds = last["round"]
    return Entry(
        name=name,
        note=f"{told} · {rounds} {'round' if rounds == 1 else 'rounds'}",
        tone=Tone.GOOD if solved else Tone.BAD,
        facets=([outcome], [str(rounds)], failures, [problem.source]),
        blocks=[*_problem(problem), *_versions(versions)],
    )


def _problem(problem: ShownProblem) -> Iterator[Block]:
    if problem.prompt:
        yield text("Problem", problem.prompt)


def _versions(versions: Sequence[Mapping[str, Any]]) -> Iterator[Block]:
    before: Mapping[str, Any] | None = None
    for version in versions:
        passed = version["verdict"] == Verdict.PASSED
        tone = Tone.GOOD if passed else Tone.BAD
        yield heading(f"Round {version['round']}", _words(version), tone)
        if before is None:
            yield program("Program", whole(version["code"]))
        else:
            marked = changed(before["code"], version["code"])
            yield program(f"Program, and what changed since round {before['round']}", marked)
        if version["feedback"] and not passed:
            yield text("Feedback", version["feedback"])
        before = version


def _words(version: Mapping[str, Any]) -> str:
    return failure_words(version["verdict"], version["error_type"])


def _facts(frame: pl.DataFrame) -> Iterator[str]:
    last = frame.group_by("trajectory_id", maintain_order=True).last()
    solved = last.filter(pl.col("verdict") == Verdict.PASSED.value)
    yield f"{last.height:,} trajectories of {frame['problem_id'].n_unique():,} problems"
    yield f"{frame.height:,} programs run"
    at_once = solved.filter(pl.col("round") == 0).height
    yield f"{solved.height:,} solved, {at_once:,} of them at once"
