"""Problems, an engine and a judge that make whole debugging runs reproducible by hand.

The scripted engine answers round r of problem pN with the number r; the judge passes a program that
is at least its problem's `needed` number, so pN is solved in round N and p9 never within 5 rounds.
"""

import asyncio
from pathlib import Path

import polars as pl
from drawn_samples import sample_problems
from engine_double import OpenEngine

from iterpref_assets.core.conversations import LAB_PROMPTS, Prompts
from iterpref_assets.core.debugging.loop import DebugOutcome, run_debugging
from iterpref_assets.core.debugging.trajectory import DebugConfig
from iterpref_assets.core.engines.protocol import Completion, Engine, FinishReason, Request
from iterpref_assets.core.prompts import fenced
from iterpref_assets.core.reached import ProgramJudging
from iterpref_assets.core.records import Case, FunctionTests, Problem, Tests
from iterpref_assets.core.sampling import SamplingConfig
from iterpref_assets.core.sandbox.verdicts import Execution, Verdict

LAB = Prompts(LAB_PROMPTS)


class ScriptedEngine(OpenEngine):
    """Answers with the round's number; remembers what it was asked and how much at once.

    It answers nothing before it is asked `at_once` things at once, and from then on after a while.
    """

    description = "scripted"

    def __init__(
        self,
        unanswered: frozenset[str] = frozenset(),
        reason: FinishReason = FinishReason.PROMPT_TOO_LONG,
        at_once: int = 0,
    ) -> None:
        self.reason = reason
        self.requests: list[Request] = []
        self.unanswered = unanswered
        self.active = self.most_active = 0
        self.at_once, self.crowded = at_once, asyncio.Event()

    async def generate(self, request: Request) -> Completion:
        self.requests.append(request)
        self.active += 1
        self.most_active = max(self.most_active, self.active)
        if self.active >= self.at_once:
            self.crowded.set()
        async with asyncio.timeout(300):
            await self.crowded.wait()
        await asyncio.sleep(0.01 if self.at_once else 0)
        self.active -= 1
        if request.key in self.unanswered:
            return Completion(request.key, "", None, 0, self.reason, request.seed)
        round_ = request.key.split("#")[1]
        return Completion(
            request.key, fenced(f"answer = {round_}"), 9, 4, FinishReason.STOP, request.seed
        )


def debug_problems(
    problems: list[Problem],
    initial: pl.DataFrame,
    engine: Engine,
    judge: ProgramJudging,
    config: DebugConfig,
    work_dir: Path,
    prompts: Prompts = LAB,
) -> DebugOutcome:
    """`run_debugging` with an engine that is entered here and freed."""

    async def run() -> DebugOutcome:
        async with engine:
            return await run_debugging(problems, initial, engine, judge, config, prompts, work_dir)

    return asyncio.run(run())


def number_judge(code: str, tests: Tests) -> Execution:
    assert isinstance(tests, FunctionTests)
    given, needed = int(code.removeprefix("answer = ")), int(tests.cases[0].expected)
    if given >= needed:
        return Execution(Verdict.PASSED)
    return Execution(Verdict.WRONG_ANSWER, message=f"needs {needed}, got {given}")


def make_problem(needed: int, name: str | None = None) -> Problem:
    return Problem(
        problem_id=name or f"p{needed}",
        source="test",
        prompt=f"Give {needed}.",
        tests=FunctionTests(
            entry_point="answer", cases=(Case(arguments="()", expected=str(needed)),)
        ),
    )


def scripted_initial(problems: list[Problem], folder: Path) -> pl.DataFrame:
    return sample_problems(problems, ScriptedEngine(), SamplingConfig(), LAB, folder / "initial")
