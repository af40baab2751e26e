"""What a real model solves by debugging, by options of its prompts, beside independent samples.

    python measurements/debugging_model.py MODEL --problems PROBLEMS.parquet --work FOLDER \
        [--rounds 5] [--samples 1] [--temperature 0.8] [--independent] [--option NAME=VALUE ...]

`PROBLEMS.parquet` is an artifact of `seed_problems`. `--option` sets fields of `PromptConfig`;
`--independent` asks each round as at first, so that a failing program is followed by another sample
and nothing is told: the same calls without debugging. Finished work is kept in `--work` and never
repeated: run the same command again after an interruption.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl
from sandbox_samples import machine

from iterpref_assets.core import tables
from iterpref_assets.core.conversations import Attempt, PromptConfig, Prompts
from iterpref_assets.core.debugging.loop import DebugOutcome, run_debugging
from iterpref_assets.core.debugging.trajectory import DebugConfig
from iterpref_assets.core.engines.config import Dtype, VllmConfig
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.frames import frame_to_problems
from iterpref_assets.core.prompts import Message
from iterpref_assets.core.records import Problem
from iterpref_assets.core.sampling import SamplingConfig, draw_samples
from iterpref_assets.core.sandbox.sandbox import Sandbox


class Independent(Prompts):
    """Asks every round as at first, and never twice."""

    def __init__(self, config: PromptConfig) -> None:
        super().__init__(config.model_copy(update={"retries": 0}))

    def debug(
        self,
        problem: Problem,
        attempts: Sequence[Attempt],  # noqa: ARG002 - nothing is told of them
        *,
        repeated: bool = False,  # noqa: ARG002
    ) -> tuple[Message, ...]:
        """The conversation of round 0."""
        return self.solve(problem)


def bfloat16_engine(threads: int | None) -> VllmConfig:
    """Room for the longest conversations."""
    return VllmConfig(
        dtype=Dtype.BFLOAT16,
        max_model_len=4096,
        max_num_seqs=128,
        kv_cache_gib=2,
        cpu_threads=threads,
    )


async def measure(
    arguments: argparse.Namespace, problems: list[Problem], prompts: Prompts
) -> DebugOutcome:
    """Sample and debug."""
    drawn = {"temperature": arguments.temperature, "max_tokens": arguments.max_tokens}
    sampling = SamplingConfig(samples_per_problem=arguments.samples, **drawn)
    debugging = DebugConfig(max_rounds=arguments.rounds, judge_workers=4, **drawn)
    asked = Independent(prompts.config) if arguments.independent else prompts
    name = "independent" if arguments.independent else "debugging"
    work: Path = arguments.work
    with Sandbox() as sandbox:
        async with open_engine(bfloat16_engine(arguments.threads), arguments.model) as engine:
            first = await draw_samples(problems, engine, sampling, prompts, work / "samples")
            return await run_debugging(
                problems, first, engine, sandbox.judge, debugging, asked, work / name
            )


def report(outcome: DebugOutcome, trajectories: int) -> None:
    """Print the trajectories solved within so many rounds, and answers by kind."""
    passed = outcome.versions.filter(pl.col("verdict") == "passed")["round"]
    most = int(outcome.versions["round"].max() or 0)  # pyright: ignore[reportArgumentType]
    solved = [int((passed <= number).sum()) for number in range(most + 1)]
    print(f"{trajectories} trajectories, solved by round 0 to {most}: {solved}")
    print(json.dumps({name: outcome.figures[name] for name in SHOWN}))
    print(f"calls: {trajectories + outcome.completions.height}")


SHOWN = ("answers", "no_program", "debugged_versions", "unchanged", "tried_before", "tests_shown")


def option(text: str) -> tuple[str, object]:
    """`name=value`, the value as JSON or as plain text."""
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--problems", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--samples", type=int, default=1)
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--max-tokens", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--independent", action="store_true")
    parser.add_argument("--option", type=option, action="append", default=[])
    arguments = parser.parse_args()
    prompts = Prompts(PromptConfig.model_validate(dict(arguments.option)))
    problems = frame_to_problems(tables.read_table(arguments.problems, tables.PROBLEMS))
    print(machine())
    print(json.dumps({"temperature": arguments.temperature, **prompts.identity()}), flush=True)
    outcome = asyncio.run(measure(arguments, problems, prompts))
    report(outcome, len(problems) * arguments.samples)


if __name__ == "__main__":
    main()
