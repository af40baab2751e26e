"""A debugging run in a process of its own, to be killed: WORK_DIR CALLS_FILE [CHECKPOINT].

Every call of the engine and of the judge is noted in CALLS_FILE as it starts. With CHECKPOINT,
vLLM generates; the problems are the same. A program passes or fails by its text alone.
"""

import asyncio
import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from debugging_doubles import ScriptedEngine, debug_problems, make_problem, scripted_initial

from iterpref_assets.core.debugging.trajectory import DebugConfig
from iterpref_assets.core.engines.config import Dtype, VllmConfig
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.engines.protocol import Completion, Engine, Request
from iterpref_assets.core.randomness import derive_seed
from iterpref_assets.core.records import FunctionTests, Tests
from iterpref_assets.core.sandbox.verdicts import Execution, Verdict
from iterpref_assets.core.tables import COMPLETIONS, VERSIONS, write_table

PROBLEMS = [make_problem(number, f"n{number}") for number in range(40)]
CONFIG = DebugConfig(max_in_flight=16, judge_workers=2, max_tokens=160)


class NotedEngine:
    """Notes each request, then has `engine` answer it."""

    def __init__(self, engine: Engine, calls: Path) -> None:
        self.engine, self.calls = engine, calls

    @property
    def description(self) -> str:
        return self.engine.description

    async def generate(self, request: Request) -> Completion:
        note(self.calls, request.key)
        await asyncio.sleep(0.001 * (request.seed % 5))
        return await self.engine.generate(request)

    async def __aenter__(self) -> Self:
        await self.engine.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.engine.__aexit__(kind, error, trace)


def note(calls: Path, text: str) -> None:
    with calls.open("ab", buffering=0) as stream:
        stream.write(text.encode() + b"\n")


def run(work_dir: Path, calls: Path, checkpoint: Path | None) -> None:
    def judge(code: str, tests: Tests) -> Execution:
        assert isinstance(tests, FunctionTests)
        number = tests.cases[0].expected
        note(calls, f"n{number} {code!r}")
        luck = derive_seed(number, code)
        time.sleep(0.001 * (luck % 5))
        if luck % 4 == 0:
            return Execution(Verdict.PASSED)
        return Execution(Verdict.WRONG_ANSWER, message=f"luck {luck}")

    engine: Engine = ScriptedEngine()
    if checkpoint is not None:
        engine = open_engine(VllmConfig(dtype=Dtype.FLOAT32, kv_cache_gib=0.25), checkpoint)
    outcome = debug_problems(
        PROBLEMS,
        scripted_initial(PROBLEMS, work_dir),
        NotedEngine(engine, calls),
        judge,
        CONFIG,
        work_dir,
    )
    write_table(outcome.versions, VERSIONS, work_dir / "versions.parquet")
    write_table(outcome.completions, COMPLETIONS, work_dir / "completions.parquet")
    sys.stdout.flush()
    os._exit(0)  # nothing is left to do, and taking vLLM down takes seconds


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None)
