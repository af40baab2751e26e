"""Tasks, programs and tests written by a generator: asked for, kept as they come, then read."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core.answer_log import AnswerLog
from iterpref_assets.core.concurrency import for_each
from iterpref_assets.core.engines.protocol import FAILED, Engine, FinishReason
from iterpref_assets.core.journal import Journal
from iterpref_assets.core.progress import track
from iterpref_assets.core.prompts import Message, Role, codeflow_prompt, fenced
from iterpref_assets.core.records import CodeTests, Problem
from iterpref_assets.core.sampling import (
    COMPLETION,
    LOG,
    ORDER,
    GenerationConfig,
    completion_key,
    completion_row,
    make_request,
)
from iterpref_assets.core.seeds.nameless import imported_packages
from iterpref_assets.core.seeds.program_response import (
    Fault,
    MalformedError,
    WrittenTask,
    read_program,
    read_task,
)
from iterpref_assets.core.seeds.reading import Unusable, UnusableRecord
from iterpref_assets.core.seeds.synthetic import SOURCE, Draw
from iterpref_assets.core.tables import COMPLETIONS
from iterpref_assets.core.templates import load_template

TASK_ROUND, PROGRAM_ROUND = -2, -1
"""A draw's two responses, as `round` in its table: the task, then its program and tests. They come
before round 0, so that no key is that of a sample or of a debugging round."""

_TASK, _PROGRAM = load_template("feature_task"), load_template("program_and_tests")


@dataclass(frozen=True, slots=True)
class Written:
    """What a shard's responses come to.

    Attributes:
        problems: those that can be run.
        programs: the solution of each problem by its id.
        unusable: the draws that give none.
        faults: how often responses were malformed in which way.
    """

    problems: list[Problem] = field(default_factory=list[Problem])
    programs: dict[str, str] = field(default_factory=dict[str, str])
    unusable: list[UnusableRecord] = field(default_factory=list[UnusableRecord])
    faults: Counter[Fault] = field(default_factory=Counter[Fault])


def synthesis_identity(config: GenerationConfig, packages: Sequence[str]) -> dict[str, JsonValue]:
    """What responses depend on besides what was drawn and the generator."""
    return {
        "generation": config.for_result(),
        "templates": template_versions(),
        "packages": list(packages),
    }


def template_versions() -> dict[str, JsonValue]:
    """The version of each prompt template by its name."""
    return {each.name: each.version for each in (_TASK, _PROGRAM)}


async def write_tasks(
    draws: Sequence[Draw],
    engine: Engine,
    config: GenerationConfig,
    packages: Sequence[str],
    work_dir: Path,
) -> pl.DataFrame:
    """Have a task written about each subtree, and a program with tests for each readable task.

    Each finished response is logged in `work_dir`; a restart with the same folder repeats none.

    Args:
        draws: what to write about.
        engine: the generator, entered.
        config: how it writes.
        packages: what programs may use besides the standard library.
        work_dir: where finished responses are kept.

    Returns:
        tables.COMPLETIONS: rounds TASK_ROUND and, where the task could be read, PROGRAM_ROUND.

    Raises:
        InputError: where the folder holds other work, or more calls gave no answer than
            `config.max_failed_share` allows.
    """
    settings = synthesis_identity(config, packages)
    with Journal(work_dir / LOG, settings) as journal, track("Tasks", len(draws)) as tracker:
        log = AnswerLog(journal, COMPLETION, share=config.max_failed_share, total=len(draws))
        logged: dict[str, dict[str, Any]] = {row["key"]: row for _, row in journal.records()}
        left = [draw for draw in draws if not _is_answered(draw, logged)]
        tracker.resume(len(draws) - len(left))

        async def respond(name: str, round_: int, prompt: str) -> dict[str, Any]:
            key = completion_key(name, round_, 0)
            if key in logged:
                return logged[key]
            request = make_request(config, name, round_, 0, (Message(Role.USER, prompt),))
            completion = await engine.generate(request)
            row = completion_row(name, round_, 0, completion, engine.description)
            log.keep(row, completion)
            return row

        async def write(draw: Draw) -> None:
            try:
                task = _task_in(await respond(draw.name, TASK_ROUND, task_prompt(draw, packages)))
                await respond(draw.name, PROGRAM_ROUND, program_prompt(task))
            except MalformedError:
                pass  # it is counted where responses are read
            tracker.advance()

        await for_each(iter(left), config.max_in_flight, write)
        log.tell("Tasks")
        return log.table(COMPLETIONS, ORDER)


def _is_answered(draw: Draw, logged: Mapping[str, dict[str, Any]]) -> bool:
    """Whether there is nothing left to ask about a draw."""
    task = logged.get(completion_key(draw.name, TASK_ROUND, 0))
    if task is None:
        return False
    try:
        _task_in(task)
    except MalformedError:
        return True
    return completion_key(draw.name, PROGRAM_ROUND, 0) in logged


def task_prompt(draw: Draw, packages: Sequence[str]) -> str:
    """What asks for a task about a subtree."""
    allowed = f" and {', '.join(packages)}" if packages else ""
    return _TASK.fill(features=draw.features, packages=allowed)


def program_prompt(task: WrittenTask) -> str:
    """What asks for a program and its tests."""
    return _PROGRAM.fill(
        task=task.statement,
        signature=task.signature,
        examples=task.examples,
        entry_point=task.entry_point,
    )


def asked_and_answered(problem_id: str, completions: pl.DataFrame) -> tuple[str, dict[str, Any]]:
    """The prompt for a problem's program and tests, and the row of `completions` that answers it.

    Args:
        problem_id: a problem that `read_written` read from `completions`.
        completions: what `write_tasks` returned.
    """
    rows = completions.filter(pl.col("problem_id") == problem_id)
    by_round = {row["round"]: row for row in rows.iter_rows(named=True)}
    return program_prompt(_task_in(by_round[TASK_ROUND])), by_round[PROGRAM_ROUND]


def read_written(
    draws: Iterable[Draw], completions: pl.DataFrame, packages: Sequence[str]
) -> Written:
    """The problems in a shard's responses, and why each other draw gives none.

    Args:
        draws: what was written about.
        completions: what `write_tasks` returned.
        packages: installed distributions that programs may use.
    """
    rows = {row["key"]: row for row in completions.iter_rows(named=True)}
    written = Written()
    for draw in draws:
        try:
            task = _task_in(rows.get(completion_key(draw.name, TASK_ROUND, 0)))
            row = rows.get(completion_key(draw.name, PROGRAM_ROUND, 0))
            _read_program(draw, task, _text(row), packages, written)
        except MalformedError as error:
            detail = f"{error.fault.value}: {error}" if str(error) else error.fault.value
            written.unusable.append(UnusableRecord(draw.name, Unusable.MALFORMED, detail))
            written.faults[error.fault] += 1
    return written


def first_samples(problems: Iterable[Problem], completions: pl.DataFrame) -> pl.DataFrame:
    """The program that came with each problem, as its first sample (METHOD.md, 1.1 and 1.3).

    Args:
        problems: problems that `read_written` read from `completions`.
        completions: what `write_tasks` returned.

    Returns:
        tables.COMPLETIONS, sorted: sample 0 of round 0, its tokens those of the whole response.
    """
    rows = {row["key"]: row for row in completions.iter_rows(named=True)}
    firsts = [
        {
            **(row := rows[completion_key(problem.problem_id, PROGRAM_ROUND, 0)]),
            "key": completion_key(problem.problem_id, 0, 0),
            "round": 0,
            "completion": fenced(read_program(row["completion"], problem.entry_point).code),
        }
        for problem in problems
    ]
    return pl.DataFrame(firsts, schema=COMPLETIONS).sort(ORDER)


def _read_program(
    draw: Draw, task: WrittenTask, response: str, packages: Sequence[str], written: Written
) -> None:
    program = read_program(response, task.entry_point)
    imported = imported_packages(program.code, program.tests) - {program.module}
    refused = refused_packages(program.packages, imported, packages)
    if refused:
        detail = ", ".join(refused)
        written.unusable.append(UnusableRecord(draw.name, Unusable.NOT_RUN, detail))
        return
    tags = ", ".join(task.tags)
    written.programs[draw.name] = program.code
    written.problems.append(
        Problem(
            problem_id=draw.name,
            source=SOURCE,
            prompt=codeflow_prompt(task.statement, task.signature, task.examples, tags),
            entry_point=task.entry_point,
            signature=task.signature,
            tests=CodeTests(module=program.module, code=program.tests),
            features=draw.paths,
        )
    )


def _task_in(row: dict[str, Any] | None) -> WrittenTask:
    return read_task(_text(row))


def _text(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    reason = FinishReason(row["finish_reason"])
    if reason in FAILED:
        raise MalformedError(Fault.UNANSWERED, reason.value)
    if reason is FinishReason.LENGTH:
        raise MalformedError(Fault.TRUNCATED)
    return row["completion"]


_SEPARATORS = re.compile(r"[-_.]+")


def refused_packages(
    declared: Iterable[str], imported: Iterable[str], allowed: Sequence[str]
) -> list[str]:
    """What a program needs that is neither in the standard library nor allowed, sorted.

    Args:
        declared: distributions that its author lists, by their names on package indices.
        imported: modules that it imports.
        allowed: installed distributions that programs may use.
    """
    permitted = {normalised(name) for name in allowed}
    provided = packages_distributions()
    refused = {
        name
        for name in declared
        if normalised(name) not in permitted and name not in sys.stdlib_module_names
    }
    for module in imported:
        sources = {normalised(name) for name in provided.get(module, ())}
        if module not in sys.stdlib_module_names and not sources & permitted:
            refused.add(module)
    return sorted(refused)


def normalised(name: str) -> str:
    """A distribution's name as package indices compare it."""
    return _SEPARATORS.sub("-", name).casefold()
