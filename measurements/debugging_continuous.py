"""Continuous debugging against the same rounds with barriers.

    python measurements/debugging_continuous.py [--trajectories N] [--judge-milliseconds MS ...]

The engine is shaped like a GPU's: a step takes 20 ms whatever the batch, up to 256 sequences take
part, a sequence joins and leaves between steps. Each completion is one of LLMDebugger's recorded
debugging programs, drawn by trajectory and round, so the lengths are recorded ones; a program's
length in tokens is its count of words, signs and line ends. A trajectory is solved in a round drawn
from SOLVED_BY_ROUND: 36.7% at first and 67.5% at the end, as in the paper, in between as steep as
it says. The judge sleeps, as one does that waits for a sandbox's process.

"barriers" generates a whole round, then executes it all, then starts the next, with the engine and
the judge as full as that allows and without a log. The versions of both must be equal.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import itertools
import re
import tempfile
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

import polars as pl
from published import LLMDEBUGGER

from iterpref_assets.core.conversations import LAB_PROMPTS, Prompts
from iterpref_assets.core.debugging.loop import DebugOutcome, run_debugging
from iterpref_assets.core.debugging.trajectory import (
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
from iterpref_assets.core.engines.protocol import Completion, Engine, FinishReason, Request
from iterpref_assets.core.pairs.recorded import read_trajectories
from iterpref_assets.core.prompts import fenced, problem_conversation
from iterpref_assets.core.randomness import derive_rng
from iterpref_assets.core.reached import ProgramJudging, judge_reached
from iterpref_assets.core.records import CodeTests, Problem, Tests
from iterpref_assets.core.sampling import completion_row, make_request
from iterpref_assets.core.sandbox.verdicts import Execution, Verdict
from iterpref_assets.core.tables import COMPLETIONS

DATA = LLMDEBUGGER
STEP_SECONDS = 0.020
SEQUENCES = 256
SOLVED_BY_ROUND = (0.367, 0.50, 0.60, 0.663, 0.670, 0.675)
CONFIG = DebugConfig(max_in_flight=SEQUENCES + 64, judge_workers=8)
PROMPTS = Prompts(LAB_PROMPTS)
_TOKEN = re.compile(r"\w+|[^\w\s]|\n")


class Script:
    """What the engine writes and the judge finds, by problem and round."""

    def __init__(self, trajectories: int) -> None:
        recorded = read_trajectories(sorted(DATA.glob("*.jsonl.gz")))
        self._programs = recorded.versions.filter(pl.col("round") > 0)["code"].to_list()
        # The judge is told the problem by its tests alone.
        self.problems = [
            Problem(
                problem_id=f"p{number}",
                source="llmdebugger",
                prompt="Solve it.",
                tests=CodeTests(code=f"p{number}"),
            )
            for number in range(trajectories)
        ]

    def completion(self, problem_id: str, round_: int) -> str:
        """A recorded program under a line that names its round."""
        program = derive_rng("program", problem_id, round_).choice(self._programs)
        return fenced(f"# round {round_}\n{program}")

    def passes(self, problem_id: str, code: str) -> bool:
        """Whether the round named in the code is one in which the problem is solved."""
        luck = derive_rng("solved", problem_id).random()
        return luck < SOLVED_BY_ROUND[int(code.split()[2])]


class SteppedEngine:
    """Recorded programs at a GPU's pace."""

    description = "recorded programs, 20 ms a step"

    def __init__(self, script: Script) -> None:
        self._script = script
        self._step = 0
        self._numbers = itertools.count()
        self._queue: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._running: list[tuple[int, int, asyncio.Future[None]]] = []
        self._filled = 0

    @property
    def fill(self) -> float:
        """The mean share of the sequences in use, over all steps."""
        return self._filled / max(self._step, 1) / SEQUENCES

    @property
    def steps(self) -> int:
        """Steps made so far."""
        return self._step

    async def generate(self, request: Request) -> Completion:
        """The program of the request's problem and round, after as many steps as it has tokens."""
        problem_id, round_, _ = request.key.split("#")
        text = self._script.completion(problem_id, int(round_))
        tokens = len(_TOKEN.findall(text))
        finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((tokens, finished))
        await finished
        return Completion(request.key, text, 0, tokens, FinishReason.STOP, request.seed)

    async def _run(self) -> None:
        due = time.monotonic()
        while True:
            while self._queue and len(self._running) < SEQUENCES:
                tokens, finished = self._queue.popleft()
                entry = (self._step + tokens, next(self._numbers), finished)
                heapq.heappush(self._running, entry)
            due = max(due + STEP_SECONDS, time.monotonic())
            await asyncio.sleep(due - time.monotonic())
            self._step += 1
            self._filled += len(self._running)
            while self._running and self._running[0][0] <= self._step:
                heapq.heappop(self._running)[2].set_result(None)

    async def __aenter__(self) -> Self:
        self._stepping = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stepping.cancel()


def sleeping_judge(script: Script, seconds: float) -> ProgramJudging:
    """Passes what `script` says, after `seconds`."""

    def judge(code: str, tests: Tests) -> Execution:
        if seconds:
            time.sleep(seconds)
        assert isinstance(tests, CodeTests)
        if script.passes(tests.code, code):
            return Execution(Verdict.PASSED)
        return Execution(Verdict.WRONG_ANSWER, message="wrong")

    return judge


def initial_completions(script: Script) -> pl.DataFrame:
    """Round 0 of every problem."""
    rows: list[dict[str, str | int]] = []
    for problem in script.problems:
        name = problem.problem_id
        request = make_request(CONFIG, name, 0, 0, problem_conversation(problem.prompt))
        text = script.completion(name, 0)
        completion = Completion(request.key, text, 0, 0, FinishReason.STOP, request.seed)
        rows.append(completion_row(name, 0, 0, completion, "recorded"))
    return pl.DataFrame(rows, schema=COMPLETIONS)


async def debug_in_rounds(
    problems: list[Problem],
    initial: pl.DataFrame,
    engine: Engine,
    judge: ProgramJudging,
    config: DebugConfig,
    prompts: Prompts,
) -> list[tuple[str, int, str, str]]:
    """The versions (trajectory, round, code, verdict) of debugging with barriers.

    `initial` holds one completion of each problem. What a round asks again, it asks before its
    barrier.
    """
    loop = asyncio.get_running_loop()
    versions: list[tuple[str, int, str, str]] = []
    by_id = {problem.problem_id: problem for problem in problems}
    rules = Rules(config.max_rounds, prompts.config.retries)
    steps: dict[str, NextStep] = {
        name: after_answer(FIRST, text, FinishReason(reason), by_id[name], rules)
        for name, text, reason in initial.select(
            "problem_id", "completion", "finish_reason"
        ).iter_rows()
    }

    async def generate(name: str, step: Generate) -> None:
        after: NextStep = step
        while isinstance(after, Generate) and after.round == step.round:
            conversation = prompts.debug(by_id[name], after.attempts, repeated=after.repeated)
            request = make_request(config, name, after.round, 0, conversation, retry=after.retry)
            answer = await engine.generate(request)
            after = after_answer(after, answer.text, answer.finish_reason, by_id[name], rules)
        steps[name] = after

    async def execute(name: str, step: Judge) -> None:
        tests = prompts.tests_in_order(by_id[name], step.attempts)
        code, execution = await loop.run_in_executor(pool, judge_reached, step.code, tests, judge)
        versions.append((trajectory_id(name, 0), step.round, code, execution.verdict.value))
        steps[name] = after_version(step, code, execution, rules)

    with ThreadPoolExecutor(config.judge_workers) as pool:
        for round_ in range(config.max_rounds + 1):
            asked = [
                generate(name, step)
                for name, step in steps.items()
                if isinstance(step, Generate) and step.round == round_
            ]
            await asyncio.gather(*asked)
            written = [
                execute(name, step) for name, step in steps.items() if isinstance(step, Judge)
            ]
            await asyncio.gather(*written)
    return sorted(versions)


def measure(script: Script, judge_seconds: float) -> None:
    """Run both and print trajectories per second."""
    initial = initial_completions(script)
    judge = sleeping_judge(script, judge_seconds)

    async def with_barriers(engine: SteppedEngine) -> list[tuple[str, int, str, str]]:
        async with engine:
            return await debug_in_rounds(script.problems, initial, engine, judge, CONFIG, PROMPTS)

    async def without_barriers(engine: SteppedEngine, folder: Path) -> DebugOutcome:
        async with engine:
            return await run_debugging(
                script.problems, initial, engine, judge, CONFIG, PROMPTS, folder
            )

    print(f"\n{initial.height} trajectories, a program takes {judge_seconds * 1000:.0f} ms")
    rates: dict[str, float] = {}
    engine = SteppedEngine(script)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        outcome = asyncio.run(without_barriers(engine, Path(folder)))
    rates["continuous"] = initial.height / (time.monotonic() - started)
    print(
        f"continuous  {rates['continuous']:7.1f} trajectories/s, {engine.steps} steps, "
        f"{engine.fill:.0%} full"
    )
    engine = SteppedEngine(script)
    started = time.monotonic()
    expected = asyncio.run(with_barriers(engine))
    rates["barriers"] = initial.height / (time.monotonic() - started)
    print(
        f"barriers    {rates['barriers']:7.1f} trajectories/s, {engine.steps} steps, "
        f"{engine.fill:.0%} full"
    )
    columns = ("trajectory_id", "round", "code", "verdict")
    if sorted(outcome.versions.select(columns).rows()) != expected:
        raise SystemExit("the versions differ")
    print(f"continuous is {rates['continuous'] / rates['barriers']:.2f}x as fast, same versions")
    print(f"pass rate by round: {outcome.figures['pass_rate_by_round']}")


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trajectories", type=int, default=2048)
    parser.add_argument("--judge-milliseconds", type=float, nargs="+", default=[0.0, 50.0])
    arguments = parser.parse_args()
    script = Script(arguments.trajectories)
    for milliseconds in arguments.judge_milliseconds:
        measure(script, milliseconds / 1000)


if __name__ == "__main__":
    main()
