"""Iterative debugging without barriers: every trajectory moves on as soon as it can.

A finished completion is executed while the engine generates others, and a version that fails goes
back to the engine at once; no round waits for the slowest of its kind. Each finished completion and
each finished execution is in the log before anything builds on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core.answer_log import AnswerLog
from iterpref_assets.core.concurrency import for_each
from iterpref_assets.core.conversations import Prompts
from iterpref_assets.core.debugging.figures import answer_figures, pass_rate_by_round
from iterpref_assets.core.debugging.resume import Positions, check_initial
from iterpref_assets.core.debugging.trajectory import (
    ANSWERED,
    FIRST,
    DebugConfig,
    Generate,
    Judge,
    NextStep,
    Rules,
    after_answer,
    after_version,
    trajectory_id,
)
from iterpref_assets.core.engines.protocol import Engine, FinishReason
from iterpref_assets.core.journal import Journal, storable
from iterpref_assets.core.progress import Tracker, track
from iterpref_assets.core.reached import ProgramJudging, judge_reached
from iterpref_assets.core.records import Problem
from iterpref_assets.core.sampling import (
    COMPLETION,
    ORDER,
    check_problems,
    completion_row,
    logged_settings,
    make_request,
)
from iterpref_assets.core.sandbox.verdicts import Execution
from iterpref_assets.core.tables import COMPLETIONS, VERSIONS

LOG = "debugging.jsonl"
VERSION = "version"


@dataclass(frozen=True)
class DebugOutcome:
    """Every version of every trajectory, and every completion after the first.

    `versions` is tables.VERSIONS, `completions` is tables.COMPLETIONS with rounds from 1; both are
    sorted by (problem_id, sample, round). `figures` are counts, rates and the pass-rate curve.
    """

    versions: pl.DataFrame
    completions: pl.DataFrame
    figures: dict[str, JsonValue]


async def run_debugging(
    problems: Sequence[Problem],
    initial_completions: pl.DataFrame,
    engine: Engine,
    judge: ProgramJudging,
    config: DebugConfig,
    prompts: Prompts,
    work_dir: Path,
) -> DebugOutcome:
    """Execute every initial completion, and debug what fails for up to `config.max_rounds` rounds.

    Everything finished is logged in `work_dir`; a restart with the same folder repeats nothing.

    Args:
        problems: those of the completions, and perhaps others.
        initial_completions: tables.COMPLETIONS, round 0.
        engine: an engine that is entered.
        judge: runs a program against tests, in up to `config.judge_workers` threads at once.
        config: the settings.
        prompts: what the generator is asked.
        work_dir: a folder for this work alone.

    Raises:
        InputError: where the initial completions are empty, repeated, not of round 0 or of unknown
            problems, the folder holds other work, or more calls gave no answer than
            `config.max_failed_share` allows.
    """
    check_problems(problems)
    check_initial(initial_completions, problems)
    by_id = {problem.problem_id: problem for problem in problems}
    rules = Rules(config.max_rounds, prompts.config.retries)
    first = _first_steps(initial_completions, by_id, rules)
    with (
        Journal(work_dir / LOG, logged_settings(config, prompts)) as journal,
        ThreadPoolExecutor(config.judge_workers, "judge") as pool,
        track("Debugging", len(first)) as tracker,
    ):
        positions = Positions(lambda problem_id, sample: first[problem_id, sample], rules)
        log = AnswerLog(journal, COMPLETION, share=config.max_failed_share, total=len(first))
        for kind, row in journal.records():
            if kind == VERSION:
                positions.note_version(row)
            else:
                positions.note_completion(row, by_id[row["problem_id"]])
        run = _Run(engine, judge, config, prompts, rules, journal, log, pool, tracker)
        over = sum(positions.take(problem_id, sample) is None for problem_id, sample in first)
        run.count_earlier(done=over, solved=positions.solved)
        open_items = (
            _Item(by_id[problem_id], sample, step)
            for problem_id, sample in first
            if (step := positions.take(problem_id, sample)) is not None
        )
        await for_each(open_items, config.max_in_flight, run.finish)
        versions = journal.table(VERSION, VERSIONS, ORDER)
        completions = log.table(COMPLETIONS, [*ORDER, "key"])
        log.tell("Debugging")
    figures: dict[str, JsonValue] = {
        "trajectories": len(first),
        "unanswered": initial_completions.height - len(first),
        "solved": run.solved,
        "calls_per_trajectory": 1 + completions.height / len(first),
        "pass_rate_by_round": list(pass_rate_by_round(versions, len(first), config.max_rounds)),
        **answer_figures(initial_completions, completions, versions, by_id),
        "tests_shown": sum(prompts.shows_test(each) for each in problems),
        "calls_without_an_answer": dict(log.failures),
        **run.figures(),
    }
    return DebugOutcome(versions, completions, figures)


@dataclass(frozen=True, slots=True)
class _Item:
    """A trajectory that is not over, and what it does next."""

    problem: Problem
    sample: int
    step: NextStep


@dataclass
class _Run:
    """One process's share of the work."""

    engine: Engine
    judge: ProgramJudging
    config: DebugConfig
    prompts: Prompts
    rules: Rules
    journal: Journal
    log: AnswerLog
    pool: ThreadPoolExecutor
    tracker: Tracker
    done: int = 0
    solved: int = 0
    tokens: int = 0
    generations: int = 0
    executions: int = 0
    started: float = field(default_factory=monotonic)

    def count_earlier(self, *, done: int, solved: int) -> None:
        """Count the trajectories that are over: finished by an earlier process, or without a step.

        One has no step where its first completion holds no program and no round is allowed.
        """
        self.done, self.solved = done, solved
        if done:
            self.tracker.resume(done)

    async def finish(self, item: _Item) -> None:
        """Take one trajectory from where it stands to its end."""
        step = item.step
        passed = False
        while step is not None:
            if isinstance(step, Judge):
                code, execution = await self._execute(item, step)
                passed = execution.passed
                step = after_version(step, code, execution, self.rules)
            else:
                step = await self._generate(item, step)
        self.done += 1
        self.solved += passed
        self.tracker.advance(1, **self._rates())

    async def _execute(self, item: _Item, step: Judge) -> tuple[str, Execution]:
        loop = asyncio.get_running_loop()
        tests = self.prompts.tests_in_order(item.problem, step.attempts)
        code, execution = await loop.run_in_executor(
            self.pool, judge_reached, step.code, tests, self.judge
        )
        execution = replace(execution, message=storable(execution.message))
        self.journal.append(VERSION, _version_row(item, step.round, code, execution))
        self.executions += 1
        return code, execution

    async def _generate(self, item: _Item, step: Generate) -> NextStep:
        problem = item.problem
        request = make_request(
            self.config,
            problem.problem_id,
            step.round,
            item.sample,
            self.prompts.debug(problem, step.attempts, repeated=step.repeated),
            retry=step.retry,
        )
        completion = await self.engine.generate(request)
        row = completion_row(
            problem.problem_id, step.round, item.sample, completion, self.engine.description
        )
        self.log.keep(row, completion)
        self.generations += 1
        self.tokens += completion.completion_tokens or 0
        reason = completion.finish_reason
        return after_answer(step, str(row["completion"]), reason, problem, self.rules)

    def _rates(self) -> dict[str, float]:
        seconds = monotonic() - self.started
        return {
            "solved_share": self.solved / max(self.tracker.total, 1),
            "tokens_per_second": self.tokens / seconds,
            "programs_per_second": self.executions / seconds,
        }

    def figures(self) -> dict[str, JsonValue]:
        """What this process did, and how fast."""
        return {
            "generations_this_run": self.generations,
            "executions_this_run": self.executions,
            "tokens_this_run": self.tokens,
            "seconds_this_run": monotonic() - self.started,
            **self._rates(),
        }


def _version_row(item: _Item, round_: int, code: str, execution: Execution) -> dict[str, str | int]:
    return {
        "trajectory_id": trajectory_id(item.problem.problem_id, item.sample),
        "problem_id": item.problem.problem_id,
        "sample": item.sample,
        "round": round_,
        "code": code,
        "verdict": execution.verdict.value,
        "error_type": execution.error_type,
        "feedback": execution.message,
    }


def _first_steps(
    initial: pl.DataFrame, problems: dict[str, Problem], rules: Rules
) -> dict[tuple[str, int], NextStep]:
    """The first step of every trajectory that was answered, by problem and sample."""
    columns = ("problem_id", "sample", "completion", "finish_reason")
    answers = initial.select(columns).iter_rows()
    return {
        (name, sample): after_answer(FIRST, text, FinishReason(reason), problems[name], rules)
        for name, sample, text, reason in answers
        if reason in ANSWERED
    }
